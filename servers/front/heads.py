"""Heads of requests: how long they may be, their fields, and the bytes that they count for.

The bounds are the same for whoever reads a head: aiohttp, which is told of them, and
:mod:`servers.kinds.poll_heads`. They are told without a word of what was sent, which may be a
cookie of somebody else on this host.
"""

from collections.abc import Iterable

from aiohttp import web

from servers.front.ledger import Row
from servers.front.problems import Problem

LONGEST_ADDRESS = 8 * 2**10  # bytes
LONGEST_FIELDS = 16 * 2**10  # bytes of all fields: of each name and value, and 4 for what parts it
MOST_FIELDS = 128


def address_too_long() -> Problem:
    """Return the refusal of a longer address (RFC 9110, 15.5.15)."""
    return Problem(414, f"an address has at most {LONGEST_ADDRESS:,} bytes")


def fields_too_long() -> Problem:
    """Return the refusal of more, or longer, header fields (RFC 6585, 5)."""
    return Problem(
        431,
        f"a head has at most {MOST_FIELDS} fields, with {LONGEST_FIELDS:,} bytes together "
        "(are there many cookies?)",
    )


def check_fields(fields: Iterable[tuple[bytes, bytes]]) -> None:
    """Check the size of a head's fields: names and values without the space around them.

    Raises :class:`~servers.front.problems.Problem` 431.
    """
    sizes = [len(name) + len(value) + 4 for name, value in fields]
    if len(sizes) > MOST_FIELDS or sum(sizes) > LONGEST_FIELDS:
        raise fields_too_long()


def fields_of(request: web.Request) -> dict[str, str]:
    """Return a request's header fields with lower-case names, repeated ones joined."""
    fields: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields


def count_request(row: Row, request: web.Request) -> None:
    """Enter a request and the bytes of its head into a technique's row."""
    size = sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
    row.requests += 1
    row.bytes_up += len(f"{request.method} {request.raw_path} HTTP/1.1\r\n") + size + 2

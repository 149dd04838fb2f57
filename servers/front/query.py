"""What a client asks for in the query of any technique's address."""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

from servers.front.problems import Problem
from wire.cursor import DEFAULT_CHANNEL, Cursor, check_channel, parse_cursor

LONGEST_HOLD = 120.0  # seconds; RFC 6202, 5.5: longer ones are cut by things in between
_DEFAULT_HOLD = 25.0
# As polyfills of EventSource and clients of Mercure call the cursor.
_LAST_IDS = ("lastEventId", "lastEventID", "Last-Event-ID")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_INTEGER = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters that the contract knows, each checked; unknown ones are ignored.

    ``timeout`` and ``every`` are seconds; ``name`` announces the client's presence; ``naive``
    asks long-polling to forget the cursor, as naive servers did; ``padding`` is bytes; ``binary``
    and ``envelope`` choose what WebSocket frames carry (see :mod:`servers.web_socket`).
    """

    channel: str = DEFAULT_CHANNEL
    after: Cursor | None = None
    timeout: float = _DEFAULT_HOLD
    every: float | None = None
    name: str = ""
    naive: bool = False
    padding: int = 0
    binary: bool = False
    envelope: bool = False
    sender: str = ""
    sent_ns: int | None = None


@lru_cache(maxsize=512)
def parse_query(text: str) -> Query:
    """Read a query string.

    Clients that wait at the same cursor ask with the same words, so the last ones are kept.
    Raises :class:`~servers.front.problems.Problem` 400 and :class:`~wire.errors.CursorError`.
    """
    try:
        values = {
            name: value[-1]
            for name, value in parse_qs(
                text, keep_blank_values=True, errors="strict", max_num_fields=50
            ).items()
        }
    except UnicodeDecodeError:
        raise Problem(400, "the query is not UTF-8") from None
    except ValueError:
        raise Problem(400, "the query has more than 50 parameters") from None
    # Whoever comes back repeats its address, so what was added to it is newer.
    after = next(filter(None, map(values.get, (*_LAST_IDS, "after"))), None)
    timeout = _number(values, "timeout")
    return Query(
        channel=check_channel(values.get("channel", DEFAULT_CHANNEL)),
        after=parse_cursor(after) if after else None,
        timeout=min(_DEFAULT_HOLD if timeout is None else timeout, LONGEST_HOLD),
        every=_number(values, "every"),
        name=check_name(values.get("name", "")),
        naive=values.get("naive", "") == "1",
        padding=min(int(_number(values, "padding") or 0), 65536),
        binary=values.get("binary", "") == "frames",
        envelope=values.get("envelope", "") == "json",
        sender=check_name(values.get("sender", "")),
        sent_ns=parse_sent_ns(values.get("sent_ns")),
    )


def check_name(name: object) -> str:
    """Return ``name`` if people may be called so: text of up to 100 characters."""
    if not isinstance(name, str) or len(name) > 100:
        raise Problem(400, "a name is text of up to 100 characters")
    return name


def check_sent_ns(value: object) -> int | None:
    """Return a sender's nanoseconds, from 0 to 2^63 - 1, or ``None``.

    Clients refuse a message with any other, so one such message would stop them all.
    """
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**63:
        raise Problem(
            400, "sent_ns is a whole number of nanoseconds of a monotonic clock, 0 to 2^63 - 1"
        )
    return value


def parse_sent_ns(text: str | None) -> int | None:
    """Read a sender's nanoseconds; nothing, or an empty text, is ``None``."""
    if not text:
        return None
    # int() would also take other digits than ASCII's, and fail for thousands of them.
    return check_sent_ns(int(text) if _INTEGER.fullmatch(text) else text)


def _number(values: dict[str, str], name: str) -> float | None:
    text = values.get(name)
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise Problem(400, f"{name}={text[:40]!r} is not a number such as 25 or 0.5")
    return float(text)

"""Heads of requests: their fields, and the bytes that they count for."""

from aiohttp import web

from servers.front.ledger import Row


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

"""HTTP responses without an end: their heads, and how their body is framed."""

import enum

from aiohttp import web

from servers.ledger import Row
from servers.service import SERVICE
from wire import chunked
from wire.http_head import encode_response


class Transfer(enum.Enum):
    """How a body of unknown length is sent: in chunks, or until the connection closes.

    The latter is for HTTP/1.0, which a proxy may speak to us (nginx did by default until 1.29).
    """

    CHUNKED = "chunked"
    UNTIL_CLOSE = "until close"

    def wrap(self, data: bytes) -> bytes:
        """Frame one piece of the body."""
        return chunked.encode_chunk(data) if self is Transfer.CHUNKED else data

    @property
    def end(self) -> bytes:
        """What ends the body, besides closing."""
        return chunked.END if self is Transfer.CHUNKED else b""


def stream_head(request: web.Request, content_type: str, cursor: str) -> tuple[Transfer, bytes]:
    """Write the head of a streamed answer, which names the ``cursor`` where it starts."""
    is_old = request.version < (1, 1)
    fields = [
        ("Content-Type", content_type),
        ("Cache-Control", "no-store"),
        ("Duplex-Cursor", cursor),
        # nginx would collect the stream until it ends (its proxy_buffering).
        ("X-Accel-Buffering", "no"),
        ("Connection", "close") if is_old else ("Transfer-Encoding", "chunked"),
    ]
    origin = request.app[SERVICE].guard.check(fields_of(request))
    if origin is not None:
        fields.append(("Access-Control-Allow-Origin", origin))
    transfer = Transfer.UNTIL_CLOSE if is_old else Transfer.CHUNKED
    return transfer, encode_response("200 OK", fields)


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

"""HTTP responses without an end: their heads, and how their body is framed."""

import enum

from aiohttp import web

from servers.front.heads import fields_of
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

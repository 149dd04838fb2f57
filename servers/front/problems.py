"""Errors as people and programs can read them: RFC 9457 problem details.

A problem names what was wrong and what is accepted. Whatever raises one has done nothing yet:
no message is half published, no subscriber half registered.
"""

import json
from http import HTTPStatus

from aiohttp import web

from wire.errors import CursorError, HandshakeError, MessageError, WireError
from wire.http_head import encode_response
from wire.message import dump_json

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer with ``status`` instead of what was asked for; ``headers`` come besides."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def anew(self) -> "Problem":
        """Return the same problem, to be raised: an exception keeps the frames that it passed."""
        fresh = Problem(self.status, self.detail)
        fresh.headers = dict(self.headers)
        return fresh

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def members(self) -> dict[str, object]:
        """Return the members of the problem object (RFC 9457, 3.1)."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }

    def body(self) -> bytes:
        """Return the problem as JSON."""
        return json.dumps(self.members(), ensure_ascii=False).encode("utf-8", "replace")

    def response(self) -> web.Response:
        """Make the answer for an aiohttp handler."""
        return web.Response(
            status=self.status,
            body=self.body(),
            content_type=CONTENT_TYPE,
            headers={"Cache-Control": "no-store", **self.headers},
        )

    def in_band(self) -> bytes:
        """Return ``{"problem":{...}}`` as JSON, for sockets; their answers have no header fields.

        What ``Retry-After`` says is the member ``retry_after`` there, in seconds.
        """
        wait = self.headers.get("Retry-After")
        more = {} if wait is None else {"retry_after": int(wait)}
        return dump_json({"problem": self.members() | more})

    def raw(self) -> bytes:
        """Make the answer for a bare socket, which it ends."""
        body = self.body()
        fields = [
            ("Content-Type", CONTENT_TYPE),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
            *self.headers.items(),
        ]
        return encode_response(f"{self.status} {self.title}", fields, body)


def problem_of(error: WireError) -> Problem:
    """Make a problem of bytes that a codec refused."""
    if isinstance(error, HandshakeError):
        if error.status == 426:
            # RFC 6455, 4.4: the refusal names the version that is spoken.
            headers = {"Sec_WebSocket_Version": "13", "Upgrade": "websocket"}
            return Problem(426, error.reason, Connection="Upgrade", **headers)
        return Problem(error.status, error.reason)
    if isinstance(error, CursorError | MessageError):
        return Problem(400, str(error))
    return Problem(400, f"not understood: {error}")

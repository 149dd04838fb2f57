"""A WebSocket that sends every message back: for conformance suites and round trips."""

from aiohttp import web

from servers.front.handover import take_over
from servers.kinds.streams import Framing
from servers.kinds.web_socket_opening import open_handshake
from servers.kinds.web_socket_peer import PING, WebSocketPeer
from servers.service import SERVICE
from wire.web_socket_frames import Opcode
from wire.web_socket_messages import Binary, Text

_NO_CHANNEL = Framing(
    slug="web_socket",
    key="web_socket echo",
    message=lambda cursor, json: b"",
    gap=lambda cursor, json: b"",
    heartbeat=PING,
)


class Echo(WebSocketPeer):
    """Sends every message back; a peer that does not read the echo is not read, either."""

    __slots__ = ()

    def on_message(self, message: Text | Binary) -> None:
        if isinstance(message, Text):
            self.send(Opcode.TEXT, message.text.encode())
        else:
            self.send(Opcode.BINARY, message.data)

    def pause_writing(self) -> None:
        """Read no more while the echo waits."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.transport.resume_reading()


async def open_echo(request: web.Request) -> web.StreamResponse:
    """Answer the opening handshake and leave HTTP."""
    service = request.app[SERVICE]
    opened = open_handshake(request)
    limit = service.settings.most_echo
    echo = Echo(
        service, _NO_CHANNEL, None, opened.answer(), limit=limit, agreement=opened.agreement
    )
    await take_over(request, echo)


def routes() -> list[web.RouteDef]:
    """Return the route."""
    return [web.get("/web_socket/echo", open_echo, allow_head=False)]

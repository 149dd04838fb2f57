"""WebSocket: the connection leaves HTTP and carries messages both ways (RFC 6455).

    GET /web_socket?channel=lobby[&after=CURSOR]   a text frame up publishes text, a binary frame
                                                   bytes; messages come down as text frames
    GET /web_socket/echo                           every message comes back

``binary=frames`` lets messages of bytes come down as binary frames (their fields as a line of
JSON, then the bytes). ``envelope=json`` makes a text frame up the JSON object that a POST would
bring, with sender and time.
"""

from aiohttp import web

from servers.front.bodies import load_order
from servers.front.handover import take_over
from servers.front.problems import Problem, problem_of
from servers.kinds import web_socket_echo
from servers.kinds.streams import Framing
from servers.kinds.web_socket_opening import open_handshake
from servers.kinds.web_socket_peer import PING, WebSocketPeer, encode_data
from servers.publish import most_json, publish_body, publish_fields
from servers.service import SERVICE, Service, query_of
from wire.errors import MessageError
from wire.message import Message as ChannelMessage
from wire.message import decode_message, encode_binary_message
from wire.web_socket_deflate import Agreement
from wire.web_socket_frames import CloseCode, Opcode
from wire.web_socket_messages import Binary, Text


class WebSocket(WebSocketPeer):
    """A subscriber and publisher of a channel."""

    __slots__ = ("has_envelopes",)

    has_envelopes: bool

    def on_message(self, message: Text | Binary) -> None:
        service, channel = self._service, self._channel
        assert channel is not None
        try:
            if isinstance(message, Binary):
                appended = publish_body(service, "web_socket", channel, message.data, self._name)
            elif self.has_envelopes:
                fields = load_order(message.text)
                appended = publish_fields(service, "web_socket", channel, fields, self._name)
            else:
                appended = publish_body(service, "web_socket", channel, message.text, self._name)
            self.see_kept(appended)
        except Problem as problem:
            if problem.status == 413:  # told as of any frame that is too large
                self.close(CloseCode.TOO_BIG, problem.detail)
            else:
                self.complain(problem)
        except MessageError as error:
            self.complain(problem_of(error))


def framing(agreement: Agreement | None, binary: bool) -> Framing:
    """Write each message as one text frame, or bytes as a binary one where asked for."""

    def message(cursor: str, json: bytes) -> bytes:
        # Inside a JSON string quotes are escaped, so this can only be the field.
        if binary and b',"base64":"' in json:
            decoded = decode_message(json)
            assert isinstance(decoded, ChannelMessage)
            return encode_data(Opcode.BINARY, encode_binary_message(decoded), agreement)
        return encode_data(Opcode.TEXT, json, agreement)

    return Framing(
        slug="web_socket",
        key=("web_socket", agreement, binary),
        message=message,
        gap=lambda cursor, json: encode_data(Opcode.TEXT, json, agreement),
        heartbeat=PING,
    )


async def open_socket(request: web.Request) -> web.StreamResponse:
    """Answer the opening handshake and leave HTTP."""
    service = request.app[SERVICE]
    opened = open_handshake(request)
    query = query_of(request)
    channel = await service.open(query.channel, query.after)
    start = channel.resume(query.after)
    head = opened.answer(("Duplex-Cursor", channel.cursor(start[0])))
    form = framing(opened.agreement, query.binary)
    socket = WebSocket(
        service,
        form,
        channel,
        head,
        start,
        query.name,
        limit=most_json(service) if query.envelope else service.settings.most_message,
        agreement=opened.agreement,
    )
    socket.has_envelopes = query.envelope
    await take_over(request, socket)


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [web.get("/web_socket", open_socket, allow_head=False), *web_socket_echo.routes()]

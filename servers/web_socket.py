"""WebSocket: the connection leaves HTTP and carries messages both ways (RFC 6455).

    GET /web_socket?channel=lobby[&after=CURSOR]   a text frame up publishes text, a binary frame
                                                   bytes; messages come down as text frames
    GET /web_socket/echo                           every message comes back

``binary=frames`` lets messages of bytes come down as binary frames (their fields as a line of
JSON, then the bytes). ``envelope=json`` makes a text frame up the JSON object that a POST would
bring, with sender and time.
"""

from aiohttp import web

from servers.handover import is_alone, take_over
from servers.http_streams import count_request, fields_of
from servers.problems import Problem, problem_of
from servers.publish import publish_body, publish_fields
from servers.query import query_of
from servers.service import SERVICE, Service
from servers.streams import Framing
from servers.web_socket_peer import PING, WebSocketPeer, encode_data
from wire import web_socket_deflate
from wire.errors import MessageError
from wire.message import Message as ChannelMessage
from wire.message import decode_message, encode_binary_message, load_json
from wire.web_socket_deflate import Agreement
from wire.web_socket_frames import Opcode
from wire.web_socket_handshake import SUBPROTOCOL, check_request, encode_answer
from wire.web_socket_messages import Binary, Text


class WebSocket(WebSocketPeer):
    """A subscriber and publisher of a channel."""

    __slots__ = ("has_envelopes",)

    has_envelopes: bool

    def on_message(self, message: Text | Binary) -> None:
        """Publish it."""
        service, channel = self._service, self._channel
        assert channel is not None
        try:
            if isinstance(message, Binary):
                publish_body(service, "web_socket", channel, message.data, self._name)
            elif self.has_envelopes:
                fields = load_json(message.text)
                publish_fields(service, "web_socket", channel, fields, self._name)
            else:
                publish_body(service, "web_socket", channel, message.text, self._name)
        except Problem as problem:
            self.complain(problem)
        except MessageError as error:
            self.complain(problem_of(error))


class Echo(WebSocketPeer):
    """Sends every message back; one that is not read back stops being read."""

    __slots__ = ()

    def on_message(self, message: Text | Binary) -> None:
        """Send it back."""
        if isinstance(message, Text):
            self.send(Opcode.TEXT, message.text.encode())
        else:
            self.send(Opcode.BINARY, message.data)

    def pause_writing(self) -> None:
        """Read no more while the echo waits."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        super().resume_writing()
        self.transport.resume_reading()


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
    opening = check_request(request.method, request.version.minor, fields_of(request))
    if not is_alone(request):
        # RFC 6455, 4.1: a client waits for the answer. What came before it would get lost.
        raise Problem(400, "nothing may be sent before the opening handshake was answered")
    query = query_of(request)
    count_request(service.row("web_socket"), request)
    agreed = web_socket_deflate.agree(opening.extensions) if service.settings.deflate else None
    agreement, extension = agreed or (None, "")
    protocol = SUBPROTOCOL if SUBPROTOCOL in opening.protocols else None
    if request.path == "/web_socket/echo":
        head = encode_answer(opening, protocol, extension)
        limit = service.settings.most_echo
        form = framing(agreement, False)
        await take_over(request, Echo(service, form, None, head, limit=limit, agreement=agreement))
    channel = service.channel(query.channel)
    start = channel.resume(query.after)
    cursor = ("Duplex-Cursor", channel.cursor(start[0]))
    socket = WebSocket(
        service, framing(agreement, query.binary), channel,
        encode_answer(opening, protocol, extension, [cursor]), start, query.name,
        limit=service.settings.most_message, agreement=agreement,
    )  # fmt: skip
    socket.has_envelopes = query.envelope
    await take_over(request, socket)


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    paths = ("/web_socket", "/web_socket/echo")
    return [web.get(path, open_socket, allow_head=False) for path in paths]

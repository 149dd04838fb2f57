"""WebSocket: one connection, both ways, with two to fourteen bytes of framing (RFC 6455).

Messages come down and go up as frames, text or binary, at any time.
"""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Client, Item
from clients.errors import ConnectionLostError, refusal_in
from clients.kinds.http_client import CURSOR_FIELD
from clients.net import decoding
from clients.net.uploads import encode_upload
from clients.net.web_socket_connection import WebSocketConnection
from clients.options import Options, Receipt
from wire.message import Body, decode_binary_message
from wire.web_socket_handshake import SUBPROTOCOL
from wire.web_socket_messages import Binary, Text


class WebSocketClient(Client):
    """Receives messages as frames and sends them so.

    ``envelope`` puts what goes up into JSON, with sender and time; else a frame is only its text
    or bytes. ``binary_frames`` has bytes come down in binary frames instead of base64 in text.
    ``compress`` offers permessage-deflate (RFC 7692).
    """

    __slots__ = ("_socket", "_upgrades", "binary_frames", "compress", "envelope")
    technique = "web_socket"

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        envelope: bool = True,
        binary_frames: bool = False,
        compress: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.envelope = envelope
        self.binary_frames = binary_frames
        self.compress = compress
        self._socket: WebSocketConnection | None = None
        self._upgrades = 0
        super().__init__(url, channel, **options)

    @property
    def requests(self) -> int:
        """Opening handshakes, each of which is an HTTP request."""
        return self._upgrades

    def _open(self) -> None:
        envelope = "json" if self.envelope else None
        binary = "frames" if self.binary_frames else None
        asked = {"channel": self.channel, "after": self._cursor, "name": self.name}
        target = self.address.target("/web_socket", **asked, envelope=envelope, binary=binary)
        self._upgrades += 1
        self._socket = WebSocketConnection(
            self.address,
            target,
            headers=self._headers,
            traffic=self._traffic,
            protocols=(SUBPROTOCOL,),
            compress=self.compress,
            timeout=self._timeout,
        )
        self._cursor = self._socket.head.fields.get(CURSOR_FIELD, self._cursor)

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        socket = self._connected()
        if (events := socket.events(deadline)) is None:
            return None
        items: list[Item] = []
        for event in events:
            if isinstance(event, Binary):
                items.append(decode_binary_message(event.data))
            elif isinstance(event, Text) and (refusal := refusal_in(event.text)):
                self._failure = refusal
            elif isinstance(event, Text):
                items.append(decoding.message(event.text))
        return self._follow(items, socket.arrived_ns)

    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        """Send one frame; no answer but the message. What is refused, the next receive tells."""
        sender = sender or self.name
        if self.envelope and (isinstance(body, str) or sender or sent_ns is not None):
            body = encode_upload(body, sender, sent_ns).decode()
        elif sender != self.name or sent_ns is not None:
            raise ValueError("sender and sent_ns need envelope=True: a bare frame is only its text")
        self._connected().send(body)
        return None

    def ping(self, timeout: float = 10.0) -> float:
        """Return the seconds that a Ping and its Pong took; messages meanwhile are kept."""
        return self._connected().ping(timeout)

    def _connected(self) -> WebSocketConnection:
        if self._socket is None:
            raise ConnectionLostError("there is no connection now; receiving makes it again")
        return self._socket

    def _shut(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

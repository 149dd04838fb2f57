"""One end of a WebSocket connection on a bare transport: control frames and closing.

What comes in goes through :mod:`wire.web_socket_messages`, strict about masking, lengths, text
and close codes. Pings are answered, the closing handshake is kept from either side, and a peer
that breaks the protocol is told the close code (RFC 6455, 5.5, 7).
"""

import asyncio

from servers.channels.channel import Channel
from servers.front.budget import NO_ROOM
from servers.front.problems import Problem
from servers.kinds.streams import Framing
from servers.kinds.two_way import TwoWay
from servers.service import Service
from wire.errors import WebSocketError
from wire.web_socket_deflate import Agreement, deflate
from wire.web_socket_frames import CloseCode, Opcode, encode_frame
from wire.web_socket_messages import Binary, Close, MessageDecoder, Ping, Pong, Text, encode_close

PING = encode_frame(Opcode.PING, b"")
_LINGER_SECONDS = 1.0


def encode_data(opcode: Opcode, payload: bytes, agreement: Agreement | None) -> bytes:
    """Write one whole message as a frame, compressed if that was agreed on."""
    if agreement is None:
        return encode_frame(opcode, payload)
    return encode_frame(opcode, deflate(payload, agreement.window_bits), rsv1=True)


class WebSocketPeer(TwoWay):
    """A WebSocket; ``on_message`` says what is done with a message."""

    __slots__ = ("_awaits_sign", "_decoder", "_deflate", "_has_failed", "_limit")

    def __init__(
        self,
        service: Service,
        framing: Framing,
        channel: Channel | None,
        head: bytes,
        start: tuple[int, bool] = (0, False),
        name: str = "",
        *,
        limit: int,
        agreement: Agreement | None = None,
    ) -> None:
        super().__init__(service, framing, channel, head, start, name)
        self._limit = limit
        self._deflate = agreement
        self._decoder: MessageDecoder | None = None  # made when the first bytes come
        self._awaits_sign = self._has_failed = False

    def on_message(self, message: Text | Binary) -> None:
        """Do with a message what this address does."""
        raise NotImplementedError

    def send(self, opcode: Opcode, payload: bytes) -> None:
        """Write one message, compressed if that was agreed on."""
        self.write(encode_data(opcode, payload, self._deflate))

    def complain(self, problem: Problem) -> None:
        """Tell of a message that was not published."""
        if self.is_writable():
            self.send(Opcode.TEXT, problem.in_band())
        else:  # whoever does not read would pile up complaints, and reads no goodbye either
            why = "read what is wrong before you send more"
            self._fail(WebSocketError(CloseCode.POLICY_VIOLATION, why))

    def give_up(self, problem: Problem) -> None:
        """Fail the connection, for which the peer is not to blame where we have no room."""
        is_full = problem.status == NO_ROOM.status
        code = CloseCode.TRY_AGAIN_LATER if is_full else CloseCode.POLICY_VIOLATION
        self._decoder = None
        self._fail(WebSocketError(code, problem.detail))

    def data_received(self, data: bytes) -> None:
        """Take frames apart and act on them."""
        self.row.bytes_up += len(data)
        self._awaits_sign = False  # a pong waits behind a long message that is still coming
        if self._has_failed:
            return  # what the peer had sent before it could know
        if self._decoder is None:
            self._decoder = MessageDecoder(
                masked=True, limit=self._limit, deflate=self._deflate is not None
            )
        fault: WebSocketError | None = None
        try:
            self._decoder.decode(data)
        except WebSocketError as error:
            fault = error
        events = self._decoder.events
        self.hold(self._decoder.waiting, any(isinstance(one, Text | Binary) for one in events))
        for event in events:
            if self.transport.is_closing():
                return
            if not self._is_closing:
                self._take(event)
            elif isinstance(event, Close):
                self.transport.close()  # the answer to ours
        if fault is not None:
            self._fail(fault)

    def _take(self, event: Text | Binary | Ping | Pong | Close) -> None:
        if isinstance(event, Text | Binary):
            self.on_message(event)
        elif isinstance(event, Ping):
            # Whoever does not read gets no pongs: they would only pile up.
            if self.is_writable():
                self.write(encode_frame(Opcode.PONG, event.payload))
        elif isinstance(event, Close):
            # RFC 6455, 5.5.1 and 7.1.1: echo the code; the server closes the connection first.
            self._stop()
            self.write(encode_close(event.code))
            self.transport.close()

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; the connection ends with the peer's answer."""
        self._stop()
        self.write(encode_close(code, reason))
        # To close at once would destroy the Close frame on its way, where the peer still sends.
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.transport.close)

    def _fail(self, fault: WebSocketError) -> None:
        """Fail the connection (RFC 6455, 7.1.7): tell why, and send no more."""
        if not self._is_closing:
            self.close(fault.code, fault.reason)
        self._has_failed = True
        if self.transport.can_write_eof():
            self.transport.write_eof()  # which waits for no answer, as there need not be any

    def _stop(self) -> None:
        if self.feed is not None:
            self.feed.fall_behind(self)
        self._is_closing = True

    def beat(self) -> None:
        """Ping; a peer that is behind has not read the last one yet."""
        if self.is_writable():
            self._awaits_sign = True
            self.write(PING)

    def check(self) -> None:
        """End the connection if nothing came since the ping."""
        if self._awaits_sign and self.is_writable():
            self.transport.abort()
        else:
            super().check()

    def finish(self) -> None:
        """Say that the server is going away."""
        if not self._is_closing:
            self.close(CloseCode.GOING_AWAY, "the server stops")

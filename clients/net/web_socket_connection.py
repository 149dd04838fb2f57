"""A WebSocket connection, the client's side of RFC 6455, with nothing of channels in it.

It is usable by itself against any server, for a ping-pong with ``/web_socket/echo`` for instance::

    with WebSocketConnection(parse_address("http://127.0.0.1:8000"), "/web_socket/echo") as echo:
        echo.send("hola")
        print(echo.receive())

One thread reads (``receive``, ``events``, ``ping``); others may send and close.
"""

import contextlib
import os
import threading
import time
from collections.abc import Sequence
from typing import Self

from clients.errors import (
    ClientError,
    ConnectionLostError,
    RefusedError,
    UnexpectedAnswerError,
    refused,
    silence,
)
from clients.net.address import Address
from clients.net.headers import Headers, make_headers
from clients.net.http import HttpConnection
from clients.net.traffic import Traffic
from wire import web_socket_deflate
from wire.errors import HandshakeError, WebSocketError
from wire.message import Body
from wire.web_socket_frames import CloseCode, Opcode, encode_frame
from wire.web_socket_handshake import check_response, encode_opening
from wire.web_socket_messages import Binary, Close, MessageDecoder, Ping, Pong, Text, encode_close

Event = Text | Binary | Pong
LONGEST_MESSAGE = 64 * 2**20
_CLOSING_S = 1.0  # how long to wait for the peer's part of the closing handshake
# Codes by which the server says that the fault was ours: coming again would not help.
_OUR_FAULT: dict[int, str] = {
    CloseCode.PROTOCOL_ERROR: "protocol error",
    CloseCode.UNACCEPTABLE_DATA: "unacceptable data",
    CloseCode.INVALID_DATA: "data that is not what its type says",
    CloseCode.POLICY_VIOLATION: "policy violation",
    CloseCode.TOO_BIG: "message too big",
    CloseCode.EXTENSION_NEEDED: "extension needed",
}


class WebSocketConnection:
    """Opened by its constructor; ``head`` is the server's answer, ``protocol`` what it chose.

    Raises :class:`~clients.errors.RefusedError` where the handshake is refused, with the HTTP
    status. After the end ``close_code`` has the peer's code, 1005 where it sent none.
    """

    __slots__ = (
        "_agreement",
        "_decoder",
        "_end",
        "_events",
        "_link",
        "_lock",
        "_said_close",
        "_timeout",
        "close_code",
        "head",
        "protocol",
    )

    def __init__(
        self,
        address: Address,
        target: str,
        *,
        headers: Headers | None = None,
        traffic: Traffic | None = None,
        protocols: Sequence[str] = (),
        compress: bool = False,
        timeout: float = 10.0,
    ) -> None:
        headers = headers or make_headers("lean", address)
        traffic = traffic or Traffic()
        address = address.tunnelled()
        http = HttpConnection(address, traffic, headers, timeout)
        target, to_proxy = address.said(target)
        fields = [field for field in headers.fields if field[0] != "Connection"]
        fields += to_proxy
        nonce = os.urandom(16)
        extension = web_socket_deflate.offer() if compress else ""
        limit = time.monotonic() + timeout
        try:
            http.ask_encoded(encode_opening(target, fields, nonce, protocols, extension))
            head = http.head(limit)
            if head is None:
                raise silence(timeout)
            if head.status != 101:
                answer = http.answer(limit)
                raise refused(head, answer.body if answer else b"")
            self.protocol, self._agreement = check_response(head, nonce, protocols, extension)
        except HandshakeError as error:
            http.close()
            raise UnexpectedAnswerError(f"no WebSocket: {error}") from error
        except BaseException:
            http.close()
            raise
        self.head = head
        self.close_code: int | None = None
        self._decoder = MessageDecoder(
            masked=False, limit=LONGEST_MESSAGE, deflate=self._agreement is not None
        )
        self._link, rest = http.detach()
        self._end: ClientError | None = None  # why nothing comes any more
        self._said_close = False
        self._lock = threading.Lock()  # a frame must not be written into another
        self._timeout = timeout
        self._events: Sequence[Event] = self._take(rest) if rest else ()

    @property
    def arrived_ns(self) -> int:
        """Monotonic time just after the last read returned."""
        return self._link.arrived_ns

    def send(self, body: Body) -> None:
        """Send one text or binary message."""
        opcode = Opcode.TEXT if isinstance(body, str) else Opcode.BINARY
        payload = body.encode() if isinstance(body, str) else body
        compressed = self._agreement is not None
        if self._agreement is not None:
            payload = web_socket_deflate.deflate(payload, self._agreement.window_bits)
        self._send(encode_frame(opcode, payload, mask=os.urandom(4), rsv1=compressed))

    def receive(self, timeout: float | None = None) -> Body | None:
        """Return the next message, ``None`` when ``timeout`` seconds have passed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (events := self.events(deadline)) is not None:
            for at, event in enumerate(events):
                if not isinstance(event, Pong):
                    self._events = events[at + 1 :]
                    return event.text if isinstance(event, Text) else event.data
        return None

    def events(self, deadline: float | None) -> Sequence[Event] | None:
        """Return what the next read completes, perhaps nothing; ``None`` when time is up.

        Pings are answered, and so is the peer's Close; after it this raises
        :class:`~clients.errors.ConnectionLostError`, or RefusedError with the close code where
        the server found fault with what we sent.
        """
        if self._events:
            events, self._events = self._events, ()
            return events
        if self._end is not None:
            raise self._end
        data = self._link.receive(deadline)
        if data is None:
            return None
        if not data:
            raise ConnectionLostError("the connection ended without a Close")
        return self._take(data)

    def ping(self, timeout: float = 10.0) -> float:
        """Return the seconds from a Ping to its Pong; what comes in between is kept."""
        payload = os.urandom(8)
        began = time.monotonic()
        self._send(encode_frame(Opcode.PING, payload, mask=os.urandom(4)))
        kept: list[Event] = []
        try:
            while (events := self.events(began + timeout)) is not None:
                kept += [event for event in events if event != Pong(payload)]
                if Pong(payload) in events:
                    return time.monotonic() - began
        finally:
            self._events = kept
        raise ConnectionLostError(f"no Pong within {timeout:g} s")

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Close, with the handshake where the peer takes part within a second (RFC 6455, 7.1)."""
        if self._end is None:
            self._end = ConnectionLostError("this end closed the connection")
            self._say_close(code, reason)
            self._link.finish(_CLOSING_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _take(self, data: bytes) -> list[Event]:
        taken: list[Event] = []
        try:
            events = self._decoder.decode(data)
        except WebSocketError as error:
            events = self._decoder.events  # what came before the fault
            self._end = UnexpectedAnswerError(f"the server broke the protocol: {error}")
            self._say_close(error.code, error.reason)
            self._link.close()
        for event in events:
            if isinstance(event, Close):
                self._take_close(event)
            elif isinstance(event, Ping):
                with contextlib.suppress(ConnectionLostError):  # what came with it still counts
                    self._send(encode_frame(Opcode.PONG, event.payload, mask=os.urandom(4)))
            else:
                taken.append(event)
        return taken

    def _take_close(self, event: Close) -> None:
        self.close_code = event.code
        if self._end is None:
            said = f"{event.code} {event.reason}".strip()
            self._end = ConnectionLostError(f"the server closed the connection: {said}")
            if event.code in _OUR_FAULT:
                self._end = RefusedError(event.code, _OUR_FAULT[event.code], event.reason)
        self._say_close(event.code, "")
        self._link.finish(_CLOSING_S)

    def _say_close(self, code: int, reason: str) -> None:
        if not self._said_close:
            self._said_close = True
            with contextlib.suppress(ConnectionLostError):  # the peer may be gone already
                self._send(encode_close(code, reason, os.urandom(4)), _CLOSING_S)

    def _send(self, frame: bytes, timeout: float | None = None) -> None:
        with self._lock:
            self._link.send(frame, timeout or self._timeout)

"""WebSocket messages: frames joined, text checked, control frames told apart (RFC 6455, 5 to 7).

A server expects masked frames, a client unmasked ones; the rest is the same for both, so one
decoder serves both roles.
"""

import codecs
from dataclasses import dataclass

from wire import web_socket_deflate
from wire.errors import WebSocketError
from wire.web_socket_frames import CloseCode, Frame, FrameDecoder, Opcode, encode_frame


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text message."""

    text: str


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong with the same payload."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping, or tells unasked that the peer lives."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The peer's Close; ``code`` is 1005 where it sent none."""

    code: int
    reason: str


Event = Text | Binary | Ping | Pong | Close


def encode_close(code: int, reason: str = "", mask: bytes | None = None) -> bytes:
    """Write a Close frame; the reason is cut to the 123 bytes that fit.

    A ``code`` of 1005 means "no code", and so an empty payload.
    """
    if code == CloseCode.NO_STATUS:
        return encode_frame(Opcode.CLOSE, b"", mask=mask)
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return encode_frame(Opcode.CLOSE, code.to_bytes(2, "big") + text, mask=mask)


def _may_be_sent(code: int) -> bool:
    # 1004 is reserved, 1005, 1006 and 1015 are for local use, below 1000 nothing is defined;
    # 3000 to 4999 belong to libraries and applications (RFC 6455, 7.4).
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


class MessageDecoder:
    """Makes events of a byte stream.

    ``masked`` and ``limit`` (bytes of one message, after decompression) are as for frames;
    ``deflate`` allows messages compressed without context takeover. ``decode`` raises
    :class:`~wire.errors.WebSocketError`; ``events`` then holds what came before the fault.
    A Close is the last event: what comes after it is thrown away (RFC 6455, 5.5.1).
    """

    def __init__(self, *, masked: bool, limit: int, deflate: bool = False) -> None:
        self._frames = FrameDecoder(masked=masked, limit=limit, rsv1=deflate)
        self._limit = limit
        self._opcode: Opcode | None = None  # of the message whose fragments are coming
        self._compressed = False
        self._payload = bytearray()  # not a list: fragments of a byte or two would cost far more
        self._utf8: codecs.IncrementalDecoder | None = None
        self._closed = False
        self.events: list[Event] = []

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished message are held."""
        return self._frames.waiting + len(self._payload)

    def decode(self, chunk: bytes) -> list[Event]:
        """Take what arrived; return the events that it completed."""
        events: list[Event] = []
        self.events = events
        if self._closed:
            return events
        fault: WebSocketError | None = None
        try:
            frames = self._frames.decode(chunk)
        except WebSocketError as error:
            frames, fault = self._frames.frames, error
        for frame in frames:
            opcode = frame.opcode
            if opcode >= Opcode.CLOSE:
                events.append(_control(frame))
                if opcode is Opcode.CLOSE:
                    self._closed = True
                    return events
            elif frame.fin and opcode and self._opcode is None and not frame.rsv1:
                # The common case, a whole message: nothing to remember.
                events.append(_whole(opcode, frame.payload))
            else:
                self._add(frame)
        if fault is not None:
            raise fault
        return events

    def _add(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CONTINUATION:
            if self._opcode is not None:
                raise _violation("a new message inside a fragmented one")
            self._opcode, self._compressed = frame.opcode, frame.rsv1
            if frame.opcode is Opcode.TEXT and not frame.rsv1:
                self._utf8 = codecs.getincrementaldecoder("utf-8")()
        elif self._opcode is None:
            raise _violation("a continuation of nothing")
        elif frame.rsv1:
            raise _violation("the compression bit belongs to the first frame only")
        self._payload += frame.payload
        if len(self._payload) > self._limit:
            raise WebSocketError(CloseCode.TOO_BIG, f"a message of more than {self._limit} bytes")
        if self._utf8 is not None:
            # Fail as early as the bytes allow, not only at the message's end.
            try:
                self._utf8.decode(frame.payload, frame.fin)
            except UnicodeDecodeError:
                raise _invalid_text() from None
        if not frame.fin:
            return
        payload = bytes(self._payload)
        if self._compressed:
            payload = web_socket_deflate.inflate(payload, self._limit)
        opcode = self._opcode
        assert opcode is not None
        self._opcode, self._utf8 = None, None
        self._payload.clear()
        self.events.append(_whole(opcode, payload))


def _whole(opcode: Opcode, payload: bytes) -> Event:
    if opcode is Opcode.BINARY:
        return Binary(payload)
    try:
        return Text(payload.decode())
    except UnicodeDecodeError:
        raise _invalid_text() from None


def _control(frame: Frame) -> Event:
    payload = frame.payload
    if frame.opcode is Opcode.PING:
        return Ping(payload)
    if frame.opcode is Opcode.PONG:
        return Pong(payload)
    if not payload:
        return Close(CloseCode.NO_STATUS, "")
    if len(payload) == 1:
        raise _violation("a Close with half a code")
    code = int.from_bytes(payload[:2], "big")
    if not _may_be_sent(code):
        raise _violation(f"close code {code} may not be sent")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise _invalid_text() from None


def _violation(reason: str) -> WebSocketError:
    return WebSocketError(CloseCode.PROTOCOL_ERROR, reason)


def _invalid_text() -> WebSocketError:
    return WebSocketError(CloseCode.INVALID_DATA, "text that is not UTF-8")

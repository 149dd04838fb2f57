"""WebSocket frames, RFC 6455, 5.2: two to fourteen bytes of head, then the payload.

A frame is not a message and not a TCP segment: a message may be cut into several frames
(:mod:`wire.web_socket_messages` joins them), and control frames may stand between those.
"""

import enum
from dataclasses import dataclass

from wire.errors import WebSocketError


class Opcode(enum.IntEnum):
    """What a frame carries (RFC 6455, 11.8); 8 and above are control frames."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(enum.IntEnum):
    """The close codes that this suite sends (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NO_STATUS = 1005  # never on the wire: the peer's Close had no code
    ABNORMAL = 1006  # never on the wire: the connection ended without a Close
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, unmasked. ``rsv1`` marks a message compressed by RFC 7692."""

    opcode: Opcode
    payload: bytes
    fin: bool = True
    rsv1: bool = False


def apply_mask(payload: bytes, key: bytes) -> bytes:
    """XOR ``payload`` with the four bytes of ``key`` repeated; done twice, it is undone.

    Masking is no secrecy, the key travels beside the payload. It keeps a hostile page from
    choosing the bytes on the wire and so talking to a careless proxy (RFC 6455, 10.3).
    """
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    # One XOR of two big integers is some hundred times faster than a loop over bytes.
    return (int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")).to_bytes(
        size, "little"
    )


def encode_frame(
    opcode: Opcode,
    payload: bytes,
    *,
    mask: bytes | None = None,
    fin: bool = True,
    rsv1: bool = False,
) -> bytes:
    """Write one frame; a client gives a fresh random ``mask`` of four bytes for each.

    The head is 2 bytes up to a payload of 125, 4 up to 65,535, else 10; a mask adds 4.
    """
    first = (0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode
    masked = 0 if mask is None else 0x80
    size = len(payload)
    if size <= 125:
        head = bytes((first, masked | size))
    elif size <= 0xFFFF:
        head = bytes((first, masked | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + size.to_bytes(8, "big")
    if mask is None:
        return head + payload
    return head + mask + apply_mask(payload, mask)


class FrameDecoder:
    """Cuts a byte stream into frames and unmasks them.

    ``masked`` says what the peer must do: clients mask, servers do not (RFC 6455, 5.1).
    ``limit`` bounds one frame's payload; ``rsv1`` allows the compression bit.
    ``decode`` raises :class:`~wire.errors.WebSocketError` with the close code to fail with; the
    frames before the fault are in its ``frames`` attribute of the decoder, still to be handled.
    """

    def __init__(self, *, masked: bool, limit: int, rsv1: bool = False) -> None:
        self._masked = masked
        self._limit = limit
        self._rsv1 = rsv1
        self._rest = bytearray()
        self._need = 2  # no use in looking before this many bytes are there
        self.frames: list[Frame] = []

    def decode(self, chunk: bytes) -> list[Frame]:
        """Take what arrived; return the frames that it completed."""
        frames: list[Frame] = []
        self.frames = frames
        rest = self._rest
        rest += chunk
        if len(rest) < self._need:
            return frames
        begin = 0
        while (end := self._read(rest, begin)) > 0:
            begin = end
        del rest[:begin]
        return frames

    def _read(self, data: bytearray, begin: int) -> int:
        """Read the frame at ``begin``; return where it ends, or 0 when it is not all there."""
        there = len(data) - begin
        self._need = 2
        if there < 2:
            return 0
        first, second = data[begin], data[begin + 1]
        opcode = self._check(first, second)
        size = second & 0x7F
        head = 2
        if size >= 126:
            head = 4 if size == 126 else 10
            self._need = head
            if there < head:
                return 0
            size = int.from_bytes(data[begin + 2 : begin + head], "big")
            self._check_size(size, head)
        if size > self._limit:
            raise WebSocketError(CloseCode.TOO_BIG, f"a frame of more than {self._limit} bytes")
        key_at = begin + head
        head += 4 if self._masked else 0
        self._need = head + size
        if there < self._need:
            return 0
        end = begin + self._need
        payload = bytes(data[begin + head : end])
        if self._masked:
            payload = apply_mask(payload, bytes(data[key_at : key_at + 4]))
        self._need = 2
        self.frames.append(Frame(opcode, payload, bool(first & 0x80), bool(first & 0x40)))
        return end

    def _check(self, first: int, second: int) -> Opcode:
        if first & 0x30 or (first & 0x40 and not self._rsv1):
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a reserved bit is set")
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR, f"opcode {first & 0x0F} is reserved"
            ) from None
        if bool(second & 0x80) is not self._masked:
            raise WebSocketError(
                CloseCode.PROTOCOL_ERROR,
                "a client must mask its frames" if self._masked else "a server must not mask",
            )
        if opcode >= Opcode.CLOSE:
            if not first & 0x80:
                raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a fragmented control frame")
            if first & 0x40:
                raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a compressed control frame")
            if second & 0x7F > 125:
                raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a control frame over 125 bytes")
        return opcode

    @staticmethod
    def _check_size(size: int, head: int) -> None:
        if size < (126 if head == 4 else 0x10000):
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a length not in its shortest form")
        if size >> 63:
            raise WebSocketError(CloseCode.PROTOCOL_ERROR, "a length of more than 63 bits")

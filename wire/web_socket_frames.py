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
    """The close codes that this suite sends or tells apart (RFC 6455, 7.4.1)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNACCEPTABLE_DATA = 1003
    NO_STATUS = 1005  # never on the wire: the peer's Close had no code
    ABNORMAL = 1006  # never on the wire: the connection ended without a Close
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009
    EXTENSION_NEEDED = 1010
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
    mask = key * (size // 4) + key[: size % 4]
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
    if len(mask) != 4:
        raise ValueError(f"a mask has four bytes, not {len(mask)}")
    return head + mask + apply_mask(payload, mask)


# What a first byte may be: FIN, RSV1 and an opcode. What is not here has a fault of its own.
_FIRST_BYTES = {
    fin << 7 | rsv1 << 6 | opcode: (opcode, fin, rsv1)
    for opcode in Opcode
    for fin in (False, True)
    for rsv1 in (False, True)
    if opcode < Opcode.CLOSE or (fin and not rsv1)
}
_PLAIN_FIRST_BYTES = {byte: kind for byte, kind in _FIRST_BYTES.items() if not byte & 0x40}


class FrameDecoder:
    """Cuts a byte stream into frames and unmasks them.

    ``masked`` says what the peer must do: clients mask, servers do not (RFC 6455, 5.1).
    ``limit`` bounds one frame's payload; ``rsv1`` allows the compression bit.
    ``decode`` raises :class:`~wire.errors.WebSocketError` with the close code to fail with; the
    frames before the fault are in its ``frames`` attribute of the decoder, still to be handled.
    """

    def __init__(self, *, masked: bool, limit: int, rsv1: bool = False) -> None:
        self._mask_bit = 0x80 if masked else 0
        self._limit = limit
        self._kinds = _FIRST_BYTES if rsv1 else _PLAIN_FIRST_BYTES
        self._rest = bytearray()
        self._need = 2  # no use in looking before this many bytes are there
        self.frames: list[Frame] = []

    @property
    def waiting(self) -> int:
        """How many bytes of an unfinished frame are held."""
        return len(self._rest)

    def decode(self, chunk: bytes) -> list[Frame]:
        """Take what arrived; return the frames that it completed."""
        frames: list[Frame] = []
        self.frames = frames
        if self._rest:
            self._rest += chunk
            if len(self._rest) < self._need:
                return frames
            chunk = bytes(self._rest)
            self._rest.clear()
        begin = 0
        while (end := self._read(chunk, begin)) > 0:
            begin = end
        if begin < len(chunk):
            self._rest += chunk[begin:]
        return frames

    def _read(self, data: bytes, begin: int) -> int:
        """Read the frame at ``begin`` and return where it ends, or 0 if it is not all there.

        Its head, as RFC 6455, 5.2 draws it::

             0 1 2 3 4 5 6 7   0   1 2 3 4 5 6 7
            +-+-+-+-+-------+ +-+---------------+ +-----------------+ +---------+
            |F|R|R|R|       | |M|               | | length in 2     | | mask of |
            |I|S|S|S| opcode| |A| length, or 126| | bytes after 126,| | 4 bytes | payload
            |N|V|V|V|       | |S| or 127        | | in 8 after 127, | | if MASK |
            | |1|2|3|       | |K|               | | else in none    | | is set  |
            +-+-+-+-+-------+ +-+---------------+ +-----------------+ +---------+
              first byte         second byte        big-endian
        """
        there = len(data) - begin
        if there < 2:
            self._need = 2
            return 0
        kind = self._kinds.get(data[begin])
        if kind is None:
            raise self._fault(data[begin])
        size = data[begin + 1] ^ self._mask_bit  # over 127 if the mask bit is not as it must be
        at = begin + 2
        if size > 125:
            length = self._long_length(size, kind[0])
            at += length
            if there < 2 + length:
                self._need = 2 + length
                return 0
            size = int.from_bytes(data[at - length : at], "big")
            if size < (126 if length == 2 else 0x10000):
                raise _violation("a length not in its shortest form")
            if size >> 63:
                raise _violation("a length of more than 63 bits")
        if size > self._limit:
            raise WebSocketError(CloseCode.TOO_BIG, f"a frame of more than {self._limit} bytes")
        if self._mask_bit:
            at += 4
        end = at + size
        if len(data) < end:
            self._need = end - begin
            return 0
        payload = data[at:end]
        if self._mask_bit:
            payload = apply_mask(payload, data[at - 4 : at])
        opcode, fin, rsv1 = kind
        self.frames.append(Frame(opcode, payload, fin, rsv1))
        return end

    def _long_length(self, size: int, opcode: Opcode) -> int:
        """Return in how many bytes the length follows, for a second byte that says so."""
        if size > 127:
            raise _violation(
                "a client must mask its frames" if self._mask_bit else "a server must not mask"
            )
        if opcode >= Opcode.CLOSE:
            raise _violation("a control frame over 125 bytes")
        return 2 if size == 126 else 8

    def _fault(self, first: int) -> WebSocketError:
        opcode = first & 0x0F
        if first & 0x30 or (first & 0x40 and self._kinds is _PLAIN_FIRST_BYTES):
            return _violation("a reserved bit is set")
        if 3 <= opcode <= 7 or opcode > 10:
            return _violation(f"opcode {opcode} is reserved")
        if not first & 0x80:
            return _violation("a fragmented control frame")
        return _violation("a compressed control frame")


def _violation(reason: str) -> WebSocketError:
    return WebSocketError(CloseCode.PROTOCOL_ERROR, reason)

"""Capture files that Wireshark opens: pcapng, one interface, packets that begin with their IP head.

After a section header and a description of the interface comes a block for each packet
(draft-ietf-opsawg-pcapng, 4.1 to 4.3). All numbers are little-endian, times are ns since 1970.
A packet may be kept in part: its true length stands beside what was kept.
"""

import struct
from dataclasses import dataclass
from typing import Final

from wire.errors import CaptureError

_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_PACKET: Final = 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_RAW_IP: Final = 101  # the link type of packets without a head of the link
_APPLICATION, _NAME, _RESOLUTION = 4, 2, 9  # options
_BLOCK: Final = struct.Struct("<II")
_ENDING: Final = struct.Struct("<I")
_PACKET_HEAD: Final = struct.Struct("<IIIII")
_LEAST: Final = 12  # bytes of a block
_LONGEST: Final = 2**20


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: when it passed (ns since 1970), what was kept of it, and its true length."""

    time_ns: int
    data: bytes
    length: int


def encode_start(interface: str) -> bytes:
    """Write what a file begins with; ``interface`` says in words where packets were seen."""
    section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1) + _option(_APPLICATION, b"Duplex")
    described = struct.pack("<HHI", _RAW_IP, 0, 0)  # no limit for packets
    described += _option(_NAME, interface.encode()) + _option(_RESOLUTION, bytes([9]))
    return _block(_SECTION, section + _option(0)) + _block(_INTERFACE, described + _option(0))


def encode_packet(packet: Packet) -> bytes:
    """Write one packet's block."""
    high, low = divmod(packet.time_ns, 2**32)
    head = _PACKET_HEAD.pack(0, high, low, len(packet.data), packet.length)
    return _block(_PACKET, head + _padded(packet.data))


class PcapngDecoder:
    """Reads the packets of such a file again; blocks of other kinds are passed over."""

    def __init__(self) -> None:
        self._buffer = b""

    def decode(self, chunk: bytes) -> list[Packet]:
        """Take what was read; return the packets that became complete.

        Raises :class:`~wire.errors.CaptureError` for what is no block.
        """
        self._buffer += chunk
        packets, at = [], 0
        while len(self._buffer) - at >= _BLOCK.size:
            kind, length = _BLOCK.unpack_from(self._buffer, at)
            if length % 4 or not _LEAST <= length <= _LONGEST:
                raise CaptureError(f"a block of {length} bytes at byte {at}: this is no capture")
            if len(self._buffer) - at < length:
                break
            block = self._buffer[at : at + length]
            if _ENDING.unpack_from(block, length - _ENDING.size)[0] != length:
                raise CaptureError("a block says two lengths")
            if kind == _PACKET:
                packets.append(_decode_packet(block))
            at += length
        self._buffer = self._buffer[at:]
        return packets


def _decode_packet(block: bytes) -> Packet:
    begin = _BLOCK.size + _PACKET_HEAD.size
    if len(block) < begin + _ENDING.size:
        raise CaptureError("a packet's block ends in its head")
    _, high, low, kept, length = _PACKET_HEAD.unpack_from(block, _BLOCK.size)
    if kept > len(block) - begin - _ENDING.size:
        raise CaptureError("a packet is longer than its block")
    return Packet(high * 2**32 + low, block[begin : begin + kept], length)


def _block(kind: int, body: bytes) -> bytes:
    length = _BLOCK.size + len(body) + _ENDING.size
    return _BLOCK.pack(kind, length) + body + _ENDING.pack(length)


def _option(code: int, value: bytes = b"") -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

"""TCP segments in IP packets, as a line would carry them (RFC 9293, 3.1; RFC 791; RFC 8200).

For captures of what only a relay saw: bytes and when they passed. Each packet gets the heads that
a present system would write: timestamps on all (RFC 7323, 3.2), the largest segment and the
window's scale on the first. So a head has 52 bytes over IPv4, which is what the models price.
"""

import struct
from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

TCP_HEAD: Final = 32  # bytes, with timestamps
LARGEST_SEGMENT: Final = 1460  # bytes that a side says it takes: a packet on Ethernet less heads
SEGMENT: Final = LARGEST_SEGMENT - 12  # bytes of data beside the timestamps
_SCALE: Final = 7
_WINDOW: Final = 0xFFFF  # times 2 ** _SCALE, when it is open wide
_TCP: Final = 6
_HOPS: Final = 64


class Flag(IntFlag):
    """What a segment is for."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment from ``source`` to ``target``, each an IP address and a port.

    ``sequence`` and ``acknowledged`` are taken modulo 2**32; ``data`` may be less than the
    ``length`` that it has, where no more was kept. ``clock`` and ``echo`` are the timestamps in
    ms: its own and the latest of the other side.
    """

    source: tuple[str, int]
    target: tuple[str, int]
    flags: Flag
    sequence: int
    acknowledged: int
    clock: int
    echo: int
    data: bytes = b""
    length: int = 0


def encode_segment(segment: Segment, identity: int = 0) -> bytes:
    """Write the packet of a segment, with right checksums where all of it is known.

    ``identity`` numbers IPv4 packets. Raises :class:`ValueError` for addresses that are no two of
    one kind.
    """
    source, target = ip_address(segment.source[0]), ip_address(segment.target[0])
    options = struct.pack(">BBBBII", 1, 1, 8, 10, segment.clock % 2**32, segment.echo % 2**32)
    if segment.flags & Flag.SYN:
        options = struct.pack(">BBHBBBB", 2, 4, LARGEST_SEGMENT, 3, 3, _SCALE, 1) + options
    head_bytes = 20 + len(options)
    head = struct.pack(
        ">HHIIBBHHH",
        segment.source[1],
        segment.target[1],
        segment.sequence % 2**32,
        segment.acknowledged % 2**32,
        head_bytes // 4 << 4,
        segment.flags,
        _WINDOW,
        0,
        0,
    )
    size = head_bytes + segment.length
    pseudo = source.packed + target.packed + struct.pack(">II", size, _TCP)
    checksum = _checksum(pseudo + head + options + segment.data)
    tcp = head[:16] + struct.pack(">HH", checksum, 0) + options + segment.data
    if isinstance(source, IPv4Address) and isinstance(target, IPv4Address):
        return _ipv4(source, target, size, identity) + tcp
    if isinstance(source, IPv6Address) and isinstance(target, IPv6Address):
        return struct.pack(">IHBB", 6 << 28, size, _TCP, _HOPS) + pseudo[:32] + tcp
    raise ValueError(f"{source} and {target} are not addresses of one kind")


def _ipv4(source: IPv4Address, target: IPv4Address, size: int, identity: int) -> bytes:
    words = (0x45, 0, 20 + size, identity % 2**16, 0x4000, _HOPS, _TCP)  # and: do not cut it
    head = struct.pack(">BBHHHBB", *words)
    ends = source.packed + target.packed
    return head + struct.pack(">H", _checksum(head + b"\0\0" + ends)) + ends


def _checksum(data: bytes) -> int:
    """The sum of all 16-bit words in ones' complement, inverted (RFC 1071)."""
    words = struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2))
    total: int = sum(words)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF

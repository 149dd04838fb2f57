import struct
from dataclasses import replace

import pytest

from wire.tcp_packets import LARGEST_SEGMENT, SEGMENT, TCP_HEAD, Flag, Segment, encode_segment

FLAGS = Flag.ACK | Flag.PSH
HELLO = Segment(
    ("192.0.2.1", 40000), ("192.0.2.2", 80), FLAGS, 2**32 + 7, 9, 1000, 2000, b"hello", 5
)


def total(data: bytes) -> int:
    """The sum that is 0xFFFF over what holds its own right checksum (RFC 1071)."""
    words = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    return words % 0xFFFF or 0xFFFF


def test_a_segment_is_written_field_by_field() -> None:
    packet = encode_segment(HELLO, identity=3)
    assert len(packet) == 20 + TCP_HEAD + 5 == 52 + 5
    assert packet[:10].hex() == "45000039000340004006"
    assert packet[12:20] == bytes([192, 0, 2, 1, 192, 0, 2, 2])
    source, target, sequence, acknowledged, offset, flags = struct.unpack_from(
        ">HHIIBB", packet, 20
    )
    assert (source, target, sequence, acknowledged) == (40000, 80, 7, 9)
    assert (offset >> 4) * 4 == TCP_HEAD
    assert flags == FLAGS
    assert packet[40:52] == struct.pack(">BBBBII", 1, 1, 8, 10, 1000, 2000)
    assert packet[52:] == b"hello"


def test_its_checksums_are_right() -> None:
    for data in (b"", b"odd", b"even"):
        packet = encode_segment(replace(HELLO, data=data, length=len(data)))
        assert total(packet[:20]) == 0xFFFF
        pseudo = packet[12:20] + struct.pack(">HH", 6, len(packet) - 20)
        assert total(pseudo + packet[20:]) == 0xFFFF


def test_the_first_of_a_side_says_what_it_takes() -> None:
    packet = encode_segment(replace(HELLO, flags=Flag.SYN, data=b"", length=0))
    assert packet[40:44] == struct.pack(">BBH", 2, 4, LARGEST_SEGMENT)
    assert packet[44:47] == bytes([3, 3, 7])
    assert len(packet) == 20 + 40
    assert SEGMENT + TCP_HEAD == LARGEST_SEGMENT + 20


def test_what_was_not_kept_still_counts() -> None:
    packet = encode_segment(replace(HELLO, length=1000))
    assert struct.unpack_from(">H", packet, 2)[0] == 52 + 1000
    assert packet.endswith(b"hello")


def test_six_is_an_ip_too_and_the_two_do_not_mix() -> None:
    packet = encode_segment(replace(HELLO, source=("::1", 1), target=("::1", 2)))
    assert packet[:8].hex() == "6000000000250640"
    assert total(packet[8:40] + struct.pack(">II", 37, 6) + packet[40:]) == 0xFFFF
    with pytest.raises(ValueError, match="not addresses of one kind"):
        encode_segment(replace(HELLO, target=("::1", 2)))

import struct

import pytest

from tests.wire.feeding import check_golden
from wire.errors import CaptureError
from wire.pcapng import Packet, PcapngDecoder, encode_packet, encode_start

PACKETS = [
    Packet(1_700_000_000_123_456_789, b"\x45whole", 6),
    Packet(0, b"", 0),
    Packet(2**63, b"a part", 1500),
]
FILE = encode_start("here") + b"".join(map(encode_packet, PACKETS))


def test_what_was_written_is_read_however_it_is_cut() -> None:
    check_golden(PcapngDecoder, FILE, PACKETS)


def test_the_bytes_are_those_of_the_specification() -> None:
    # draft-ietf-opsawg-pcapng, 4.1: type, length, byte order, version 1.0, a section of any length.
    assert FILE[:4].hex() == "0a0d0d0a"
    assert FILE[8:24].hex() == "4d3c2b1a" + "01000000" + "ff" * 8
    section = struct.unpack_from("<I", FILE, 4)[0]
    # 4.2: type 1, then link type 101: packets begin with their IP head.
    assert FILE[section : section + 4].hex() == "01000000"
    assert FILE[section + 8 : section + 12].hex() == "65000000"
    # 4.3: type 6, length, interface 0, time, kept, length, data, padding, length again.
    first = encode_packet(Packet(2**32 + 2, b"abc", 4))
    assert first.hex() == (
        "060000002400000000000000010000000200000003000000040000006162630024000000"
    )


@pytest.mark.parametrize(
    "broken",
    [
        b"not a capture file at all",
        FILE[:4] + struct.pack("<I", 2**31) + FILE[8:],
        encode_packet(PACKETS[0])[:-4] + b"\xff\0\0\0",
        struct.pack("<IIII", 6, 16, 0, 16),
        struct.pack("<IIIIIIII", 6, 36, 0, 0, 0, 9999, 0, 0) + struct.pack("<I", 36),
    ],
)
def test_what_is_no_capture_is_refused_with_words(broken: bytes) -> None:
    with pytest.raises(CaptureError):
        PcapngDecoder().decode(broken)

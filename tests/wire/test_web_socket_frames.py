import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded, outcome, ways
from wire.errors import WebSocketError
from wire.web_socket_frames import CloseCode, Frame, FrameDecoder, Opcode, apply_mask, encode_frame

KEY = bytes.fromhex("37fa213d")
LIMIT = 2**20


def server_side(limit: int = LIMIT) -> FrameDecoder:
    return FrameDecoder(masked=True, limit=limit)


def client_side(limit: int = LIMIT) -> FrameDecoder:
    return FrameDecoder(masked=False, limit=limit)


# The examples of RFC 6455, 5.7.
UNMASKED = [
    pytest.param(Frame(Opcode.TEXT, b"Hello"), "8105 48656c6c6f", id="text"),
    pytest.param(Frame(Opcode.TEXT, b"Hel", fin=False), "0103 48656c", id="first fragment"),
    pytest.param(Frame(Opcode.CONTINUATION, b"lo"), "8002 6c6f", id="last fragment"),
    pytest.param(Frame(Opcode.PING, b"Hello"), "8905 48656c6c6f", id="ping"),
    pytest.param(Frame(Opcode.BINARY, b"x" * 256), "827e0100" + "78" * 256, id="256 bytes"),
]
MASKED = [
    pytest.param(Frame(Opcode.TEXT, b"Hello"), "8185 37fa213d 7f9f4d5158", id="text"),
    pytest.param(Frame(Opcode.PONG, b"Hello"), "8a85 37fa213d 7f9f4d5158", id="pong"),
    pytest.param(Frame(Opcode.CLOSE, b""), "8880 37fa213d", id="nothing to mask"),
]


@pytest.mark.parametrize(("frame", "data"), UNMASKED)
def test_examples_of_the_rfc_from_a_server_both_ways(frame: Frame, data: str) -> None:
    stream = bytes.fromhex(data)
    assert encode_frame(frame.opcode, frame.payload, fin=frame.fin) == stream
    check_golden(client_side, stream, [frame])
    check_golden(client_side, stream + b"\x81\x7e\x01", [frame])


@pytest.mark.parametrize(("frame", "data"), MASKED)
def test_examples_of_the_rfc_from_a_client_both_ways(frame: Frame, data: str) -> None:
    stream = bytes.fromhex(data)
    assert encode_frame(frame.opcode, frame.payload, mask=KEY) == stream
    check_golden(server_side, stream, [frame])
    check_golden(server_side, stream + stream[:-1], [frame])


def test_the_64_kib_example_of_the_rfc() -> None:
    stream = bytes.fromhex("827f0000000000010000") + bytes(65536)
    assert encode_frame(Opcode.BINARY, bytes(65536)) == stream
    assert client_side().decode(stream) == [Frame(Opcode.BINARY, bytes(65536))]


@pytest.mark.parametrize(
    ("size", "head"), [(0, 2), (73, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)]
)
def test_a_head_has_2_4_or_10_bytes_down_and_6_8_or_14_up(size: int, head: int) -> None:
    payload = bytes(size)
    assert len(encode_frame(Opcode.BINARY, payload)) == head + size
    assert len(encode_frame(Opcode.BINARY, payload, mask=KEY)) == head + 4 + size
    down, up = client_side(), server_side()
    assert down.decode(encode_frame(Opcode.BINARY, payload)) == [Frame(Opcode.BINARY, payload)]
    masked = encode_frame(Opcode.BINARY, payload, mask=KEY)
    assert decoded(up, [masked[:3], masked[3:9], masked[9:]]) == [Frame(Opcode.BINARY, payload)]


def test_the_compression_bit_both_ways() -> None:
    data = encode_frame(Opcode.TEXT, b"abc", rsv1=True)
    assert data == b"\xc1\x03abc"
    frames = FrameDecoder(masked=False, limit=9, rsv1=True).decode(data)
    assert frames == [Frame(Opcode.TEXT, b"abc", rsv1=True)]


FRAMES = st.builds(Frame, st.sampled_from(Opcode), st.binary(max_size=300))


@given(
    st.lists(FRAMES.filter(lambda frame: len(frame.payload) <= 125 or frame.opcode < 8)),
    st.binary(min_size=4, max_size=4) | st.none(),
    st.data(),
)
def test_round_trip_however_the_stream_is_cut(
    frames: list[Frame], mask: bytes | None, data: st.DataObject
) -> None:
    stream = b"".join(encode_frame(f.opcode, f.payload, mask=mask) for f in frames)
    decoder = FrameDecoder(masked=mask is not None, limit=LIMIT)
    assert decoded(decoder, data.draw(cuts(stream))) == frames


@given(st.binary(max_size=100), st.binary(min_size=4, max_size=4))
def test_masking_is_xor_with_the_key_repeated_and_undoes_itself(payload: bytes, key: bytes) -> None:
    masked = apply_mask(payload, key)
    assert masked == bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    assert apply_mask(masked, key) == payload


# What must be refused: all of it 1002, and at once, though the payload has not come yet.

VIOLATIONS = [
    pytest.param("8105", "a client must mask", id="unmasked"),
    pytest.param("817e", "a client must mask", id="unmasked, longer"),
    pytest.param("817f", "a client must mask", id="unmasked, longest"),
    pytest.param("0980", "a fragmented control frame", id="fragmented ping"),
    pytest.param("0880", "a fragmented control frame", id="fragmented close"),
    pytest.param("89fe", "a control frame over 125", id="ping of more than 125"),
    pytest.param("88ff", "a control frame over 125", id="close of more than 125"),
    *[
        pytest.param(f"8{n:x}80", f"opcode {n} is reserved", id=f"opcode {n}")
        for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    ],
    *[
        pytest.param(f"{bits | 1:02x}80", "a reserved bit", id=f"bits {bits:02x}")
        for bits in (0xC0, 0xA0, 0x90, 0xB0, 0xF0)
    ],
    pytest.param("81fe0000", "not in its shortest form", id="0 in 2 bytes"),
    pytest.param("81fe007d", "not in its shortest form", id="125 in 2 bytes"),
    pytest.param("81ff0000000000000000", "not in its shortest form", id="0 in 8 bytes"),
    pytest.param("81ff000000000000ffff", "not in its shortest form", id="65535 in 8 bytes"),
    pytest.param("81ff8000000000000000", "more than 63 bits", id="64 bits"),
]


@pytest.mark.parametrize(("data", "says"), VIOLATIONS)
def test_a_violation_is_1002_as_soon_as_it_can_be_seen(data: str, says: str) -> None:
    stream = bytes.fromhex(data)
    for chunks in ways(stream):
        decoder = server_side()
        with pytest.raises(WebSocketError, match=says) as caught:
            decoded(decoder, chunks)
        assert caught.value.code == CloseCode.PROTOCOL_ERROR
        assert decoder.frames == []
    assert server_side().decode(stream[:-1]) == []  # its last byte is what gives it away


def test_a_server_that_masks_is_refused_with_1002() -> None:
    with pytest.raises(WebSocketError, match="a server must not mask") as caught:
        client_side().decode(b"\x81\x80")
    assert caught.value.code == 1002


def test_the_compression_bit_is_reserved_unless_agreed_on_and_never_for_control_frames() -> None:
    with pytest.raises(WebSocketError, match="1002: a reserved bit"):
        client_side().decode(b"\xc1\x00")
    with pytest.raises(WebSocketError, match="1002: a compressed control frame"):
        FrameDecoder(masked=False, limit=9, rsv1=True).decode(b"\xc9\x00")
    with pytest.raises(WebSocketError, match="1002: a reserved bit"):
        FrameDecoder(masked=False, limit=9, rsv1=True).decode(b"\xe1\x00")


@pytest.mark.parametrize("size", [101, 126, 65_536, 2**40, 2**63 - 1])
def test_too_big_is_1009_before_the_payload_arrives(size: int) -> None:
    data = encode_frame(Opcode.BINARY, b"")[:1]
    if size <= 125:
        data += bytes((size,))
    else:
        data += (
            b"\x7e" + size.to_bytes(2, "big") if size < 2**16 else b"\x7f" + size.to_bytes(8, "big")
        )
    with pytest.raises(WebSocketError, match="a frame of more than 100 bytes") as caught:
        client_side(limit=100).decode(data)
    assert caught.value.code == CloseCode.TOO_BIG


def test_a_frame_of_just_the_limit_passes() -> None:
    assert client_side(limit=100).decode(b"\x82\x64" + bytes(100)) == [
        Frame(Opcode.BINARY, bytes(100))
    ]


def test_frames_before_a_fault_are_still_there() -> None:
    decoder = client_side()
    with pytest.raises(WebSocketError):
        decoder.decode(b"\x81\x01a\x89\x00\x83\x00")
    assert decoder.frames == [Frame(Opcode.TEXT, b"a"), Frame(Opcode.PING, b"")]


def test_a_mask_of_another_length_is_the_callers_mistake() -> None:
    for mask in (b"", b"abc", b"abcde"):
        with pytest.raises(ValueError, match="four bytes"):
            encode_frame(Opcode.TEXT, b"abcdef", mask=mask)


@given(st.binary(), st.booleans(), st.booleans(), st.data())
def test_hostile_bytes_give_only_web_socket_errors(
    stream: bytes, masked: bool, rsv1: bool, data: st.DataObject
) -> None:
    decoder = FrameDecoder(masked=masked, limit=50, rsv1=rsv1)
    result = outcome(WebSocketError, decoded, decoder, data.draw(cuts(stream)))
    if isinstance(result, WebSocketError):
        assert result.code in (1002, 1009)
    else:
        assert all(len(frame.payload) <= 50 for frame in result)

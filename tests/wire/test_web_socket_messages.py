import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded, outcome
from wire.errors import WebSocketError
from wire.web_socket_deflate import deflate
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import (
    Binary,
    Close,
    Event,
    MessageDecoder,
    Ping,
    Pong,
    Text,
    encode_close,
)

KEY = b"\x01\x80\xff\x7e"
LIMIT = 2**20


def reader(limit: int = LIMIT) -> MessageDecoder:
    """A client's decoder: what the tests write is easier to read unmasked."""
    return MessageDecoder(masked=False, limit=limit)


def inflating(limit: int = LIMIT) -> MessageDecoder:
    return MessageDecoder(masked=False, limit=limit, deflate=True)


def refusal(decoder: MessageDecoder, *chunks: bytes) -> WebSocketError:
    *before, last = chunks
    for chunk in before:
        decoder.decode(chunk)
    with pytest.raises(WebSocketError) as caught:
        decoder.decode(last)
    return caught.value


GOLDEN = [
    pytest.param("8105 48656c6c6f", [Text("Hello")], id="text"),
    pytest.param("8100", [Text("")], id="empty text"),
    pytest.param("8202 00ff", [Binary(b"\0\xff")], id="binary"),
    pytest.param("0103 48656c 8002 6c6f", [Text("Hello")], id="two fragments"),
    pytest.param("0100 0000 8000", [Text("")], id="empty fragments"),
    pytest.param("0101c3 8001b1", [Text("ñ")], id="a character cut by fragments"),
    pytest.param(
        "0202 6865 8901 70 8003 6c6c6f",
        [Ping(b"p"), Binary(b"hello")],
        id="a ping between fragments comes first",
    ),
    pytest.param("8900 8a01 70", [Ping(b""), Pong(b"p")], id="ping and pong"),
    pytest.param("8800", [Close(1005, "")], id="a close without code"),
    pytest.param("8802 03e8", [Close(1000, "")], id="a close"),
    pytest.param("8805 03e9 c3b1 21", [Close(1001, "ñ!")], id="a close with a reason"),
]


@pytest.mark.parametrize(("data", "events"), GOLDEN)
def test_golden(data: str, events: list[Event]) -> None:
    check_golden(reader, bytes.fromhex(data), events)
    check_golden(reader, bytes.fromhex(data + "81"), events)


def test_a_server_reads_the_same_masked() -> None:
    stream = (
        encode_frame(Opcode.TEXT, b"he", mask=KEY, fin=False)
        + encode_frame(Opcode.PING, b"p", mask=KEY)
        + encode_frame(Opcode.CONTINUATION, b"llo", mask=KEY)
    )
    check_golden(lambda: MessageDecoder(masked=True, limit=9), stream, [Ping(b"p"), Text("hello")])


@given(st.lists(st.text() | st.binary()), st.booleans(), st.integers(1, 50), st.data())
def test_round_trip_fragmented_and_cut_in_any_way(
    bodies: list[str | bytes], masked: bool, size: int, data: st.DataObject
) -> None:
    mask = KEY if masked else None
    stream = b""
    for body in bodies:
        payload = body.encode() if isinstance(body, str) else body
        opcode = Opcode.TEXT if isinstance(body, str) else Opcode.BINARY
        while len(payload) > size:
            stream += encode_frame(opcode, payload[:size], mask=mask, fin=False)
            opcode, payload = Opcode.CONTINUATION, payload[size:]
        stream += encode_frame(opcode, payload, mask=mask)
    expected = [Text(body) if isinstance(body, str) else Binary(body) for body in bodies]
    decoder = MessageDecoder(masked=masked, limit=LIMIT)
    assert decoded(decoder, data.draw(cuts(stream))) == expected


# Fragments


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("8000", "a continuation of nothing"),
        ("0000", "a continuation of nothing"),
        ("8100 8000", "a continuation of nothing"),
        ("0100 8100", "a new message inside a fragmented one"),
        ("0100 0100", "a new message inside a fragmented one"),
        ("0200 8900 8200", "a new message inside a fragmented one"),
        ("0900", "a fragmented control frame"),
    ],
)
def test_fragments_out_of_turn_are_1002(data: str, says: str) -> None:
    error = refusal(reader(), bytes.fromhex(data))
    assert (error.code, error.reason) == (1002, says)


def test_a_fragmented_message_over_the_limit_is_1009() -> None:
    error = refusal(reader(limit=10), b"\x02\x06abcdef", b"\x00\x05ghijk")
    assert (error.code, error.reason) == (1009, "a message of more than 10 bytes")
    fits = reader(limit=10)
    assert fits.decode(b"\x02\x06abcdef\x80\x04ghij") == [Binary(b"abcdefghij")]


def test_empty_fragments_without_end_do_not_pile_up() -> None:
    decoder = reader()
    decoder.decode(b"\x01\x00" + b"\x00\x00" * 10)
    tracemalloc.start()
    try:
        for _ in range(1000):
            decoder.decode(b"\x00\x00" * 10)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert decoder.decode(b"\x80\x01a") == [Text("a")]


def test_small_fragments_cost_little_more_than_their_bytes() -> None:
    decoder = reader()
    decoder.decode(b"\x02\x00")
    tracemalloc.start()
    try:
        for _ in range(1000):
            decoder.decode(b"\x00\x02ab" * 10)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 20_000 * 3
    assert decoder.decode(b"\x80\x00") == [Binary(b"ab" * 10_000)]


# Text


@pytest.mark.parametrize(
    "payload", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"ok \xf0\x9f"]
)
def test_text_that_is_not_utf8_is_1007(payload: bytes) -> None:
    assert refusal(reader(), encode_frame(Opcode.TEXT, payload)).code == 1007
    assert refusal(inflating(), encode_frame(Opcode.TEXT, deflate(payload), rsv1=True)).code == 1007
    whole = encode_frame(Opcode.BINARY, payload)
    assert reader().decode(whole) == [Binary(payload)]


def test_bad_text_fails_with_the_fragment_that_shows_it_not_at_the_end() -> None:
    error = refusal(reader(), b"\x01\x02ok", b"\x00\x02\xf4\x90")
    assert (error.code, error.reason) == (1007, "text that is not UTF-8")


def test_a_character_left_open_fails_with_the_last_fragment() -> None:
    decoder = reader()
    assert decoder.decode(b"\x01\x01\xc3\x00\x00") == []
    assert refusal(decoder, b"\x80\x00").code == 1007


def test_the_state_of_one_text_does_not_leak_into_the_next() -> None:
    stream = b"\x01\x01\xc3\x80\x01\xb1" + b"\x02\x01\xff\x80\x01\xff" + b"\x01\x01a\x80\x01b"
    check_golden(reader, stream, [Text("ñ"), Binary(b"\xff\xff"), Text("ab")])


# Close


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
)
def test_close_codes_that_may_be_sent(code: int) -> None:
    data = encode_close(code, "bye")
    assert data == b"\x88\x05" + code.to_bytes(2, "big") + b"bye"
    check_golden(reader, data, [Close(code, "bye")])


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
)
def test_close_codes_that_may_not_are_1002(code: int) -> None:
    error = refusal(reader(), b"\x88\x02" + code.to_bytes(2, "big"))
    assert (error.code, error.reason) == (1002, f"close code {code} may not be sent")


def test_a_close_with_half_a_code_is_1002_and_with_bad_text_1007() -> None:
    assert refusal(reader(), b"\x88\x01\x03").code == 1002
    assert refusal(reader(), b"\x88\x04\x03\xe8\xc3\x28").code == 1007


def test_no_code_is_an_empty_close() -> None:
    assert encode_close(1005) == b"\x88\x00"
    assert encode_close(1005, mask=KEY) == b"\x88\x80" + KEY


def test_a_close_can_be_masked() -> None:
    decoder = MessageDecoder(masked=True, limit=9)
    assert decoder.decode(encode_close(1000, "bye", mask=KEY)) == [Close(1000, "bye")]


@pytest.mark.parametrize("reason", ["x" * 200, "ñ" * 100, "€" * 100, "a" + "😀" * 50])
def test_a_long_reason_is_cut_between_characters(reason: str) -> None:
    data = encode_close(1011, reason)
    assert len(data) <= 127
    (close,) = reader().decode(data)
    assert isinstance(close, Close)
    assert reason.startswith(close.reason)
    assert len(close.reason.encode()) > 123 - 4


def test_what_follows_a_close_is_thrown_away_be_it_good_or_bad() -> None:
    decoder = reader()
    assert decoder.decode(b"\x88\x00\x81\x01a") == [Close(1005, "")]
    assert decoder.decode(b"\x81\x01a") == []
    assert decoder.decode(b"\xff\xff") == []
    assert reader().decode(b"\x88\x00\xff\xff") == [Close(1005, "")]


# Faults


def test_events_before_a_fault_are_still_there() -> None:
    for fault in (b"\x83\x00", b"\x81\x01\xff", b"\x80\x00", b"\x81\x80"):
        decoder = reader()
        refusal(decoder, b"\x81\x01a\x89\x00" + fault)
        assert decoder.events == [Text("a"), Ping(b"")]


def test_an_error_of_the_message_comes_before_one_of_a_later_frame() -> None:
    assert refusal(reader(), b"\x81\x01\xff" + b"\x83\x00").code == 1007


# Compression


def compressed(payload: bytes, *sizes: int) -> bytes:
    """One message in fragments of so many compressed bytes, and the rest."""
    data = deflate(payload)
    stream, opcode, rsv1 = b"", Opcode.TEXT, True
    for size in sizes:
        stream += encode_frame(opcode, data[:size], fin=False, rsv1=rsv1)
        data, opcode, rsv1 = data[size:], Opcode.CONTINUATION, False
    return stream + encode_frame(opcode, data, rsv1=rsv1)


# The examples of RFC 7692, 7.2.3, but the one that needs context takeover.
@pytest.mark.parametrize(
    "data",
    [
        "c107 f248cdc9c90700",
        "4103 f248cd 8004 c9c90700",
        "c10b 000500faff48656c6c6f00",
        "c108 f348cdc9c9070000",
        "c10d f248050000 00ffffcac9c90700",
    ],
    ids=["one frame", "two fragments", "not compressed", "a last block", "two blocks"],
)
def test_compressed_examples_of_the_rfc(data: str) -> None:
    check_golden(inflating, bytes.fromhex(data) * 2, [Text("Hello")] * 2)


@given(st.text(), st.lists(st.integers(0, 10), max_size=4))
def test_compressed_fragments_round_trip(text: str, sizes: list[int]) -> None:
    assert inflating().decode(compressed(text.encode(), *sizes)) == [Text(text)]


def test_compressed_and_plain_messages_and_a_ping_may_mix() -> None:
    stream = compressed(b"one") + b"\x81\x03two" + compressed(b"three", 2)[:4]
    rest = compressed(b"three", 2)[4:]
    check_golden(
        inflating,
        stream + b"\x89\x00" + rest + b"\x82\x01\xff",
        [Text("one"), Text("two"), Ping(b""), Text("three"), Binary(b"\xff")],
    )


def test_the_compression_bit_on_a_continuation_is_1002() -> None:
    error = refusal(inflating(), b"\x41\x01\xf2", b"\xc0\x01\x00")
    assert (error.code, error.reason) == (
        1002,
        "the compression bit belongs to the first frame only",
    )


def test_without_compression_agreed_its_bit_is_1002() -> None:
    assert refusal(reader(), compressed(b"hola")).code == 1002


def test_a_bomb_is_1009() -> None:
    bomb = deflate(bytes(50 * 2**20))
    assert len(bomb) < 60_000
    tracemalloc.start()
    try:
        error = refusal(inflating(limit=2**20), encode_frame(Opcode.BINARY, bomb, rsv1=True))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.code == 1009
    assert peak < 8 * 2**20  # and is never inflated to its end


def test_the_limit_holds_after_decompression() -> None:
    assert inflating(limit=100).decode(compressed(b"a" * 100)) == [Text("a" * 100)]
    assert refusal(inflating(limit=100), compressed(b"a" * 101)).code == 1009


STREAMS = st.lists(
    st.builds(
        encode_frame,
        st.sampled_from(Opcode),
        st.binary(max_size=60),
        fin=st.booleans(),
        rsv1=st.booleans(),
    )
    | st.binary(max_size=20)
).map(b"".join)


@given(STREAMS, st.data())
def test_hostile_bytes_give_only_web_socket_errors(stream: bytes, data: st.DataObject) -> None:
    decoder = inflating(limit=50)
    result = outcome(WebSocketError, decoded, decoder, data.draw(cuts(stream)))
    assert not isinstance(result, WebSocketError) or result.code in (1002, 1007, 1009)

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded, ways
from wire.errors import MessageError
from wire.line_stream import HEARTBEAT, LineStreamDecoder, encode_line
from wire.message import Gap, Message, encode_gap, encode_message

MESSAGE = Message(1, "ana", 1, 2, "hola")
LINE = b'{"id":1,"sender":"ana","sent_ns":1,"published_ns":2,"text":"hola"}\n'
GAP = b'{"gap":true,"cursor":"a1-0"}\n'


def test_golden_both_ways() -> None:
    assert encode_line(encode_message(MESSAGE)) == LINE
    assert encode_line(encode_gap(Gap("a1-0"))) == GAP
    check_golden(LineStreamDecoder, LINE, [MESSAGE])


def test_a_whole_stream_however_it_is_cut() -> None:
    stream = HEARTBEAT + GAP + LINE + HEARTBEAT + HEARTBEAT + LINE[:-1]
    check_golden(LineStreamDecoder, stream, [Gap("a1-0"), MESSAGE])


def test_a_carriage_return_is_white_space() -> None:
    check_golden(LineStreamDecoder, b"\r\n" + LINE[:-1] + b"\r\n \r\n", [MESSAGE])


@given(st.lists(st.text() | st.binary(), max_size=4), st.data())
def test_round_trip(bodies: list[str | bytes], data: st.DataObject) -> None:
    messages = [Message(i, "a\nb\u2028", 1, 2, body) for i, body in enumerate(bodies)]
    stream = HEARTBEAT.join(encode_line(encode_message(m)) for m in messages)
    assert decoded(LineStreamDecoder(), data.draw(cuts(stream))) == messages


def test_a_line_feed_in_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="one line"):
        encode_line(b'{"id":1,\n"sender":""}')


@pytest.mark.parametrize("line", [b"hola", b"1", b"[]", b"{}", b"{", b'{"id":1}', b"\xff", b"\0"])
def test_a_line_that_is_no_message(line: bytes) -> None:
    with pytest.raises(MessageError):
        LineStreamDecoder().decode(line + b"\n")


@pytest.mark.parametrize("line", [b"x" * 101, b"x" * 101 + b"\n", LINE * 2 + b" " * 101])
def test_a_line_over_the_limit_is_refused_ended_or_not(line: bytes) -> None:
    for chunks in ways(line):
        with pytest.raises(MessageError, match="more than 100 bytes"):
            decoded(LineStreamDecoder(limit=100), chunks)


@given(st.lists(st.sampled_from([LINE, GAP, b"\n", b"\r\n", b"{}", b"{"]) | st.binary(max_size=5)))
def test_hostile_bytes_give_only_message_errors(parts: list[bytes]) -> None:
    with contextlib.suppress(MessageError):
        decoded(LineStreamDecoder(), parts)

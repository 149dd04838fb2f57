import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import check_golden, cuts, decoded, ways
from wire.errors import MessageError
from wire.json_lines import POLICY_REQUEST, JsonLinesDecoder, encode_line, encode_policy
from wire.message import Message, decode_message, encode_message


def test_golden_both_ways() -> None:
    assert encode_line(b'{"text":"hola"}') == b'{"text":"hola"}\0'
    check_golden(JsonLinesDecoder, b'{"text":"hola"}\0', [b'{"text":"hola"}'])


def test_several_lines_an_empty_one_and_a_line_still_to_come() -> None:
    check_golden(JsonLinesDecoder, b"ab\0\0c\0unfini", [b"ab", b"", b"c"])


def test_line_feeds_are_no_line_ends_here() -> None:
    check_golden(JsonLinesDecoder, b"a\nb\r\n\0", [b"a\nb\r\n"])


@given(st.lists(st.text() | st.binary(), max_size=4), st.data())
def test_round_trip_of_any_message(bodies: list[str | bytes], data: st.DataObject) -> None:
    messages = [Message(i, "a\0b", 1, 2, body) for i, body in enumerate(bodies)]
    stream = b"".join(encode_line(encode_message(m)) for m in messages)
    lines = decoded(JsonLinesDecoder(), data.draw(cuts(stream)))
    assert [decode_message(line) for line in lines] == messages


def test_a_policy_request_is_a_line_like_others() -> None:
    check_golden(JsonLinesDecoder, b"<policy-file-request/>\0", [POLICY_REQUEST])


def test_the_policy_names_domain_and_port() -> None:
    assert encode_policy(8001) == (
        b'<?xml version="1.0"?><cross-domain-policy>'
        b'<allow-access-from domain="*" to-ports="8001"/></cross-domain-policy>\0'
    )
    (rule,) = ElementTree.fromstring(encode_policy(8001, "a.example").rstrip(b"\0"))
    assert rule.attrib == {"domain": "a.example", "to-ports": "8001"}


@pytest.mark.parametrize("data", [b"x" * 11, b"x" * 11 + b"\0", b"a\0" + b"x" * 11, b"x" * 1000])
def test_a_line_over_the_limit_is_refused_ended_or_not(data: bytes) -> None:
    for chunks in ways(data):
        with pytest.raises(MessageError, match="more than 10 bytes"):
            decoded(JsonLinesDecoder(limit=10), chunks)


def test_a_line_of_just_the_limit_passes() -> None:
    check_golden(lambda: JsonLinesDecoder(limit=10), b"x" * 10 + b"\0" + b"y" * 10, [b"x" * 10])


@given(st.binary(), st.data())
def test_hostile_bytes_are_only_cut(stream: bytes, data: st.DataObject) -> None:
    lines = decoded(JsonLinesDecoder(), data.draw(cuts(stream)))
    assert lines == stream.split(b"\0")[:-1]

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import MessageError
from wire.message import (
    Gap,
    Message,
    body_from,
    decode_binary_message,
    decode_message,
    dump_json,
    encode_binary_message,
    encode_gap,
    encode_message,
    load_json,
    message_from,
)

HEAD = b'{"id":17,"sender":"ana","sent_ns":1,"published_ns":2'
FIELDS = {"id": 17, "sender": "ana", "sent_ns": 1, "published_ns": 2, "text": "hola"}
MESSAGES = [
    pytest.param(Message(17, "ana", 1, 2, "hola"), HEAD + b',"text":"hola"}', id="text"),
    pytest.param(Message(17, "ana", 1, 2, ""), HEAD + b',"text":""}', id="empty text"),
    pytest.param(Message(17, "ana", 1, 2, b""), HEAD + b',"base64":""}', id="no bytes"),
    pytest.param(Message(17, "ana", 1, 2, b"\0\xff~"), HEAD + b',"base64":"AP9+"}', id="bytes"),
    pytest.param(Message(17, "ana", 1, 2, "ñ €😀"), HEAD + ',"text":"ñ €😀"}'.encode(), id="UTF-8"),
    pytest.param(
        Message(17, "ana", 1, 2, 'a"\\\n\0/'), HEAD + rb',"text":"a\"\\\n\u0000/"}', id="escapes"
    ),
    pytest.param(
        Message(17, "ana", 1, 2, "sse", presence="joined"),
        HEAD + b',"text":"sse","presence":"joined"}',
        id="presence",
    ),
    pytest.param(
        Message(2**63 - 1, "", 2**63 - 1, 0, ""),
        b'{"id":9223372036854775807,"sender":"","sent_ns":9223372036854775807,'
        b'"published_ns":0,"text":""}',
        id="largest integers",
    ),
]
NATURALS = st.integers(0, 2**63 - 1)
# Any text, lone surrogates too: st.text() leaves those out by itself.
TEXTS = st.text(st.characters(exclude_categories=()))
BODIES = TEXTS | st.binary()


@pytest.mark.parametrize(("message", "data"), MESSAGES)
def test_golden_both_ways(message: Message, data: bytes) -> None:
    assert encode_message(message) == data
    assert decode_message(data) == message
    assert decode_message(data.decode()) == message


@given(st.builds(Message, NATURALS, TEXTS, NATURALS, NATURALS, BODIES, TEXTS))
def test_round_trip(message: Message) -> None:
    data = encode_message(message)
    assert decode_message(data) == message
    assert json.loads(data)["id"] == message.id


@given(BODIES)
def test_the_json_is_one_line_that_nothing_can_take_for_its_end(body: str | bytes) -> None:
    data = encode_message(Message(1, "ana", 1, 1, body))
    for end in (b"<", b"\n", b"\r", b"\0", "\u2028".encode(), "\u2029".encode()):
        assert end not in data


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<", rb'"\u003c"'),
        ("\u2028", rb'"\u2028"'),
        ("\u2029", rb'"\u2029"'),
        ("</script><!-- \u2028\u2029", rb'"\u003c/script>\u003c!-- \u2028\u2029"'),
    ],
)
def test_three_more_escapes_than_json_asks_for(text: str, written: bytes) -> None:
    assert dump_json(text) == written
    assert json.loads(written) == text


def test_a_lone_surrogate_travels_as_an_escape() -> None:
    assert dump_json("a\ud800<é") == '"a\\ud800\\u003cé"'.encode()
    message = Message(1, "\udfff", 1, 1, "\ud800")
    assert decode_message(encode_message(message)) == message


def test_a_gap_both_ways() -> None:
    data = b'{"gap":true,"cursor":"a1-0"}'
    assert encode_gap(Gap("a1-0")) == data
    assert decode_message(data) == Gap("a1-0")


@pytest.mark.parametrize("data", [b'{"gap":true}', b'{"gap":true,"cursor":7}'])
def test_a_gap_needs_a_cursor(data: bytes) -> None:
    with pytest.raises(MessageError, match="cursor"):
        decode_message(data)


def test_bytes_in_a_binary_frame_golden_both_ways() -> None:
    message = Message(17, "ana", 1, 2, b"\n\0\xff")
    assert encode_binary_message(message) == HEAD + b"}\n\n\0\xff"
    assert decode_binary_message(HEAD + b"}\n\n\0\xff") == message


@given(st.builds(Message, NATURALS, TEXTS, NATURALS, NATURALS, st.binary()))
def test_bytes_in_a_binary_frame_round_trip(message: Message) -> None:
    assert decode_binary_message(encode_binary_message(message)) == message


@pytest.mark.parametrize(
    "message", [Message(1, "", 0, 0, "text"), Message(1, "", 0, 0, b"", presence="left")]
)
def test_only_bytes_go_into_a_binary_frame(message: Message) -> None:
    with pytest.raises(ValueError, match="only a message of bytes"):
        encode_binary_message(message)


@pytest.mark.parametrize(
    "data", [b"", b"{}", HEAD + b"}", b"\n", b'{"gap":true,"cursor":"a-1"}\n', b"[]\nabc"]
)
def test_binary_frames_that_are_no_message(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_binary_message(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"{'id':1}", "not JSON"),
        (b"[1]", "a JSON object is expected, not list"),
        (b"null", "not NoneType"),
        (b'"text"', "not str"),
        (b'{"text":"\xff"}', "not UTF-8 at byte 9"),
        (b'{"text":"\xed\xa0\x80"}', "not UTF-8 at byte 9"),  # a surrogate's three bytes
        ('{"text":"a"}'.encode("utf-16"), "not UTF-8 at byte 0"),
        ('{"text":"a"}'.encode("utf-16-le"), "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),  # RFC 8259, 8.1: no byte order mark
        (b"[" * 100_000, "not JSON"),
        (b'{"id":' + b"9" * 5_000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_json_object(data: bytes, says: str) -> None:
    with pytest.raises(MessageError, match=says):
        load_json(data)


@pytest.mark.parametrize("name", ["id", "sender", "sent_ns", "published_ns", "text"])
def test_a_missing_field_is_named(name: str) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != name}
    with pytest.raises(MessageError, match=f"[\"']{name}[\"']"):
        message_from(fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", True),  # to Python a bool is an int; to JSON it is not
        ("id", "17"),
        ("id", 17.0),
        ("id", None),
        ("id", -1),
        ("id", 2**63),
        ("id", 10**4000),
        ("sent_ns", 1e18),
        ("sent_ns", -1),
        ("sent_ns", math.nan),
        ("published_ns", False),
        ("published_ns", 2**63),
        ("sender", 5),
        ("sender", None),
        ("text", 5),
        ("text", None),
        ("text", ["a"]),
        ("base64", 5),
        ("presence", 5),
        ("presence", None),
    ],
)
def test_a_field_of_another_type_or_size_is_named(name: str, value: object) -> None:
    with pytest.raises(MessageError, match=f'"{name}" must be') as caught:
        message_from(FIELDS | {name: value})
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("text", ["A", "AAA", "A===", "AA==AA==", "A A=", "AA\n==", "_-==", "ñ==="])
def test_base64_that_is_none(text: str) -> None:
    with pytest.raises(MessageError, match='"base64" is not base64'):
        body_from({"base64": text})


def test_a_body_is_text_or_base64() -> None:
    assert body_from({"text": "a"}) == "a"
    assert body_from({"base64": "YQ=="}) == b"a"
    with pytest.raises(MessageError, match='a message needs "text" or "base64"'):
        body_from({})


def test_more_fields_than_known_do_no_harm() -> None:
    assert message_from({**FIELDS, "new": 1}) == Message(17, "ana", 1, 2, "hola")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*FIELDS, "base64", "gap"], JSON)))
def test_hostile_fields_give_a_message_or_a_message_error(fields: dict[str, object]) -> None:
    with contextlib.suppress(MessageError):
        assert isinstance(message_from(fields), Message | Gap)


@given(st.binary())
def test_hostile_bytes_give_only_message_errors(data: bytes) -> None:
    for decode in (decode_message, decode_binary_message):
        with pytest.raises(MessageError):
            decode(data)

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.batch import Batch, decode_batch, encode_batch
from wire.errors import MessageError
from wire.message import Message, encode_message

FIRST = Message(1, "ana", 1, 2, "hola")
SECOND = Message(2, "bob", 3, 4, b"\xff")
BATCHES = [
    (Batch((), "a1-0"), b'{"messages":[],"cursor":"a1-0","gap":false}'),
    (Batch((), "a1-7", gap=True), b'{"messages":[],"cursor":"a1-7","gap":true}'),
    (
        Batch((FIRST, SECOND), "a1-2"),
        b'{"messages":[{"id":1,"sender":"ana","sent_ns":1,"published_ns":2,"text":"hola"},'
        b'{"id":2,"sender":"bob","sent_ns":3,"published_ns":4,"base64":"/w=="}],'
        b'"cursor":"a1-2","gap":false}',
    ),
]


@pytest.mark.parametrize(("batch", "data"), BATCHES)
def test_golden_both_ways(batch: Batch, data: bytes) -> None:
    encoded = [encode_message(message) for message in batch.messages]
    assert encode_batch(encoded, batch.cursor, batch.gap) == data
    assert decode_batch(data) == batch
    assert decode_batch(data.decode()) == batch


@given(
    st.lists(
        st.builds(
            Message,
            st.integers(0, 2**60),
            st.text(),
            body=st.text() | st.binary(),
            sent_ns=st.just(0),
            published_ns=st.just(0),
        )
    ),
    st.text(),
    st.booleans(),
)
def test_round_trip(messages: list[Message], cursor: str, gap: bool) -> None:
    data = encode_batch(map(encode_message, messages), cursor, gap)
    assert decode_batch(data) == Batch(tuple(messages), cursor, gap)
    assert json.loads(data)["gap"] is gap


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"messages":[]}',
        b'{"cursor":"a1-0"}',
        b'{"messages":{},"cursor":"a1-0"}',
        b'{"messages":[],"cursor":7}',
        b'{"messages":[7],"cursor":"a1-0"}',
        b'{"messages":[{}],"cursor":"a1-0"}',
        b'{"messages":[{"gap":true,"cursor":"a1-0"}],"cursor":"a1-0"}',
        b'{"messages":[],"cursor":"a1-0"} ]',
        b'{"messages":[],"cursor":"\xff"}',
    ],
)
def test_what_is_no_batch(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_batch(data)


@given(st.binary())
def test_hostile_bytes_give_only_message_errors(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_batch(data)

import pytest

from clients.net import decoding
from wire.batch import encode_batch
from wire.errors import MessageError
from wire.message import Gap, Message, encode_gap, encode_message


def test_the_same_bytes_give_the_same_message() -> None:
    message = Message(1, "ana", 2, 3, "hola")
    first = decoding.message(encode_message(message))
    assert first == message
    assert decoding.message(encode_message(message)) is first
    assert decoding.message(encode_message(message).decode()) == message


def test_long_ones_are_not_remembered() -> None:
    long = encode_message(Message(1, "", 2, 3, "x" * 5000))
    assert decoding.message(long) == decoding.message(long)
    assert decoding.message(long) is not decoding.message(long)


def test_gaps_batches_and_faults() -> None:
    assert decoding.message(encode_gap(Gap("a-1"))) == Gap("a-1")
    batch = encode_batch([encode_message(Message(1, "", 2, 3, "x"))], "a-1")
    assert decoding.batch(batch).cursor == "a-1"
    assert decoding.batch(batch) is decoding.batch(batch)
    with pytest.raises(MessageError):
        decoding.message(b"[]")

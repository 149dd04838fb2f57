"""The text that says itself which message it is."""

import json

import pytest

from wire.peer_text import LEAST, read_text, write_text

LATEST_NS = 10**18 - 1


@pytest.mark.parametrize("size", [LEAST, 100, 4096])
def test_what_was_written_is_read_back_to_the_byte(size: int) -> None:
    text = write_text(17, 916939316824, "publisher", size)
    assert len(text.encode()) == size
    (message,) = read_text(text)
    assert (message.id, message.sent_ns, message.sender) == (17, 916939316824, "publisher")
    assert message.body == text


def test_the_least_size_holds_the_longest_head() -> None:
    assert len(write_text(9_999_999, LATEST_NS, "publisher", 0)) <= LEAST


@pytest.mark.parametrize(
    "around",
    ["{}", "ana says: {}!", "<li>{}</li>", '{{"text":"{}","n":1}}', "MESSAGE\nid:1\n\n{}\0"],
)
def test_a_text_is_found_whatever_stands_around_it(around: str) -> None:
    text = write_text(3, 5, "warm-up", 60)
    assert [message.body for message in read_text(around.format(text))] == [text]


def test_several_texts_are_found_in_their_order() -> None:
    texts = [write_text(number, 9, "publisher", 60) for number in (1, 2, 3)]
    assert [message.body for message in read_text(json.dumps(texts))] == texts


@pytest.mark.parametrize("data", ["", "dx", "dx 1 2", "dx one 2 w x", "dx -1 2 w x", "hola"])
def test_what_is_not_ours_is_nothing(data: str) -> None:
    assert read_text(data) == ()

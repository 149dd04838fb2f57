"""The faulty way spoils what it says, and nothing else."""

from collections.abc import Iterable

import pytest

from servers.relay.faulty import EventSpoiler
from wire.event_stream import EventStreamDecoder, encode_event


def stream(count: int) -> list[bytes]:
    return [encode_event(b"%d" % number, f"epoch-{number}") for number in range(1, count + 1)]


def spoiled(fault: str, data: Iterable[bytes], every: int = 3) -> list[int]:
    spoiler, decoder = EventSpoiler(fault.split(), every), EventStreamDecoder()
    return [int(event.data) for part in data for event in decoder.decode(spoiler.spoil(part))]


EXPECTED = {
    "drop": [1, 2, 4, 5, 7],
    "double": [1, 2, 3, 3, 4, 5, 6, 6, 7],
    "swap": [1, 2, 4, 3, 5, 7, 6],
    "drop double": [1, 2, 4, 5, 6, 6, 7],
}


@pytest.mark.parametrize("fault", EXPECTED)
def test_every_third_event_is_spoiled(fault: str) -> None:
    assert spoiled(fault, stream(7)) == EXPECTED[fault]


@pytest.mark.parametrize("fault", EXPECTED)
def test_however_the_bytes_are_cut(fault: str) -> None:
    whole = b"".join(stream(7))
    assert spoiled(fault, [whole]) == EXPECTED[fault]
    assert spoiled(fault, [whole[i : i + 1] for i in range(len(whole))]) == EXPECTED[fault]


def test_what_is_no_message_goes_through() -> None:
    data = b"retry: 2000\n\n:\n\n" + encode_event(b"1", "epoch-1")
    assert EventSpoiler(["drop"], 3).spoil(data) == data

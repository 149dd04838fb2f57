import time

import pytest

from servers.channels.channel import Channel, Hub
from servers.channels.log import MemoryLog
from tests.servers.standing_in import AtOnce, Listener, newest
from wire.cursor import Cursor, parse_cursor
from wire.message import decode_message


@pytest.fixture
def channel() -> Channel:
    return Channel("lobby", MemoryLog(messages=5), AtOnce())  # type: ignore[arg-type]


def make_hub(most: int, most_bytes: int = 2**20) -> Hub:
    return Hub(AtOnce(), lambda name: MemoryLog(), most, most_bytes)  # type: ignore[arg-type]


def test_messages_are_stamped_and_logged(channel: Channel) -> None:
    before = time.monotonic_ns()
    assert str(channel.publish("hola", "ana", sent_ns=5)) == channel.cursor(1)
    one = newest(channel)
    assert str(channel.publish(b"\xff")) == channel.cursor(2)
    two = newest(channel)
    assert (one.id, one.sender, one.sent_ns, one.body) == (1, "ana", 5, "hola")
    assert two.id == 2
    assert before <= one.published_ns <= two.sent_ns == two.published_ns <= time.monotonic_ns()
    assert [decode_message(json) for _, json in channel.log.read(0, 9999)] == [one, two]


def test_readers_are_told_after_the_message_is_logged(channel: Channel) -> None:
    listener = channel.reader("key", lambda: Listener(channel))
    assert channel.reader("key", lambda: Listener(channel)) is listener
    other = channel.reader("other", lambda: Listener(channel))
    channel.publish("one")
    channel.publish("two")
    assert listener.flushed == other.flushed == [1, 2]


def test_a_reader_may_leave_while_all_are_told(channel: Channel) -> None:
    class Leaver(Listener):
        def flush(self) -> None:
            super().flush()
            del channel.readers["leaver"]

    leaver = channel.reader("leaver", lambda: Leaver(channel))
    stayer = channel.reader("stayer", lambda: Listener(channel))
    channel.publish("one")
    channel.publish("two")
    assert (leaver.flushed, stayer.flushed) == ([1], [1, 2])


def test_cursors_name_the_epoch_and_the_last_message(channel: Channel) -> None:
    assert parse_cursor(channel.cursor()) == Cursor(channel.log.epoch, 0)
    channel.publish("one")
    assert parse_cursor(channel.cursor()) == Cursor(channel.log.epoch, 1)
    assert parse_cursor(channel.cursor(7)).id == 7


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (3, (3, False)),
        (5, (5, False)),
        (8, (8, False)),
        (2, (3, True)),
        (0, (3, True)),
        (9, (3, True)),
    ],
)
def test_resuming_from_a_log_that_holds_4_to_8(
    channel: Channel, after: int, expected: tuple[int, bool]
) -> None:
    for number in range(8):
        channel.publish(str(number))
    assert channel.resume(Cursor(channel.log.epoch, after)) == expected
    assert channel.resume(Cursor("other", after)) == (3, True)
    assert channel.resume(None) == (8, False)


def test_a_hub_makes_each_channel_once() -> None:
    hub = make_hub(10)
    assert hub.channel("a") is hub.channel("a")
    assert hub.channel("a") is not hub.channel("b")


def test_a_hub_forgets_channels_longest_unused() -> None:
    hub = make_hub(3)
    first = hub.channel("a")
    for name in ("b", "c", "a", "d"):
        hub.channel(name)
    assert set(hub.channels) == {"c", "a", "d"}
    assert hub.channel("a") is first


def test_asking_for_names_pushes_out_no_channel_that_was_written_to() -> None:
    hub = make_hub(3)
    hub.channel("written").publish("hola")
    for number in range(10):
        hub.channel(f"asked {number}")
    assert hub.channel("written").log.last == 1


def test_a_hub_forgets_no_channel_that_somebody_listens_to() -> None:
    hub = make_hub(2)
    heard = hub.channel("heard")
    heard.reader("key", lambda: Listener(heard))
    for name in ("b", "c", "d"):
        hub.channel(name)
    assert hub.channel("heard") is heard


def test_a_hub_bounds_the_bytes_of_all_histories_together() -> None:
    hub = make_hub(1000, most_bytes=5000)
    for number in range(200):
        hub.channel(f"channel{number}").publish("x" * 1000)
    assert sum(channel.log.size for channel in hub.channels.values()) < 7000
    assert "channel199" in hub.channels


def test_a_forgotten_channel_comes_back_with_another_epoch() -> None:
    hub = make_hub(1)
    cursor = parse_cursor(hub.channel("a").cursor())
    hub.channel("b")
    assert hub.channel("a").resume(cursor) == (0, True)

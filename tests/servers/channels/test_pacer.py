import asyncio
import time
from collections.abc import Callable
from functools import partial

import pytest

from servers.channels.pacer import Pacer
from tests.support.waiting import until


class Flushed:
    """A channel whose flush takes some time; notes when it began."""

    def __init__(self, seconds: float = 0.0, fails: bool = False, size: int = 1) -> None:
        self.begun: list[float] = []
        self.size = size
        self.seconds = seconds
        self.fails = fails

    def flush(self) -> None:
        self.begun.append(time.monotonic())
        if self.fails:
            raise ZeroDivisionError
        time.sleep(self.seconds)


def has_begun(channel: Flushed, count: int) -> bool:
    return len(channel.begun) == count


async def test_an_idle_channel_is_flushed_in_the_next_turn_of_the_loop() -> None:
    pacer, channel = Pacer(), Flushed()
    pacer.due(channel)
    assert channel.begun == []
    await asyncio.sleep(0)
    assert len(channel.begun) == 1


async def test_a_burst_in_one_turn_is_one_flush_of_each_channel() -> None:
    pacer, one, two = Pacer(), Flushed(), Flushed()
    for _ in range(100):
        pacer.due(one)
        pacer.due(two)
    await asyncio.sleep(0.02)
    assert (len(one.begun), len(two.begun)) == (1, 1)


async def begun_again_after(messages: int, size: int = 1) -> float:
    """Return seconds from the begin of a flush of so many messages to that of the next one."""
    pacer, channel = Pacer(), Flushed(seconds=0.02, size=size)
    for _ in range(messages):
        pacer.due(channel)
    await until(lambda: len(channel.begun) == 1, "flushed")
    pacer.due(channel)
    await until(lambda: len(channel.begun) == 2, "flushed again")
    return channel.begun[1] - channel.begun[0]


async def test_what_was_joined_has_saved_time_and_rests_as_long_as_its_flush_took() -> None:
    assert await begun_again_after(messages=2) >= 0.04 - 0.001
    assert await begun_again_after(messages=50) >= 0.04 - 0.001


@pytest.fixture
async def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every timer that is set."""
    set_: list[float] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def note(seconds: float, act: Callable[..., None]) -> asyncio.TimerHandle:
        set_.append(seconds)
        return call_later(seconds, act)

    monkeypatch.setattr(loop, "call_later", note)
    return set_


async def flushed_with(**messages: int) -> float:
    """Flush channels of 9 and of 1 listeners, once, with so many messages; return the seconds."""
    pacer, started = Pacer(), time.monotonic()
    channels = {"many": Flushed(seconds=0.01, size=9), "one": Flushed(size=1)}
    for name, count in messages.items():
        for _ in range(count):
            pacer.due(channels[name])
    for _ in range(3):  # the flush, the end of its turn, the rest
        await asyncio.sleep(0)
    assert all(len(channels[name].begun) == 1 for name in messages)
    return time.monotonic() - started


async def test_after_messages_that_were_brought_alone_nothing_rests(rests: list[float]) -> None:
    await flushed_with(many=1)
    await flushed_with(many=1, one=1)
    assert rests == []


async def test_it_rests_by_the_writes_that_were_saved(rests: list[float]) -> None:
    took = await flushed_with(many=1, one=6)  # 10 writes instead of 15
    assert 0.5 * 0.01 <= rests[0] <= 0.5 * took
    await flushed_with(many=9, one=1)
    assert rests[1] >= 0.01


async def test_what_becomes_due_while_it_rests_is_joined_and_not_forgotten() -> None:
    pacer, slow, quick = Pacer(), Flushed(seconds=0.2), Flushed()
    pacer.due(slow)
    pacer.due(slow)
    await until(lambda: slow.begun, "flushed")
    for _ in range(10):
        pacer.due(quick)
        await asyncio.sleep(0)
    await until(lambda: quick.begun, "flushed")
    assert len(quick.begun) == 1


async def test_what_was_read_during_a_flush_has_its_turn_before_the_next() -> None:
    pacer, channel = Pacer(), Flushed(seconds=0.001)
    turns: list[int] = []
    for _ in range(5):
        pacer.due(channel)
        await asyncio.sleep(0)  # the flush
        asyncio.get_running_loop().call_soon(lambda: turns.append(len(channel.begun)))
        pacer.due(channel)
        await until(partial(has_begun, channel, len(channel.begun) + 1), "flushed again")
    assert turns == [1, 3, 5, 7, 9]


async def test_it_is_at_once_again_after_all_was_quiet() -> None:
    pacer, channel = Pacer(), Flushed()
    for count in range(1, 4):
        pacer.due(channel)
        await until(partial(has_begun, channel, count), "flushed")
        await asyncio.sleep(0.01)


async def test_a_fault_in_one_flush_is_not_the_last_of_all() -> None:
    loop_errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context))
    pacer, bad, good = Pacer(), Flushed(fails=True), Flushed()
    pacer.due(bad)
    await until(lambda: bad.begun, "flushed")
    pacer.due(good)
    await until(lambda: good.begun, "flushed")
    assert len(loop_errors) == 1


async def test_a_fault_in_one_flush_keeps_no_other_channel_waiting_for_its_next_message() -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    pacer, bad = Pacer(), Flushed(fails=True)
    others = [Flushed(), Flushed()]
    for channel in (others[0], bad, others[1]):
        pacer.due(channel)
    await until(lambda: all(channel.begun for channel in (*others, bad)), "flushed")
    assert [len(channel.begun) for channel in (*others, bad)] == [1, 1, 1]

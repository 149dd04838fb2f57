import asyncio
import time
from functools import partial

from servers.channels.pacer import Pacer
from tests.support.waiting import until


class Flushed:
    """A channel whose flush takes some time; notes when it began."""

    def __init__(self, seconds: float = 0.0, fails: bool = False) -> None:
        self.begun: list[float] = []
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


async def test_after_a_flush_it_rests_as_long_as_that_took() -> None:
    pacer, channel = Pacer(), Flushed(seconds=0.02)
    pacer.due(channel)
    await until(lambda: len(channel.begun) == 1, "flushed")
    pacer.due(channel)
    await until(lambda: len(channel.begun) == 2, "flushed again")
    assert channel.begun[1] - channel.begun[0] >= 0.04 - 0.001


async def test_what_becomes_due_while_it_rests_is_joined_and_not_forgotten() -> None:
    pacer, slow, quick = Pacer(), Flushed(seconds=0.2), Flushed()
    pacer.due(slow)
    await until(lambda: slow.begun, "flushed")
    for _ in range(10):
        pacer.due(quick)
        await asyncio.sleep(0)
    await until(lambda: quick.begun, "flushed")
    assert len(quick.begun) == 1


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

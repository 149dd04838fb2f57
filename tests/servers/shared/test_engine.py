"""How what has to do with the engine ends."""

import asyncio
import contextlib

from servers.shared.engine import end


async def test_who_loses_a_cancellation_is_told_again() -> None:
    async def hard_of_hearing() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    task = asyncio.create_task(hard_of_hearing())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()


async def test_who_has_ended_is_not_waited_for() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    await task
    await end(task)
    await end()

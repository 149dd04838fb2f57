"""The way to the engine: lost and found, and who may use it when.

After a connection was lost nothing is published before all streams were looked at (that is
``look_at_all``): is what was delivered here still there? Other servers may have delivered more
than this one, and look at the same time; so after a while it is looked again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from servers.channels.log import Unavailable
from servers.shared.address import AWAY, connect, shown

_LOG = logging.getLogger("servers")
Word = str | bytes | int | float
PATIENCE_S = 2.0  # with an engine that is away or slow
_SETTLE_S = 0.5  # in which all servers have looked what the engine has
_RETRY_S = 0.1
_AGAIN_S = 0.5  # until who was told to end is told again


class Engine:
    """The engine at the address ``url``, and the tasks that have to do with it."""

    def __init__(self, url: str, look_at_all: Callable[[], Awaitable[None]]) -> None:
        self.url = url
        self.client = connect(url, PATIENCE_S)  # for what is read and looked after
        self.writer = connect(url, PATIENCE_S)  # for what is published
        self.turn = 0  # how often the way was lost
        self._look_at_all = look_at_all
        self._sure = asyncio.Event()  # what the engine has is what was delivered
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self) -> None:
        """Look for the engine."""
        self.start(self._be_sure())

    async def close(self) -> None:
        """End all tasks and connections."""
        await end(*self._tasks)
        for client in (self.client, self.writer):
            await close(client)

    def start(self, doing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside, until the end at the latest."""
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def ask(self, *commands: Sequence[Word], as_one: bool = False) -> list[Any]:
        """Send commands in one go, or as one; return their answers."""
        pipe = self.client.pipeline(transaction=as_one)
        for words in commands:
            pipe.execute_command(*words)
        answers: list[Any] = await pipe.execute()
        return answers

    async def is_sure(self, within_s: float = PATIENCE_S) -> bool:
        """Wait until the engine can be asked; tell whether it could in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._sure.wait()
        except TimeoutError:
            return False
        return True

    def lose(self, error: Exception) -> None:
        """Take the way to the engine for lost, and look for it again."""
        if self._sure.is_set():
            self._sure.clear()
            self.turn += 1
            self.tell(error)
            self.start(self._be_sure())

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Write down a mistake of ours; that the engine is away, who waits for the task is told."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Unavailable):
            _LOG.error("what looks after the shared log has ended", exc_info=error)

    def tell(self, error: Exception) -> None:
        """Write down what is wrong."""
        _LOG.warning("the shared log at %s is away: %s", shown(self.url), error)

    async def _be_sure(self) -> None:
        is_lost = bool(self.turn)
        while True:
            try:
                for client in (self.client, self.writer):
                    await client.connection_pool.disconnect()
                    await client.ping()
                await self._look_at_all()
                if self.turn:
                    await asyncio.sleep(_SETTLE_S)
                    await self._look_at_all()
                break
            except (*AWAY, ValkeyError, Unavailable) as error:
                if not is_lost:
                    is_lost = True
                    self.tell(error)
                await asyncio.sleep(_RETRY_S)
        if is_lost:
            _LOG.warning("the shared log at %s is there", shown(self.url))
        self._sure.set()


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended: the client library loses a cancellation now and then.

    What reads the engine would read on then, and a server that was told to end would not.
    """
    left: set[asyncio.Task[None]] = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_S)


async def close(client: Valkey) -> None:
    """Close a client, whatever became of its connection."""
    with contextlib.suppress(*AWAY):
        await client.aclose()

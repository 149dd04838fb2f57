"""Messages on their way up: in the order in which they were published, and many at once.

While one batch is on its way the next collects, so a busy server asks the engine seldom. A message
waits for an engine that is away, but not for long.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable

from valkey.exceptions import OutOfMemoryError, ResponseError, ValkeyError

from servers.channels.log import Unavailable, Unsure
from servers.shared.address import AWAY
from servers.shared.engine import PATIENCE_S, Engine
from servers.shared.stream_log import BODY, StreamLog, Waiting, place

_LOG = logging.getLogger("servers")
_MOST_AT_ONCE = 200
_MOST_BYTES_AT_ONCE = 4 * 2**20
_MOST_WAITING = 64 * 2**20  # bytes of all that wait for the engine
_OLDER_LIFE = "equal or smaller"  # in what the engine says of a place in one


class Publishing:
    """What waits to be sent to the engine; ``catch_up`` reads a stream that is not known enough."""

    def __init__(self, engine: Engine, catch_up: Callable[[StreamLog], asyncio.Task[None]]) -> None:
        self._engine = engine
        self._catch_up = catch_up
        self._queue: deque[Waiting] = deque()
        self._size = 0
        self._sending: asyncio.Task[None] | None = None

    def add(self, waiting: Waiting) -> None:
        """Send a message as soon as may be; its future tells what became of it."""
        if self._size + len(waiting.body) > _MOST_WAITING:
            waiting.refuse(Unavailable("too much waits for the shared log"))
            return
        self._size += len(waiting.body)
        self._queue.append(waiting)
        if self._sending is None:
            self._sending = self._engine.start(self._send_all())

    async def drain(self) -> None:
        """Wait until nothing waits any more, for as long as a message may."""
        if self._sending is not None:
            await self._sending

    async def _send_all(self) -> None:
        try:
            while self._queue:
                left = self._queue[0].since + PATIENCE_S - time.monotonic()
                if left <= 0 or not await self._engine.is_sure(left):
                    self._pop().refuse(Unavailable("the shared log is away"))
                    continue
                batch = [self._pop()]
                size = len(batch[0].body)
                while self._queue and len(batch) < _MOST_AT_ONCE and size < _MOST_BYTES_AT_ONCE:
                    batch.append(self._pop())
                    size += len(batch[-1].body)
                for waiting in reversed(await self._send(batch)):
                    self._queue.appendleft(waiting)
                    self._size += len(waiting.body)
        finally:
            self._sending = None

    def _pop(self) -> Waiting:
        waiting = self._queue.popleft()
        self._size -= len(waiting.body)
        return waiting

    async def _send(self, batch: list[Waiting]) -> list[Waiting]:
        """Send some messages; return those that are to be sent again."""
        for log in {waiting.log for waiting in batch if not waiting.log.born}:
            try:
                await asyncio.shield(self._catch_up(log))
            except Unavailable as error:
                for waiting in batch:
                    if waiting.log is log:
                        waiting.refuse(error)
        batch = [waiting for waiting in batch if not waiting.kept.done()]
        last = {waiting.log: waiting.log.last for waiting in batch}
        pipe = self._engine.writer.pipeline(transaction=False)
        for waiting in batch:
            log = waiting.log
            pipe.execute_command(
                *("XADD", log.key, "NOMKSTREAM", "MINID", "~", b"%d-%d" % (log.born, log.first)),
                *(b"%d-*" % log.born, BODY, waiting.body),
            )
        try:
            replies = await pipe.execute(raise_on_error=False)
        except (*AWAY, ValkeyError) as error:
            for waiting in batch:
                waiting.refuse(Unsure("the shared log did not answer"))
            self._engine.lose(error)
            return []
        again, stale = [], set()
        for waiting, reply in zip(batch, replies, strict=True):
            log = waiting.log
            if isinstance(reply, bytes) and place((reply, {}))[1] > last[log]:
                log.put(waiting, reply)
            elif isinstance(reply, AWAY):  # it is no primary any more, say
                again.append(waiting)
                self._engine.lose(reply)
            elif isinstance(reply, ResponseError) and _OLDER_LIFE not in str(reply):
                waiting.refuse(_refusal(reply))
            else:  # another life began, or the one that we know is gone
                again.append(waiting)
                stale.add(log)
        for log in stale:
            with contextlib.suppress(Unavailable):  # then they are refused when they are late
                await asyncio.shield(self._catch_up(log))
        return again


def _refusal(reply: ResponseError) -> Unavailable:
    if isinstance(reply, OutOfMemoryError):
        return Unavailable("the shared log is full")
    _LOG.warning("the shared log refuses a message: %s", reply)
    return Unavailable("the shared log refuses it")

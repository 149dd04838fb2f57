"""The keeper of all streams that a server has to do with: it reads them, and begins their lives.

A life ends where what was delivered is not in the stream any more with the same bytes: the engine
came back without its disk, say, or a replica that lagged took over. Another one begins, so that no
place is given twice.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from valkey.exceptions import ValkeyError, WatchError

from servers.channels.log import Unavailable
from servers.service import Settings
from servers.shared.address import AWAY
from servers.shared.engine import PATIENCE_S, Engine, Word
from servers.shared.publishing import Publishing
from servers.shared.stream_log import StreamEntry, StreamLog, Waiting, json_of, place
from servers.shared.tails import Tails

_AT_ONCE = 500  # entries
# How long the engine keeps a channel that no server knows any more: names that somebody only asked
# for must not fill it.
_KEPT_S = 3600
_EMPTY_KEPT_S = 60
_LOOKED_AFTER_S = 20.0
_MOST_LIVES = 10  # that may begin while one is looked for


class Keeper:
    """The streams of the engine at ``url``; call it for what makes a server's logs.

    To be used inside ``async with``.
    """

    def __init__(self, url: str) -> None:
        self.engine = Engine(url, self._look_at_all)
        self.logs: dict[bytes, StreamLog] = {}  # those that were read
        self._publishing = Publishing(self.engine, self.catch_up)
        self._tails = Tails(self.engine)

    async def __aenter__(self) -> "Keeper":
        self.engine.begin()
        self.engine.start(self._stay_known())
        # Who connects first should not have to wait for the engine, unless it is away.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._tails.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._publishing.drain()
        await self.engine.close()

    def __call__(self, settings: Settings) -> Callable[[str], StreamLog]:
        bounds = settings.log_messages, settings.log_bytes
        return lambda name: StreamLog(self, name, *bounds)

    def publish(self, waiting: Waiting) -> None:
        """Send a message to the engine, after all before it."""
        self._publishing.add(waiting)

    def catch_up(self, log: StreamLog) -> asyncio.Task[None]:
        """Read a stream to its end; all who ask before that begins share it."""
        if log.next_reading is None:
            log.next_reading = self.engine.start(self._catch_up(log))
            log.next_reading.add_done_callback(log.is_read)
        return log.next_reading

    def forget(self, log: StreamLog) -> None:
        """Hear no more of a stream."""
        if self.logs.get(log.key) is log:
            del self.logs[log.key]
        self._tails.drop(log)

    async def _look_at_all(self) -> None:
        for log in list(self.logs.values()):
            await self._look(log)

    async def _stay_known(self) -> None:
        """Have the engine keep what is in use here."""
        while True:
            await asyncio.sleep(_LOOKED_AFTER_S)
            logs = list(self.logs.values())
            if not logs or not await self.engine.is_sure():
                continue
            try:
                are_there = await self.engine.ask(*map(_keep, logs))
                for log, is_there in zip(logs, are_there, strict=True):
                    if not is_there:
                        await self._look(log)
            except (*AWAY, ValkeyError, Unavailable) as error:
                self.engine.lose(error)

    async def _catch_up(self, log: StreamLog) -> None:
        if not await self.engine.is_sure():
            raise Unavailable("the shared log is away")
        try:
            await self._look(log)
        except AWAY as error:
            self.engine.lose(error)
            raise Unavailable("the shared log is away") from None
        except ValkeyError as error:
            self.engine.tell(error)
            raise Unavailable("the shared log refuses") from None

    async def _look(self, log: StreamLog) -> None:
        """Read a stream to its end; begin another life if what was delivered is not in it."""
        async with log.reading:
            log.next_reading = None  # whoever comes from now on needs another one
            for _ in range(_MOST_LIVES):
                if await self._is_alive(log):
                    break
                await self._bear(log)
            else:
                raise Unavailable("the shared log begins again and again")
            if not log.is_closed and log.key not in self.logs:
                self.logs[log.key] = log
                self._tails.add(log)

    async def _is_alive(self, log: StreamLog) -> bool:
        """Read on if the stream has what was delivered here, or another life; else tell so."""
        at, json = log.at, log.newest()
        pipe = self.engine.client.pipeline(transaction=False)
        pipe.xrange(log.key, at, at)
        pipe.xrange(log.key, count=1)
        pipe.xrevrange(log.key, count=1)
        held, oldest, top = await pipe.execute()
        if not top or place(top[0])[0] < log.born:
            return False
        if place(top[0])[0] > log.born:
            await self._load(log)
            return True
        is_here = held and (not json or json_of(held[0]) == json)
        has_moved_on = place(oldest[0]) > (log.born, log.last)  # ours was trimmed away
        if not is_here and not has_moved_on:
            return False
        found = top
        while found and (log.born, log.last) < place(top[0]):
            found = await self.engine.client.xrange(log.key, b"(" + log.at, count=_AT_ONCE)
            log.take(found)
        return True

    async def _load(self, log: StreamLog) -> None:
        """Read the newest life of a stream, as much of it as the log may hold."""
        most, most_bytes = log.bounds
        found: list[StreamEntry] = []
        size, below = 0, b"+"
        while len(found) < most and size < most_bytes:
            older = await self.engine.client.xrevrange(log.key, below, count=_AT_ONCE)
            born = place((found or older)[0])[0] if found or older else 0
            older = [entry for entry in older if place(entry)[0] == born]
            if not older:
                break
            found += older
            size += sum(len(json_of(entry)) for entry in older)
            below = b"(" + older[-1][0]
        log.take(reversed(found))
        await self.engine.ask(_keep(log))

    async def _bear(self, log: StreamLog) -> None:
        """Begin another life, unless another server just did."""
        async with self.engine.client.pipeline(transaction=True) as pipe:
            await pipe.watch(log.key)
            top = await pipe.xrevrange(log.key, count=1)
            latest = place(top[0])[0] if top else 0
            if latest > log.born:
                return
            seconds, micros = await pipe.time()  # the engine's, as clocks of hosts may differ
            born = max(seconds * 1000 + micros // 1000, log.born + 1)
            pipe.multi()
            pipe.xadd(log.key, {b"b": b""}, id=f"{born}-0")
            with contextlib.suppress(WatchError):  # whoever was quicker began one
                await pipe.execute()


def _keep(log: StreamLog) -> Sequence[Word]:
    return "EXPIRE", log.key, _KEPT_S if log.last else _EMPTY_KEPT_S

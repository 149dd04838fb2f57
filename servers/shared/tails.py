"""Hearing of what others publish: blocking reads of the streams' ends, of some dozens each.

A read that waits cannot be told of one more stream, so it is interrupted. Where an engine does not
let us, the stream is heard of when the read is over, two seconds later at most.
"""

import asyncio

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from servers.shared.address import AWAY, connect
from servers.shared.engine import Engine, close
from servers.shared.stream_log import StreamLog

# To hear of one message costs the more, the more streams are asked for with it, and each tail is a
# connection: `python -m loadtests.limits shared` measures 1,000 channels, the most that are kept.
_TAILS = 24
_AT_ONCE = 100  # entries of each stream
_BLOCK_S = 2.0
_LATE_S = 2.0  # when an answer is late, after that
_AGAIN_S = 0.002


class Tails:
    """All tails of a server, among which its streams are dealt out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tails = [Tail(engine) for _ in range(_TAILS)]

    def add(self, log: StreamLog) -> None:
        """Hear of what follows in a stream."""
        min(self._tails, key=lambda tail: len(tail.logs)).add(log)

    async def begin(self) -> None:
        """Open all; return when they are connected."""
        for tail in self._tails:
            self._engine.start(tail.run())
        for tail in self._tails:
            await tail.is_connected.wait()

    def drop(self, log: StreamLog) -> None:
        """Hear no more of a stream."""
        for tail in self._tails:
            if tail.logs.get(log.key) is log:
                del tail.logs[log.key]


class Tail:
    """One connection that waits for what is new in some streams."""

    def __init__(self, engine: Engine) -> None:
        self.logs: dict[bytes, StreamLog] = {}
        self._engine = engine
        self._some = asyncio.Event()
        self._reads = 0
        self._number = 0  # of the connection, by which the engine knows it
        self.is_connected = asyncio.Event()
        self._is_waking = False

    def add(self, log: StreamLog) -> None:
        """Hear of what follows in a stream."""
        self.logs[log.key] = log
        self._some.set()
        if self._number and not self._is_waking:
            self._is_waking = True
            self._engine.start(self._wake(self._reads))

    async def _wake(self, reads: int) -> None:
        """Interrupt a read that began without some stream, or is just about to."""
        try:
            while self._number and self._reads == reads:
                await self._engine.client.client_unblock(self._number)
                await asyncio.sleep(_AGAIN_S)
        except (*AWAY, ValkeyError):
            pass  # it looks by itself soon
        finally:
            self._is_waking = False

    async def run(self) -> None:
        """Hear of streams until cancelled, over whatever happens to the engine."""
        while True:
            if not await self._engine.is_sure():
                continue
            client = connect(self._engine.url, _BLOCK_S + _LATE_S)
            try:
                self._number = int(await client.client_id())
                self.is_connected.set()
                await self._follow(client)
            except (*AWAY, ValkeyError) as error:
                self._engine.lose(error)
            finally:
                self._number = 0
                await close(client)

    async def _follow(self, client: Valkey) -> None:
        turn = self._engine.turn
        while turn == self._engine.turn:
            if not self.logs:
                self._some.clear()
                await self._some.wait()
            places = {log.key: log.at for log in self.logs.values()}
            self._reads += 1
            found = await client.xread(places, count=_AT_ONCE, block=round(_BLOCK_S * 1000))
            for key, entries in found:
                if key in self.logs:
                    self.logs[key].take(entries)

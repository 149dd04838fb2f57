"""Who is at which worker: a set of workers for each person, in the engine.

Who comes to the first of them has joined, who is at none any more has left; the engine tells who
was first or last, so each is announced once, by whichever worker. People of a worker that died are
taken off by another one: those who came back elsewhere meanwhile have never left.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable

from valkey.exceptions import ValkeyError

from servers.channels.log import Appended, Unavailable
from servers.channels.presence import Presence, Who
from servers.shared.address import AWAY
from servers.shared.engine import Engine, Word


def _key(who: bytes) -> bytes:
    return b"duplex:here:" + who


def _people_of(worker: bytes) -> bytes:
    return b"duplex:of:" + worker


class EngineRoll:
    """The people at one worker, brought to the engine; ``presence`` announces them."""

    def __init__(self, engine: Engine, worker: bytes, presence: Presence) -> None:
        self.announcing: asyncio.Future[None] | None = None
        self._engine = engine
        self._worker = worker
        self._presence = presence
        self._here: set[bytes] = set()  # who is at this worker
        self._told: set[bytes] = set()  # of whom the engine knows it
        self._changed = asyncio.Event()
        self._settling = asyncio.Lock()

    def enter(self, who: Who) -> None:
        """Somebody is at this worker now."""
        self._here.add(json.dumps(who).encode())
        self._changed.set()
        if self.announcing is None:
            self.announcing = asyncio.get_running_loop().create_future()

    def leave(self, who: Who) -> None:
        """Somebody is at this worker no more."""
        self._here.discard(json.dumps(who).encode())
        self._changed.set()

    def forget(self) -> None:
        """The engine knows nothing any more."""
        if self._told:
            self._told.clear()
            self._changed.set()

    async def run(self) -> None:
        """Tell the engine who comes and goes, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                if await self._engine.is_sure():
                    await self.settle()
                else:
                    self._changed.set()
            except (*AWAY, ValkeyError) as error:
                self._changed.set()
                self._engine.lose(error)
            coming, self.announcing = self.announcing, None
            if coming is not None:  # and if the engine is away, nobody waits any longer
                coming.set_result(None)

    async def settle(self) -> None:
        """Have the engine know what is known here, and announce it."""
        async with self._settling:
            while new := sorted(self._here - self._told):
                self._told.update(new)
                try:
                    await self._put_on(new)
                except BaseException:
                    self._told.difference_update(new)
                    raise
            gone = sorted(self._told - self._here)
            await self._take_off(self._worker, gone)
            self._told.difference_update(gone)

    async def sweep(self, worker: bytes) -> None:
        """Take off all people of a worker that is gone."""
        (people,) = await self._engine.ask(["SMEMBERS", _people_of(worker)])
        await self._take_off(worker, people)

    async def _put_on(self, people: Iterable[bytes]) -> None:
        await self._change("SADD", self._worker, people, 1, "joined")

    async def _take_off(self, worker: bytes, people: Iterable[bytes]) -> None:
        await self._change("SREM", worker, people, 0, "left")

    async def _change(
        self, how: str, worker: bytes, people: Iterable[bytes], workers: int, presence: str
    ) -> None:
        """Change where people are; announce each who is at so many ``workers`` by that."""
        commands: list[list[Word]] = []
        for who in people:
            key = _key(who)
            commands += [[how, _people_of(worker), who], [how, key, worker], ["SCARD", key]]
        if not commands:
            return
        answers = await self._engine.ask(*commands, as_one=True)
        said = []
        for who, has_changed, at in zip(people, answers[1::3], answers[2::3], strict=True):
            if has_changed and at == workers:
                channel, name, slug = json.loads(who)
                said.append(self._presence.say((channel, name, slug), presence))
        await asyncio.gather(*map(_told, said))


async def _told(appended: Appended | None) -> None:
    """Wait until a notice is in the log, or was refused, which the channel writes down."""
    if isinstance(appended, asyncio.Future):
        with contextlib.suppress(Unavailable):
            await asyncio.shield(appended)

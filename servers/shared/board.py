"""The board in the engine on which every worker tells that it lives, and what it has counted.

A worker that told nothing for a while is dead. Any other takes it off the board: what it had
counted is kept with what all who are gone had counted, and its people have left.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from functools import partial

from valkey.exceptions import ValkeyError

from servers.service import Elsewhere, Join, Logs, Service
from servers.shared.address import AWAY
from servers.shared.engine import Engine, Word, end
from servers.shared.keeper import Keeper
from servers.shared.roll import EngineRoll
from servers.telling import counted, snapshot

_WORKERS = b"duplex:workers"  # when each has told last, by the engine's clock in ms
_TOLD = b"duplex:told"  # what each has told
_GONE = b"duplex:gone"  # what those had counted who are gone
_PERIOD_S = 1.0
_DEAD_S = 3.0


@contextlib.asynccontextmanager
async def joined(engine: Engine, service: Service) -> AsyncIterator[None]:
    """Let ``service`` be one of the workers that share an engine."""
    board = Board(engine, service)
    service.elsewhere = Elsewhere()
    service.presence.roll = board.roll
    telling = engine.start(board.run())
    try:
        yield
    finally:
        await end(telling)
        with contextlib.suppress(*AWAY, ValkeyError, TimeoutError):
            async with asyncio.timeout(_PERIOD_S):
                await board.leave()


class Board:
    """One worker's view of the board."""

    def __init__(self, engine: Engine, service: Service) -> None:
        self.id = secrets.token_hex(8).encode()
        self.roll = EngineRoll(engine, self.id, service.presence)
        self._engine = engine
        self._service = service
        self._turn = -1  # of the engine, when it was last told
        self._since_ms = 0  # from when on it was told without a break

    async def run(self) -> None:
        """Tell, and hear of the others, until cancelled."""
        self._engine.start(self.roll.run())
        while True:
            if await self._engine.is_sure():
                try:
                    await self._tell()
                except (*AWAY, ValkeyError) as error:
                    self._engine.lose(error)
            await asyncio.sleep(_PERIOD_S)

    async def _tell(self) -> None:
        ((seconds, micros),) = await self._engine.ask(["TIME"])
        now_ms = seconds * 1000 + micros // 1000
        is_new, _, dead, told, gone = await self._engine.ask(
            ["ZADD", _WORKERS, now_ms, self.id],
            ["HSET", _TOLD, self.id, json.dumps(snapshot(self._service))],
            ["ZRANGEBYSCORE", _WORKERS, "-inf", now_ms - round(_DEAD_S * 1000)],
            ["HGETALL", _TOLD],
            ["HGETALL", _GONE],
        )
        if is_new:  # to an engine that has lost all, or to those who had thought us dead
            self.roll.forget()
        if self._turn != self._engine.turn:
            self._turn, self._since_ms = self._engine.turn, now_ms
        self._service.elsewhere = Elsewhere(
            [json.loads(told[one]) for one in told if one != self.id and one not in dead],
            {name.decode(): float(value) for name, value in gone.items()},
        )
        # Where the engine was away, all have been silent: let them be heard first.
        if now_ms - self._since_ms > _DEAD_S * 1000:
            for one in dead:
                await self._take_off(one)

    async def _take_off(self, worker: bytes) -> None:
        await self.roll.sweep(worker)
        told, _, is_ours = await self._engine.ask(
            ["HGET", _TOLD, worker],
            ["ZREM", _WORKERS, worker],
            ["HDEL", _TOLD, worker],
            as_one=True,
        )
        if told and is_ours:  # nobody else was quicker
            had = counted(json.loads(told))
            counts: list[list[Word]] = [["HINCRBYFLOAT", _GONE, *one] for one in had.items()]
            await self._engine.ask(*counts)

    async def leave(self) -> None:
        """Take ourselves off, with what was counted to the end."""
        await self.roll.settle()
        await self._engine.ask(["HSET", _TOLD, self.id, json.dumps(snapshot(self._service))])
        await self._take_off(self.id)


async def enter(stack: contextlib.AsyncExitStack, address: str) -> tuple[Logs, Join]:
    """Open the history at an engine's address; return what a server takes to have it in common."""
    keeper = await stack.enter_async_context(Keeper(address))
    return keeper, partial(joined, keeper.engine)

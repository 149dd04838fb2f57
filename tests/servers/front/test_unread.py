"""Who takes nothing is left; who takes little by little is served."""

import asyncio
import time

import pytest

from servers.front import unread as module
from servers.front.budget import Budget
from servers.front.unread import Unread
from tests.support.waiting import PATIENCE_S

SIZE = 4 * 2**20


class Pair:
    """A server's transport with something to read on it, and the client's side."""

    async def __aenter__(self) -> "Pair":
        made: asyncio.Queue[asyncio.WriteTransport] = asyncio.Queue()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            made.put_nowait(writer.transport)

        self._server = await asyncio.start_server(take, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=2**12)
        self.transport = await made.get()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        self.transport.abort()
        self._server.close()
        await asyncio.sleep(0)


async def all_given_back(budget: Budget) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while budget.used:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROUND_SECONDS", 0.02)
    monkeypatch.setattr(module, "_UNREAD_SECONDS", 0.3)


@pytest.mark.attack("fill the memory by what is unread", "on")
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("is_stream", [True, False])
async def test_who_takes_nothing_is_left_and_its_room_given_back(is_stream: bool) -> None:
    budget = Budget(2 * SIZE)
    async with Pair() as pair:
        assert Unread(budget).owe(pair.transport, SIZE, is_stream)
        pair.transport.write(bytes(SIZE))
        await all_given_back(budget)
        assert pair.transport.is_closing()


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
async def test_who_takes_little_by_little_is_served() -> None:
    budget = Budget(2 * SIZE)
    async with Pair() as pair:
        assert Unread(budget).owe(pair.transport, SIZE)
        pair.transport.write(bytes(SIZE))
        for _ in range(16):
            await pair.reader.readexactly(SIZE // 16)
            await asyncio.sleep(0.1)
        assert not pair.transport.is_closing()
        await all_given_back(budget)


async def test_what_finds_no_room_is_not_owed() -> None:
    budget = Budget(SIZE)
    async with Pair() as one, Pair() as other:
        unread = Unread(budget)
        assert unread.owe(one.transport, SIZE)
        assert not unread.owe(other.transport, SIZE)
        assert unread.owe(other.transport, 100)
        assert budget.used == SIZE

"""Servers that share the log of a real engine."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from servers.app import Running, running
from servers.service import Settings
from tests.support.engines import MISSING, Valkey


@pytest.fixture(scope="package")
def engine() -> Iterator[Valkey]:
    """Run one engine for all tests that do nothing to it."""
    engine = Valkey()
    yield engine
    engine.close()


@pytest.fixture
def own_engine() -> Iterator[Valkey]:
    """Run an engine that the test may end."""
    engine = Valkey()
    yield engine
    engine.close()


async def servers_of(
    url: str, stack: AsyncExitStack, count: int = 2, settings: Settings | None = None
) -> list[Running]:
    """Run some servers in the test's own loop, each as far from the others as on another host."""
    keeper = pytest.importorskip("servers.shared.keeper", reason=MISSING)
    board = pytest.importorskip("servers.shared.board", reason=MISSING)
    found = []
    for _ in range(count):
        logs = await stack.enter_async_context(keeper.Keeper(url))
        join = partial(board.joined, logs.engine)
        here = running(settings or Settings(), logs=logs, join=join)
        found.append(await stack.enter_async_context(here))
    return found


@pytest.fixture
async def two(engine: Valkey) -> AsyncIterator[list[Running]]:
    """Run two servers that share one log."""
    async with AsyncExitStack() as stack:
        yield await servers_of(engine.url, stack)

"""What the tests of the servers stand on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from servers.app import Running, running
from servers.service import Settings
from tests.servers.relay.relayed import Backend


@pytest.fixture
async def here() -> AsyncIterator[Running]:
    """Run all techniques in the test's own loop."""
    async with running(Settings()) as server:
        yield server


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend.writers.append(writer)
        await backend.accepted.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    backend.port = server.sockets[0].getsockname()[1]
    yield backend
    for writer in backend.writers:
        writer.transport.abort()
    server.close()
    await server.wait_closed()

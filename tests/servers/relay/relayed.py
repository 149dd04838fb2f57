"""A relay between a client and a server that are both in the hands of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from servers.relay.relay import Relay

BLOB = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Peer:
    """Both ends of one relayed connection, in the hands of the test."""

    relay: Relay
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    async def up(self, data: bytes) -> bytes:
        self.client[1].write(data)
        return await self.server[0].readexactly(len(data))

    async def down(self, data: bytes) -> bytes:
        self.server[1].write(data)
        return await self.client[0].readexactly(len(data))


@dataclass
class Backend:
    """A server that hands its connections to the test."""

    port: int = 0
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=asyncio.Queue
    )
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, relay: Relay) -> Peer:
        client = await asyncio.open_connection("127.0.0.1", relay.port)
        self.writers.append(client[1])
        return Peer(relay, client, await self.accepted.get())


@asynccontextmanager
async def joined(backend: Backend, **settings: object) -> AsyncIterator[Peer]:
    async with Relay("127.0.0.1", backend.port, **settings) as relay:  # type: ignore[arg-type]
        yield await backend.connect(relay)


async def fails_or_ends(reader: asyncio.StreamReader) -> bytes:
    """What still arrives until the connection ends, by FIN or RST."""
    got = b""
    try:
        while chunk := await reader.read(1 << 16):
            got += chunk
    except ConnectionError:
        pass
    return got


def waiting(relay: Relay) -> int:
    return sum(connection.waiting for connection in relay.connections.each)

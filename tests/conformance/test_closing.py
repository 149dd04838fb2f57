"""Whoever ends a connection, and however: no socket, subscriber or task is left behind."""

import asyncio
import socket
from collections.abc import Iterator

import psutil
import pytest

from clients.errors import ClientError
from servers.app import running
from servers.service import Settings
from tests.conformance.doors import HELD, Desk, Wire, join, take_messages
from tests.server_process import ServerProcess, eventually, relaying

MANY = 20


@pytest.fixture(scope="module")
def alone() -> Iterator[ServerProcess]:
    """Run a server that no other module's tests use."""
    server = ServerProcess()
    desk = Desk(server)
    desk.publish("warm-up", "hola")
    desk.close()
    eventually(lambda: is_empty(server), "the warm-up is over")
    yield server
    server.stop()


def is_empty(server: ServerProcess) -> bool:
    """Whether nothing is open but the connection that asks."""
    stats = server.stats()
    return (
        stats["process"]["open_sockets"] == 1
        and not any(row["open"] or row["held"] for row in stats["techniques"].values())
        and not any(channel["subscribers"] for channel in stats["channels"].values())
    )


def is_back(server: ServerProcess, descriptors: int) -> bool:
    return is_empty(server) and server.process.num_fds() == descriptors


def open_raw(slug: str, server: ServerProcess, channel: str) -> Wire:
    """Open a bare connection on which the technique holds something."""
    wire = Wire(server, slug)
    if slug == "plugin_socket":
        wire.send(b'{"channel":"%b"}\0' % channel.encode())
        wire.until(b"\0")
    elif slug == "web_socket":
        wire.get(
            f"/{slug}?channel={channel}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        )
        assert wire.head().status == 101
    elif slug == "long_polling":
        desk = Desk(server)
        wire.get(f"/{slug}?channel={channel}&after={desk.cursor(channel)}")
        desk.close()
        eventually(lambda: server.stats()["techniques"][slug]["held"], "the request is held")
    else:
        wire.get(f"/{slug}?channel={channel}")
        assert wire.head().status == 200
    return wire


def test_clients_that_close(technique: str, alone: ServerProcess, channel: str) -> None:
    descriptors = alone.process.num_fds()
    clients = [join(technique, alone, channel) for _ in range(MANY)]
    clients[0].send("hola")
    for client in clients:
        take_messages(client, 1)
    stats = alone.stats()
    if technique in HELD:
        assert stats["techniques"][technique]["open"] == MANY
    assert stats["process"]["open_sockets"] >= MANY
    for client in clients:
        client.close()
    eventually(lambda: is_back(alone, descriptors), "all are gone")


def test_connections_that_are_reset(technique: str, alone: ServerProcess, channel: str) -> None:
    descriptors = alone.process.num_fds()
    with relaying(alone.port_of(technique)) as relay:
        clients = [join(technique, alone, channel, through=relay) for _ in range(MANY)]
        relay.cut(reset=True)
        for client in clients:
            client.close()
    eventually(lambda: is_back(alone, descriptors), "all are gone")


@pytest.mark.parametrize("slug", HELD)
def test_connections_that_are_half_closed(slug: str, alone: ServerProcess, channel: str) -> None:
    descriptors = alone.process.num_fds()
    with open_raw(slug, alone, channel) as wire:
        wire.sock.shutdown(socket.SHUT_WR)
        answer = wire.rest()
    if slug == "long_polling":
        assert answer.startswith(b"HTTP/1.1 204 ")  # a peer that sends no more may still read
    eventually(lambda: is_back(alone, descriptors), "it is gone")


@pytest.mark.parametrize("slug", HELD)
def test_a_connection_that_ends_while_much_is_written_on_it(
    slug: str, alone: ServerProcess, channel: str
) -> None:
    descriptors = alone.process.num_fds()
    desk = Desk(alone)
    for _ in range(3):
        wire = open_raw(slug, alone, channel)
        desk.publish_all(channel, ["x" * 100_000] * 10)
        wire.close()
        desk.publish_all(channel, ["x" * 100_000] * 3)
    desk.close()
    eventually(lambda: is_back(alone, descriptors), "all are gone")


@pytest.mark.parametrize("slug", ["plugin_socket", "web_socket", "long_polling", "sse"])
def test_connections_that_the_server_ends(slug: str, alone: ServerProcess, channel: str) -> None:
    """A fatal line, an unmasked frame, a request to close, and HTTP/1.0 with its last answer."""
    descriptors = alone.process.num_fds()
    if slug == "plugin_socket":
        wire = Wire(alone, slug)
        wire.send(b"no JSON\0")
    elif slug == "web_socket":
        wire = open_raw(slug, alone, channel)
        wire.send(b"\x81\x02hi")
        wire.until(b"\x03\xea")  # 1002
    elif slug == "long_polling":
        wire = Wire(alone)
        wire.get(f"/{slug}?channel={channel}", "Connection: close")
    else:
        wire = Wire(alone)
        wire.get(f"/{slug}?channel={channel}&after=wrong", "Connection: close")
    with wire:
        wire.rest()  # does not end but by the server
        eventually(lambda: is_back(alone, descriptors), "it is gone")


async def test_a_server_that_stops(technique: str, channel: str) -> None:
    process = psutil.Process()
    tasks, descriptors = asyncio.all_tasks(), process.num_fds()
    async with running(Settings()) as server:
        client = await asyncio.to_thread(join, technique, server, channel, reconnects=0)
        await asyncio.to_thread(client.send, "hola")
        await asyncio.to_thread(take_messages, client, 1)
    with pytest.raises(ClientError):
        await asyncio.to_thread(client.receive, 10)
    client.close()
    assert asyncio.all_tasks() == tasks
    assert process.num_fds() == descriptors
    assert not server.service.liveness.held
    assert server.service.ledger.sockets == 0

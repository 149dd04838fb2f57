"""Whoever ends a connection, and however: no socket, subscriber or task is left behind."""

import socket

import pytest

from tests.conformance.steps import FRAMED, HELD, POLLS, Desk, join, raw_to, relay_to, take_messages
from tests.support.processes import ServerAddress
from tests.support.raw import RawSocket
from tests.support.waiting import eventually
from wire.techniques import OWN_PORT

MANY = 20


@pytest.fixture(scope="module")
def alone(server: ServerAddress) -> ServerAddress:
    """Wait until the server has forgotten what other modules did."""
    desk = Desk(server)
    desk.publish("warm-up", "hola")
    desk.close()
    eventually(lambda: is_empty(server), "nobody but this test is connected")
    return server


def is_empty(server: ServerAddress) -> bool:
    """Whether nothing is open but the connection that asks."""
    stats = server.stats()
    return (
        stats["process"]["open_sockets"] == 1
        and not any(row["open"] or row["held"] for row in stats["techniques"].values())
        and not any(channel["subscribers"] for channel in stats["channels"].values())
    )


def is_back(server: ServerAddress, descriptors: int) -> bool:
    return is_empty(server) and server.descriptors() == descriptors


def open_raw(slug: str, server: ServerAddress, channel: str) -> RawSocket:
    """Open a bare connection on which the technique holds something."""
    raw = raw_to(server, slug)
    if slug in OWN_PORT:
        raw.send(b'{"channel":"%b"}\0' % channel.encode())
        raw.until(b"\0")
    elif slug in FRAMED:
        raw.get(
            f"/{slug}?channel={channel}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        )
        assert raw.head().status == 101
    elif slug in POLLS:
        desk = Desk(server)
        raw.get(f"/{slug}?channel={channel}&after={desk.cursor(channel)}")
        desk.close()
        eventually(lambda: server.stats()["techniques"][slug]["held"], "the request is held")
    else:
        raw.get(f"/{slug}?channel={channel}")
        assert raw.head().status == 200
    return raw


def test_clients_that_close(technique: str, alone: ServerAddress, channel: str) -> None:
    """Visitors come and go all day: what each leaves behind adds up until the server is full."""
    descriptors = alone.descriptors()
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


def test_connections_that_are_reset(technique: str, alone: ServerAddress, channel: str) -> None:
    """Phones vanish without a good-bye, a whole train of them at once."""
    descriptors = alone.descriptors()
    with relay_to(alone, technique) as relay:
        clients = [join(technique, alone, channel, through=relay) for _ in range(MANY)]
        relay.cut(reset=True)
        for client in clients:
            client.close()
    eventually(lambda: is_back(alone, descriptors), "all are gone")


@pytest.mark.parametrize("slug", HELD)
def test_connections_that_are_half_closed(slug: str, alone: ServerAddress, channel: str) -> None:
    """A peer that sends no more may still read: a waiting request is answered, a stream ends."""
    descriptors = alone.descriptors()
    with open_raw(slug, alone, channel) as raw:
        raw.socket.shutdown(socket.SHUT_WR)
        answer = raw.rest()
    if slug in POLLS and not alone.is_secure:  # TLS knows no half-close
        assert answer.startswith(b"HTTP/1.1 204 ")
    eventually(lambda: is_back(alone, descriptors), "it is gone")


@pytest.mark.parametrize("slug", HELD)
def test_a_connection_that_ends_while_much_is_written_on_it(
    slug: str, alone: ServerAddress, channel: str
) -> None:
    """People close the tab just while a lot comes; what was on its way must not stay in memory."""
    descriptors = alone.descriptors()
    desk = Desk(alone)
    for _ in range(3):
        raw = open_raw(slug, alone, channel)
        desk.publish_all(channel, ["x" * 100_000] * 10)
        raw.close()
        desk.publish_all(channel, ["x" * 100_000] * 3)
    desk.close()
    eventually(lambda: is_back(alone, descriptors), "all are gone")


@pytest.mark.parametrize("slug", HELD)
def test_connections_that_the_server_ends(slug: str, alone: ServerAddress, channel: str) -> None:
    """Who is sent away must be let go of, too.

    A fatal line, an unmasked frame, a request to close, and a last answer.
    """
    descriptors = alone.descriptors()
    if slug in OWN_PORT:
        raw = raw_to(alone, slug)
        raw.send(b"no JSON\0")
    elif slug in FRAMED:
        raw = open_raw(slug, alone, channel)
        raw.send(b"\x81\x02hi")
        raw.until(b"\x03\xea")  # 1002
    elif slug in POLLS:
        raw = raw_to(alone)
        raw.get(f"/{slug}?channel={channel}", "Connection: close")
    else:
        raw = raw_to(alone)
        raw.get(f"/{slug}?channel={channel}&after=wrong", "Connection: close")
    with raw:
        raw.rest()  # does not end but by the server
        if alone.is_secure:
            raw.close()  # TLS waits a while for the peer's good-bye
        eventually(lambda: is_back(alone, descriptors), "it is gone")

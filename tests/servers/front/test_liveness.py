import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from servers.front.liveness import Liveness
from tests.servers.standing_in import FakeTransport
from tests.support.waiting import until
from wire.tcp_info import SIZE, decode_tcp_info

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")


class Held:
    """Notes what is asked of it."""

    def __init__(self, liveness: Liveness, leaves: bool = False) -> None:
        self.said: list[str] = []
        self.liveness = liveness
        self.leaves = leaves
        self.transport: asyncio.Transport = FakeTransport()
        liveness.held[self] = 0

    def beat(self) -> None:
        self.said.append("beat")
        if self.leaves:
            self.liveness.held.clear()

    def check(self) -> None:
        self.said.append("check")

    def finish(self) -> None:
        self.said.append("finish")


async def test_it_beats_then_checks_then_goes_the_rounds() -> None:
    liveness = Liveness(0.02)
    held = Held(liveness)
    liveness.rounds.append(lambda: held.said.append("round"))
    liveness.start()
    await until(lambda: len(held.said) >= 6, "two rounds")
    await liveness.stop()
    assert held.said[:6] == ["beat", "check", "round"] * 2
    said = len(held.said)
    await asyncio.sleep(0.05)
    assert len(held.said) == said


async def test_who_leaves_during_a_round_is_not_asked_any_more() -> None:
    liveness = Liveness(0.02)
    first, second = Held(liveness, leaves=True), Held(liveness)
    liveness.start()
    await until(lambda: first.said, "a beat")
    await liveness.stop()
    assert second.said == []


async def test_to_stop_what_was_not_started_is_nothing() -> None:
    await Liveness(1).stop()


def over(sock: socket.socket, liveness: Liveness) -> Held:
    held = Held(liveness)
    held.transport = FakeTransport(socket=sock)
    return held


@contextlib.contextmanager
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, the accepted one first."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        with server.accept()[0] as ours:
            yield ours, client


def test_a_transport_without_a_socket_is_not_called_deaf() -> None:
    liveness = Liveness(1)
    assert not liveness.is_deaf(Held(liveness))


@linux_only
def test_a_peer_that_does_not_read_is_not_deaf() -> None:
    """Its kernel acknowledges what fits and then closes the window; that is a slow reader."""
    liveness = Liveness(1)
    with connection() as (ours, _):
        ours.setblocking(False)
        try:
            while True:
                ours.send(bytes(65536))
        except BlockingIOError:
            pass
        held = over(ours, liveness)
        liveness._beat(held)
        time.sleep(0.6)  # the last acknowledgement is old; what waits has not been sent
        assert not liveness.is_deaf(held)


@linux_only
def test_a_peer_that_was_quiet_has_time_to_acknowledge_what_is_sent_just_now() -> None:
    liveness = Liveness(0.5)
    with connection() as (ours, client):
        held = over(ours, liveness)
        ours.send(b"a sign of life")
        liveness._beat(held)
        time.sleep(0.3)  # nothing was to be acknowledged for more than 0.4 heartbeats
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        ours.send(b"a message")
        info = decode_tcp_info(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SIZE))
        assert (info.unacked, info.last_ack_recv_ms >= 200) == (1, True)
        assert not liveness.is_deaf(held)


@linux_only
def test_a_socket_that_is_closed_is_deaf() -> None:
    liveness = Liveness(1)
    with socket.socket() as sock:
        held = over(sock, liveness)
    assert liveness.is_deaf(held)
    liveness._beat(held)

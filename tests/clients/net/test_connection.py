import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clients.errors import ClosedError, ConnectionLostError, UnreachableError
from clients.net.address import parse_address
from clients.net.connection import Connection
from clients.net.traffic import Traffic
from tests.clients.conftest import Script


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket, Traffic]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        traffic = Traffic()
        near = Connection(
            parse_address(f"http://127.0.0.1:{listener.getsockname()[1]}"), traffic, 5
        )
        far, _ = listener.accept()
        yield near, far, traffic
        near.close()
        far.close()


def test_reads_with_a_deadline(ends: tuple[Connection, socket.socket, Traffic]) -> None:
    near, far, traffic = ends
    assert near.receive(time.monotonic()) is None
    assert near.receive(time.monotonic() + 0.02) is None
    before = time.monotonic_ns()
    far.sendall(b"abc")
    assert near.receive(None) == b"abc"
    assert before < near.arrived_ns <= time.monotonic_ns()
    far.close()
    assert near.receive(None) == b""
    assert (traffic.bytes_down, traffic.bytes_up, traffic.connections) == (3, 0, 1)


def test_knows_whether_an_idle_connection_stands(
    ends: tuple[Connection, socket.socket, Traffic],
) -> None:
    near, far, _ = ends
    assert near.is_quiet()
    far.close()
    assert near.receive(time.monotonic() + 5) == b""
    assert not near.is_quiet()


def test_a_sender_does_not_wait_for_ever(ends: tuple[Connection, socket.socket, Traffic]) -> None:
    near, _, traffic = ends
    with pytest.raises(ConnectionLostError, match=r"no data for 0\.1 s"):
        near.send(b"x" * 50_000_000, 0.1)
    assert 0 < traffic.bytes_up < 50_000_000


def test_nothing_follows_half_a_message(ends: tuple[Connection, socket.socket, Traffic]) -> None:
    near, far, traffic = ends
    with pytest.raises(ConnectionLostError):
        near.send(b"x" * 50_000_000, 0.1)
    left = traffic.bytes_up
    while left:
        left -= len(far.recv(left))
    with pytest.raises(ConnectionLostError):
        near.send(b"another", 5)
    assert far.recv(10) == b""
    far.sendall(b"said before it ended")
    assert near.receive(time.monotonic() + 5) == b"said before it ended"


def test_finishing_waits_for_one_who_reads(ends: tuple[Connection, socket.socket, Traffic]) -> None:
    near, far, _ = ends
    read: list[object] = []
    reader = threading.Thread(target=lambda: read.append(near.receive(None)))
    reader.start()
    finisher = threading.Thread(target=near.finish, args=(20,))
    finisher.start()
    assert far.recv(10) == b""
    far.sendall(b"last")
    reader.join(10)
    assert read == [b"last"]
    far.close()
    finisher.join(10)
    assert not finisher.is_alive()


def test_finishing_ends_although_the_peer_does_not(
    ends: tuple[Connection, socket.socket, Traffic], monkeypatch: pytest.MonkeyPatch
) -> None:
    near, _, _ = ends
    began = time.monotonic()

    def flood(deadline: float | None) -> bytes:
        assert time.monotonic() - began < 10
        return b"more"

    monkeypatch.setattr(Connection, "receive", staticmethod(flood))
    near.finish(0.05)


def test_sends_while_another_thread_receives_without_waiting(
    ends: tuple[Connection, socket.socket, Traffic],
) -> None:
    near, far, traffic = ends
    size = 5_000_000
    done = threading.Event()

    def poll() -> None:
        while not done.is_set():
            near.receive(time.monotonic() + 0.0001)

    def drain() -> None:
        left = size
        while left:
            left -= len(far.recv(65536))

    threads = [threading.Thread(target=poll), threading.Thread(target=drain)]
    for thread in threads:
        thread.start()
    try:
        near.send(b"x" * size, 30)
    finally:
        done.set()
        near.receive(time.monotonic())
        for thread in threads:
            thread.join(30)
    assert traffic.bytes_up == size


def test_close_wakes_a_waiting_reader(ends: tuple[Connection, socket.socket, Traffic]) -> None:
    near, _, _ = ends
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(near.receive(None))
        except ConnectionLostError as error:
            outcome.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    near.close()
    thread.join(10)
    assert not thread.is_alive()
    assert outcome


def test_an_ended_client_opens_nothing(script: Callable[..., Script]) -> None:
    server = script([])
    traffic = Traffic()
    traffic.end()
    with pytest.raises(ClosedError):
        Connection(parse_address(server.url), traffic, 5)


def test_nobody_there_is_said_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match=f"cannot connect to 127.0.0.1:{port}: .*refused"):
        Connection(parse_address(f"http://127.0.0.1:{port}"), Traffic(), 5)

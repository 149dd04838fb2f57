"""Arrival times: by the reading process, or by the kernel, however late the process reads."""

import socket
import sys
import time
from collections.abc import Iterator

import pytest

from clients.net import arrival

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A connected pair (sender, receiver); the module's switch is put back afterwards."""
    monkeypatch.setattr(arrival, "_by_kernel", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver = socket.create_connection(server.getsockname())
        sender, _ = server.accept()
    with receiver, sender:
        yield sender, receiver


def send_and_wait(sender: socket.socket, receiver: socket.socket) -> tuple[int, int]:
    """Send, and return when it was sent and, later, when reading begins."""
    before = time.monotonic_ns()
    sender.sendall(b"hello")
    receiver.recv(1, socket.MSG_PEEK)
    time.sleep(0.05)  # the process is busy with others
    return before, time.monotonic_ns()


def test_by_default_it_is_when_the_process_read(pair: Pair) -> None:
    sender, receiver = pair
    arrival.prepare(receiver)
    _, reading = send_and_wait(sender, receiver)
    data, arrived_ns = arrival.receive(receiver, 100)
    assert data == b"hello"
    assert reading <= arrived_ns <= time.monotonic_ns()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives")
def test_by_the_kernel_it_is_before_the_process_read(pair: Pair) -> None:
    sender, receiver = pair
    assert arrival.use_kernel_clock()
    arrival.prepare(receiver)
    send_and_wait(sender, receiver)  # the kernel begins to stamp some time after it was asked
    arrival.receive(receiver, 100)
    sent, reading = send_and_wait(sender, receiver)
    data, arrived_ns = arrival.receive(receiver, 100)
    assert data == b"hello"
    assert sent <= arrived_ns < reading


def test_the_end_of_a_connection_is_still_seen(pair: Pair) -> None:
    sender, receiver = pair
    arrival.use_kernel_clock()
    arrival.prepare(receiver)
    sender.close()
    data, arrived_ns = arrival.receive(receiver, 100)
    assert data == b""
    assert arrived_ns <= time.monotonic_ns()

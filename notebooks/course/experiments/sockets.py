"""Experiments with plain sockets, no server of ours: what the simplest loop over clients does."""

import socket
import threading
import time
from statistics import median
from typing import Any

from notebooks.course.experiments.place import Place

_STALLED_S = 1.0  # how long a write may hang before it counts as stuck


def connected_pairs(
    count: int, buffer_bytes: int | None = None
) -> list[tuple[socket.socket, socket.socket]]:
    """Return ``count`` connected TCP connections: (server's end, client's end)."""
    pairs = []
    with socket.create_server(("127.0.0.1", 0), backlog=count) as listener:
        for _ in range(count):
            ours = socket.create_connection(listener.getsockname(), timeout=5)
            theirs, _address = listener.accept()
            theirs.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pairs.append((theirs, ours))
    return pairs


def turn_by_turn(place: Place, receivers: int, rounds: int = 30) -> list[float]:
    """Write one small message to each of ``receivers`` in turn; return the ms until each had it.

    The median over ``rounds``, by place in the list.
    """
    pairs = connected_pairs(receivers)
    times: list[list[float]] = [[] for _ in pairs]
    try:
        for _ in range(rounds):
            began = time.monotonic_ns()
            for at, (server, _client) in enumerate(pairs):
                server.send(b"x" * 75)
                times[at].append((time.monotonic_ns() - began) / 1e6)
            for _server, client in pairs:
                client.recv(100)
    finally:
        for pair in pairs:
            for end in pair:
                end.close()
    return [round(median(one), 4) for one in times]


def stalled_loop(place: Place, messages: int = 3000, size: int = 4096) -> dict[str, Any]:
    """Send to three receivers in turn, waiting for each; the second never reads.

    Returns how many messages the first (it reads) received before the loop hung, how many bytes
    the stalled one's connection had swallowed by then, and whether it hung at all.
    """
    pairs = connected_pairs(3)
    got = [0, 0, 0]

    def read(at: int) -> None:
        while data := pairs[at][1].recv(65536):
            got[at] += len(data)

    readers = [threading.Thread(target=read, args=(at,), daemon=True) for at in (0, 2)]
    for reader in readers:
        reader.start()
    swallowed, hung = 0, False
    for server, _client in pairs:
        server.settimeout(_STALLED_S)
    try:
        for _ in range(messages):
            for at, (server, _client) in enumerate(pairs):
                rest = memoryview(b"x" * size)
                while rest:
                    sent = server.send(rest)
                    rest = rest[sent:]
                    swallowed += sent if at == 1 else 0
    except TimeoutError:
        hung = True
    time.sleep(0.2)
    for server, _client in pairs:
        server.close()
    for reader in readers:
        reader.join(2)
    for _server, client in pairs:
        client.close()
    return {
        "messages": got[0] // size,
        "last": got[2] // size,
        "swallowed": swallowed,
        "hung": hung,
    }


def nagle(place: Place, count: int = 20) -> dict[str, list[float]]:
    """Write a message in two pieces and wait for the answer; return ms with Nagle and without."""
    found = {}
    for name, no_delay in (("Nagle", 0), ("TCP_NODELAY", 1)):
        ((server, client),) = connected_pairs(1)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)

        def answer(sock: socket.socket = server) -> None:
            data = b""
            while piece := sock.recv(100):
                data += piece
                if len(data) == 20:
                    data = b""
                    sock.send(b"ok")

        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        times = []
        for _ in range(count):
            began = time.monotonic_ns()
            client.send(b"head of 10")
            client.send(b"body of 10")
            client.recv(10)
            times.append(round((time.monotonic_ns() - began) / 1e6, 3))
        client.close()
        answering.join(2)
        server.close()
        found[name] = times
    return found

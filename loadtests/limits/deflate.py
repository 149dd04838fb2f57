"""What permessage-deflate costs and gains: ``python -m loadtests.limits.deflate``.

Two servers side by side, one plain and one started with ``--deflate``, each with the same
subscribers (``--connections``) and the same messages, round after round in turn. Told is, per
kind of text: bytes on the wire per delivery, the server's CPU per delivery (one compressed form
serves all subscribers) and per echo (where each connection is inflated and deflated by itself),
and the server's resident memory per connection, idle and after use.
"""

import argparse
import contextlib
import os
import random
import selectors
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from clients.net.desk import Desk
from loadtests.trials.processes import Server, cores
from wire import web_socket_deflate
from wire.http_head import END, decode_response_head
from wire.web_socket_deflate import Agreement
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_handshake import check_response, encode_opening

_SENTENCE = (
    "the server waits until a message comes and then writes it to everybody who listens at that "
    "moment while others ask again and again whether something new has happened since they last "
    "asked which costs a request each time"
)
_ROUNDS = 3
_PLAIN = (("Content-Type", "text/plain"),)


def _prose(size: int) -> str:
    rng = random.Random(size)
    return " ".join(rng.choices(_SENTENCE.split(), k=size))[:size]


def _noise(size: int) -> str:
    return random.Random(size).randbytes(size).hex()[:size]


TEXTS = {
    "100 B of prose": _prose(100),
    "1,000 B of prose": _prose(1000),
    "10,000 B of prose": _prose(10_000),
    "1,000 B of random hex": _noise(1000),
}


class Side:
    """One server with its subscribers."""

    def __init__(self, name: str, offer: str, connections: int) -> None:
        server_core, _ = cores()
        self.name = name
        self._offer = offer
        self._server = Server(["web_socket"], server_core, flags=["--deflate"] * bool(offer))
        self._address = self._server.host, self._server.port
        self._agreement: Agreement | None = None
        self._desk = Desk(self._server.url, timeout=30)
        before = self._desk.stats()["process"]["rss_bytes"]
        self._subscribers = [self._open("/web_socket?channel=bench") for _ in range(connections)]
        self._echoes = [self._open("/web_socket/echo") for _ in range(connections)]
        self._before = before

    def memory(self) -> float:
        """Return the server's resident bytes per connection."""
        now = self._desk.stats()["process"]["rss_bytes"]
        return float(now - self._before) / (len(self._subscribers) + len(self._echoes))

    def _open(self, target: str) -> socket.socket:
        sock = socket.create_connection(self._address, 30)
        nonce, host = os.urandom(16), ("Host", self._address[0])
        sock.sendall(encode_opening(target, [host], nonce, extension=self._offer))
        head = b""
        while END not in head:
            head += sock.recv(4096)
        response = decode_response_head(head.partition(END)[0])
        _, self._agreement = check_response(response, nonce, extension=self._offer)
        return sock

    def broadcast(self, text: str, count: int) -> tuple[float, float]:
        """Publish ``count`` messages; return bytes and CPU microseconds per delivery."""

        def publish() -> None:
            for _ in range(count):
                self._desk.ask("POST", "/publish?channel=bench", 201, text.encode(), _PLAIN)

        return self._measure(self._subscribers, publish, count * len(self._subscribers))

    def echo(self, text: str, count: int) -> tuple[float, float]:
        """Send ``count`` messages on each connection; return bytes and CPU us per echo."""
        payload = text.encode()
        if self._agreement is not None:
            payload = web_socket_deflate.deflate(payload)
        is_small = self._agreement is not None
        frame = encode_frame(Opcode.TEXT, payload, mask=os.urandom(4), rsv1=is_small) * count

        def send() -> None:
            for sock in self._echoes:
                sock.sendall(frame)

        return self._measure(self._echoes, send, count * len(self._echoes))

    def _measure(
        self, socks: Sequence[socket.socket], act: Callable[[], None], count: int
    ) -> tuple[float, float]:
        before = self._desk.stats()
        act()
        moved = _drain(socks)
        after = self._desk.stats()
        cpu = after["process"]["cpu_s"] - before["process"]["cpu_s"]
        return moved / count, cpu * 1e6 / count

    def close(self) -> None:
        """End connections and server."""
        for sock in [*self._subscribers, *self._echoes]:
            sock.close()
        self._desk.close()
        self._server.end()


def _drain(socks: Sequence[socket.socket]) -> int:
    """Read until nothing has come for a moment; return how many bytes that was."""
    total = 0
    with selectors.DefaultSelector() as selector:
        for number, sock in enumerate(socks):
            selector.register(sock, selectors.EVENT_READ, number)
        while ready := selector.select(0.3):
            total += sum(len(socks[key.data].recv(2**18)) for key, _ in ready)
    return total


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one kind of text on one side."""

    text: str
    side: str
    broadcast: tuple[float, float]
    echo: tuple[float, float]


def measure(sides: Sequence[Side], messages: int) -> Iterator[Row]:
    """Measure every text on both sides in turn."""
    for name, text in TEXTS.items():
        broadcasts: dict[str, list[tuple[float, float]]] = {side.name: [] for side in sides}
        echoes: dict[str, list[tuple[float, float]]] = {side.name: [] for side in sides}
        for _ in range(_ROUNDS):
            for side in sides:
                broadcasts[side.name].append(side.broadcast(text, messages))
                echoes[side.name].append(side.echo(text, 3))
        for side in sides:
            yield Row(name, side.name, _medians(broadcasts[side.name]), _medians(echoes[side.name]))


def _medians(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return median(first for first, _ in values), median(second for _, second in values)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        "python -m loadtests.limits.deflate", description="Measure what permessage-deflate costs."
    )
    parser.add_argument(
        "--connections", type=int, default=200, help="of each kind and side (default: %(default)s)"
    )
    parser.add_argument(
        "--messages", type=int, default=10, help="broadcast in each round (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        sides = [
            Side("plain", "", options.connections),
            Side("deflate", web_socket_deflate.offer(), options.connections),
        ]
        for side in sides:
            stack.callback(side.close)
        idle = {side.name: side.memory() for side in sides}
        print(f"{'':24}{'':9}{'broadcast':>22}{'echo':>22}")
        print(f"{'text':24}{'side':9}" + f"{'B each':>11}{'CPU us':>11}" * 2)
        for row in measure(sides, options.messages):
            numbers = "".join(f"{value:11.1f}" for value in (*row.broadcast, *row.echo))
            print(f"{row.text:24}{row.side:9}{numbers}", flush=True)
        for side in sides:
            print(
                f"{side.name}: {idle[side.name] / 1024:.1f} KiB of memory per connection idle, "
                f"{side.memory() / 1024:.1f} after use"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

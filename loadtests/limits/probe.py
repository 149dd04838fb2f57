"""The receiving end of the limits benchmark: thousands of sockets in one lean process.

It is told what to do by JSON lines on its standard input, and answers each with one:

    {"do":"open","count":1000}   connect, greet, and wait until each is subscribed
    {"do":"measure"}             count from now on
    {"do":"report"}              what has come since
    {"do":"pause","count":10}    stop reading on so many
    {"do":"resume"}              read on
    {"do":"churn","count":10}    cut so many, and come back with their cursors

Every socket's bytes are counted; since all get the same bytes, one that is read message by message
tells how many messages each got, and any difference between sockets shows. Latency is taken on a
sample of the sockets, up to when the kernel had the bytes (what this process is late in reading is
not the server's), the spread (first to last socket of one message) on all. With ``--audit``
every message of every socket is read, and its id must follow the one before.
"""

import argparse
import json
import random
import re
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

from clients.net import arrival
from loadtests.limits.audit import Audit
from loadtests.plan.greeting import greeting
from wire.http_head import END
from wire.techniques import BY_SLUG, TECHNIQUES

_ID = re.compile(rb'"id": ?(\d+),')
_SENT = re.compile(rb'"sent_ns": ?(\d+),')
_CURSOR = re.compile(rb'"cursor": ?"([^"]+)"')
_SAMPLE = 20  # sockets
_PART = 2000  # latencies: a second of a hundred messages to each of the sample
_MESSAGE_END = 300  # bytes that surely hold the head of a message of the benchmark

_NO_RST_WAIT = struct.pack("ii", 1, 0)  # close by RST, as a line that is cut


class Probe:
    """Sockets of one technique to one server. ``interval`` is the polls' pace in seconds."""

    def __init__(self, slug: str, port: int, interval: float, audit: bool) -> None:
        self._technique = BY_SLUG[slug]
        self._audit = Audit() if audit else None
        self._port = port
        self._interval = interval
        self._sockets: dict[int, socket.socket] = {}
        self._cursors: dict[int, bytes] = {}
        self._poller = select.epoll()
        self._buffer = bytearray(262144)  # one for all, as making it anew would cost most
        self._sampled: set[int] = set()
        self._due: list[tuple[float, int]] = []  # polls, in the order of their time
        self.measure()

    def measure(self) -> None:
        """Begin to count."""
        self._bytes = dict.fromkeys(self._sockets, 0)
        self._latencies: list[int] = []
        self._messages = dict.fromkeys(self._sampled, 0)
        self._answers = 0
        self._first: dict[bytes, int] = {}
        self._last: dict[bytes, int] = {}
        self._ended = 0

    def open(self, count: int) -> None:
        """Connect ``count`` more sockets, a few at a time, and wait until all are subscribed."""
        for start in range(0, count, 200):
            fresh = [self._greet() for _ in range(min(200, count - start))]
            for one in fresh:
                self._subscribed(one)
        self._sampled = set(list(self._sockets)[:: max(len(self._sockets) // _SAMPLE, 1)])
        for fd in self._sampled:
            arrival.prepare(self._sockets[fd])
        if self._technique.asks:
            now = time.monotonic()
            step = self._interval / len(self._sockets)
            self._due = [(now + i * step, fd) for i, fd in enumerate(self._sockets)]
        self.measure()

    def _greet(self, cursor: bytes = b"") -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self._port))
        one.sendall(greeting(self._technique.slug, "limits", cursor.decode()))
        return one

    def pause(self, count: int) -> None:
        """Stop reading on ``count`` sockets that are not in the sample."""
        self._paused = [fd for fd in self._sockets if fd not in self._sampled][-count:]
        for fd in self._paused:
            self._poller.unregister(fd)

    def resume(self) -> None:
        """Read on."""
        for fd in self._paused:
            self._poller.register(fd, select.EPOLLIN)

    def churn(self, count: int) -> None:
        """Cut ``count`` connections and open as many again where they were."""
        assert self._audit is not None
        for fd in random.sample(list(self._sockets), count):
            one = self._sockets.pop(fd)
            cursor, last = self._audit.forget(fd)
            self._bytes.pop(fd)
            self._sampled.discard(fd)
            self._poller.unregister(fd)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_RST_WAIT)
            one.close()
            self._subscribed(self._greet(cursor), last)

    def _subscribed(self, one: socket.socket, last: int | None = None) -> None:
        one.settimeout(30)
        end = b"}\0" if self._technique.own_port else END
        if self._technique.codec == "batch":
            end = b"false}"
        head = b""
        while end not in head:
            head += one.recv(4096)
        fd = one.fileno()
        self._sockets[fd] = one
        if self._audit is not None:
            self._bytes.setdefault(fd, 0)
            self._audit.begin(fd, head, last)
        one.setblocking(False)
        self._poller.register(fd, select.EPOLLIN)
        if self._technique.codec == "batch":
            found = _CURSOR.search(head)
            assert found is not None
            self._cursors[fd] = found[1]
            if self._technique.held:
                self._ask(fd)

    def _ask(self, fd: int) -> None:
        self._sockets[fd].send(
            b"GET /%b?channel=limits&after=%b HTTP/1.1\r\nHost: x\r\n\r\n"
            % (self._technique.slug.encode(), self._cursors[fd])
        )

    def turn(self, timeout: float) -> bool:
        """Take what has come; return whether the command line has something to say."""
        is_told = False
        buffer = self._buffer
        for fd, _ in self._poller.poll(timeout):
            if fd == sys.stdin.fileno():
                is_told = True
                continue
            try:
                if fd in self._sampled:
                    data, arrived = arrival.receive(self._sockets[fd], len(buffer))
                    size = len(data)
                    buffer[:size] = data
                else:
                    size = self._sockets[fd].recv_into(buffer)
            except OSError:
                size = 0
            now = time.monotonic_ns()
            if not size:
                self._ended += 1
                self._poller.unregister(fd)
                continue
            self._bytes[fd] += size
            found = _ID.search(buffer, 0, min(size, _MESSAGE_END))
            if found:
                self._first.setdefault(found[1], now)
                self._last[found[1]] = now
            if not (fd in self._sampled or self._cursors or self._audit):
                continue
            data = bytes(buffer[:size])
            if fd in self._cursors:
                self._take_answer(fd, data)
            if self._audit is not None:
                self._audit.take(fd, data)
            if fd in self._sampled:
                sent = _SENT.findall(data)
                self._messages[fd] += len(sent)
                self._latencies += [arrived - int(stamp) for stamp in sent]
        return is_told

    def _take_answer(self, fd: int, data: bytes) -> None:
        self._answers += 1
        found = _CURSOR.search(data, max(len(data) - 60, 0))
        if found:
            self._cursors[fd] = found[1]
        if self._technique.held:
            self._ask(fd)

    def poll_due(self) -> float:
        """Ask for those whose time has come; return the seconds until the next."""
        now = time.monotonic()
        count = 0
        for due, fd in self._due:
            if due > now:
                break
            self._ask(fd)
            count += 1
        self._due = self._due[count:] + [
            (due + self._interval, fd) for due, fd in self._due[:count]
        ]
        return max(self._due[0][0] - now, 0.0) if self._due else 0.5

    def report(self) -> dict[str, object]:
        """Return what has come since :meth:`measure`, and the p99 of each part of the time."""
        parts = [
            sorted(self._latencies[start : start + _PART])[_PART * 99 // 100] / 1e6
            for start in range(0, len(self._latencies) - _PART + 1, _PART)
        ]
        latencies = sorted(self._latencies)
        spreads = sorted(self._last[number] - first for number, first in self._first.items())
        messages = list(self._messages.values())
        equal = len(set(self._bytes.values())) <= 1
        return {
            "messages": messages[0] if len(set(messages)) == 1 and (equal or self._cursors) else -1,
            "answers": self._answers,
            "bytes": sum(self._bytes.values()),
            "ended": self._ended,
            "audit": self._audit.counts if self._audit is not None else None,
            "latency_ms": {
                name: latencies[int(len(latencies) * share)] / 1e6 if latencies else None
                for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 0.999999))
            },
            "p99_parts_ms": parts,
            "spread_ms": spreads[len(spreads) // 2] / 1e6 if spreads else None,
        }

    def commands(self) -> Iterator[dict[str, object]]:
        """Receive, and yield the commands as they come."""
        self._poller.register(sys.stdin.fileno(), select.EPOLLIN)
        while True:
            if self.turn(self.poll_due() if self._due else 0.5):
                line = sys.stdin.readline()
                if not line:
                    return
                yield json.loads(line)


def main() -> None:
    """Obey the commands on standard input."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.limits.probe", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "slug", choices=[one.slug for one in TECHNIQUES if not one.reloads], help="the technique"
    )
    parser.add_argument("port", type=int, help="where it is served, on 127.0.0.1")
    parser.add_argument(
        "--interval", type=float, default=1.0, help="seconds between polls (default: %(default)g)"
    )
    parser.add_argument("--audit", action="store_true", help="read every message of every socket")
    options = parser.parse_args()
    arrival.use_kernel_clock()
    probe = Probe(options.slug, options.port, options.interval, options.audit)
    answer: dict[str, object]
    for command in probe.commands():
        answer = {}
        if command["do"] == "open":
            probe.open(int(str(command["count"])))
        elif command["do"] == "measure":
            probe.measure()
        elif command["do"] == "pause":
            probe.pause(int(str(command["count"])))
        elif command["do"] == "resume":
            probe.resume()
        elif command["do"] == "churn":
            probe.churn(int(str(command["count"])))
        else:
            answer = probe.report()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

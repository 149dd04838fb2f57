"""The receiving end of the limits benchmark: thousands of sockets in one lean process.

It is told what to do by JSON lines on its standard input, and answers each with one:

    {"do":"open","count":1000}   connect, greet, and wait until each is subscribed
    {"do":"measure"}             count from now on
    {"do":"report"}              what has come since
    {"do":"pause","count":10}    stop reading on so many
    {"do":"resume"}              read on
    {"do":"churn","count":10}    cut so many, and come back with their cursors

Latency counts up to when the kernel had the bytes: what this process is late in reading is not the
server's. With ``--audit`` every message of every socket is read, and its id must follow the one
before.
"""

import argparse
import json
import random
import select
import sys
import time
from collections.abc import Iterator

from clients.net import arrival
from loadtests.limits.audit import Audit
from loadtests.limits.count import Count
from loadtests.limits.subscribers import Subscribers, Timetable
from wire.techniques import TECHNIQUES

_SAMPLE = 20  # sockets
_TURN_S = 0.5  # at most, until commands are looked for


class Probe:
    """Receives on all subscribers. ``interval`` is the polls' pace in seconds."""

    def __init__(self, slug: str, port: int, interval: float, audit: bool) -> None:
        self._audit = Audit() if audit else None
        self._subscribers = Subscribers(slug, port, self._audit)
        self._interval = interval
        self._timetable = Timetable((), interval)
        self._sampled: set[int] = set()
        self._count = Count((), ())
        self._buffer = bytearray(262144)  # one for all, as making it anew would cost most

    def open(self, count: int) -> None:
        """Connect ``count`` more sockets; all that are there now are measured alike."""
        self._subscribers.open(count)
        sockets = self._subscribers.sockets
        self._sampled = set(list(sockets)[:: max(len(sockets) // _SAMPLE, 1)])
        for fd in self._sampled:
            arrival.prepare(sockets[fd])
        if self._subscribers.technique.asks:
            self._timetable = Timetable(sockets, self._interval)
        self.measure()

    def measure(self) -> None:
        """Begin to count."""
        self._count = Count(self._subscribers.sockets, self._sampled)

    def pause(self, count: int) -> None:
        """Stop reading on ``count`` sockets that are not in the sample."""
        self._subscribers.pause(count, but=self._sampled)

    def resume(self) -> None:
        """Read on."""
        self._subscribers.resume()

    def churn(self, count: int) -> None:
        """Cut ``count`` connections and open as many again where they were."""
        for fd in random.sample(list(self._subscribers.sockets), count):
            self._sampled.discard(fd)
            self._count.replace(fd, self._subscribers.cut(fd))

    def report(self) -> dict[str, object]:
        """Return what has come since :meth:`measure`."""
        audit = self._audit.counts if self._audit is not None else None
        return self._count.report(same_bytes=not self._subscribers.asking) | {"audit": audit}

    def commands(self) -> Iterator[dict[str, object]]:
        """Receive, and yield the commands as they come."""
        self._subscribers.poller.register(sys.stdin.fileno(), select.EPOLLIN)
        while True:
            for fd in self._timetable.take_due():
                self._subscribers.request(fd)
            if self._turn(self._timetable.seconds_left(_TURN_S)):
                line = sys.stdin.readline()
                if not line:
                    return
                yield json.loads(line)

    def _turn(self, timeout: float) -> bool:
        """Take what has come; return whether the command line has something to say."""
        is_told = False
        for fd, _ in self._subscribers.poller.poll(timeout):
            if fd == sys.stdin.fileno():
                is_told = True
            else:
                self._receive(fd)
        return is_told

    def _receive(self, fd: int) -> None:
        buffer, is_sampled, arrived_ns = self._buffer, fd in self._sampled, 0
        one = self._subscribers.sockets[fd]
        try:
            if is_sampled:
                data, arrived_ns = arrival.receive(one, len(buffer))
                size = len(data)
                buffer[:size] = data
            else:
                size = one.recv_into(buffer)
        except OSError:
            size = 0
        if not size:
            self._count.ended += 1
            self._subscribers.poller.unregister(fd)
            return
        self._count.read(fd, buffer, size, time.monotonic_ns())
        if is_sampled or self._audit is not None or self._subscribers.asking:
            self._look_into(fd, bytes(buffer[:size]), arrived_ns if is_sampled else None)

    def _look_into(self, fd: int, data: bytes, arrived_ns: int | None) -> None:
        """Read the messages themselves, which is more than could be done for every socket."""
        if self._subscribers.asking:
            self._count.answers += 1
            self._subscribers.take_answer(fd, data)
        if self._audit is not None:
            self._audit.take(fd, data)
        if arrived_ns is not None:
            self._count.sample(fd, data, arrived_ns)


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

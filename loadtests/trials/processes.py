"""Our programs as processes: servers and relays, started, watched and always ended.

Each runs in a session of its own, so that Ctrl-C reaches only us and the order of ending stays
ours; each writes to a log of its own, which is shown when something goes wrong. Where the platform
can, the server's side gets one core and the load generator another: what shares a core with the
thing it measures measures itself.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

from clients.net.schedule import await_true
from loadtests.trials.signals import undisturbed
from wire.ready_line import ReadyLine, decode_ready_lines

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
START_S = 20.0
END_S = 10.0
PINS = hasattr(os, "sched_setaffinity")
Core = int | None  # on which a process runs; None leaves it free
_SYSTEM = "/usr/sbin"


class ProcessError(Exception):
    """A process did not start or ended by itself; the message has its last words."""


class Child:
    """A Python module running as a process; use it in a ``with`` block.

    With a ``lifeline`` it ends when we do, however that comes (:mod:`loadtests.trials.lifeline`).
    Its code is that of ``root``, ours unless another copy is given; the command ``before`` runs it;
    ``environment`` has variables more than ours.
    """

    patience_s = START_S  # until it is ready

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        core: Core = None,
        lifeline: bool = False,
        root: Path = ROOT,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        module = ["loadtests.trials.lifeline"] if lifeline else []
        places = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        told = {**os.environ, "PYTHONPATH": places, **(environment or {})}
        self._launch([*before, sys.executable, "-m", *module, *words], root, told, lifeline, core)

    def _launch(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        lifeline: bool = False,
        core: Core = None,
    ) -> None:
        # Removed by end(). Read by its name, as to seek in it would move where the process writes.
        descriptor, path = tempfile.mkstemp(prefix="duplex-", suffix=".log")
        self.log = Path(path)
        try:
            with undisturbed(), open(descriptor, "wb") as log:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=folder,
                    start_new_session=True,
                )
        except KeyboardInterrupt:
            self.end()
            raise
        except OSError:
            self.log.unlink()
            raise
        if core is not None and PINS:
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

    def wait(self, seconds: float) -> bool:
        """Wait for its end, but no longer than that; say whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.ended

    def output(self) -> str:
        """Return all that it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """Return the last lines that it printed, for an error message."""
        return "\n".join(self.output().splitlines()[-12:])

    def await_match(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Wait until ``count`` lines match.

        Ends the process and raises :class:`ProcessError` if that does not come.
        """
        return self._await(lambda said: list(re.finditer(pattern, said, re.MULTILINE)), count)

    def await_ready(self, who: str, count: int = 1) -> list[ReadyLine]:
        """Wait until ``who`` has said ``count`` times that it is ready.

        Ends the process and raises :class:`ProcessError` if that does not come.
        """
        return self._await(lambda said: decode_ready_lines(said, who), count)

    def _await(self, find: Callable[[str], list[T]], count: int) -> list[T]:
        try:
            return self._await_found(find, count)
        except BaseException:  # Ctrl-C, too: who is still being made is ended by nobody else
            self.end()
            raise

    def _await_found(self, find: Callable[[str], list[T]], count: int) -> list[T]:
        await_true(lambda: self.ended or len(find(self.output())) >= count, self.patience_s)
        if len(found := find(self.output())) < count:
            why = f"ended with status {self.status}" if self.ended else "did not become ready"
            raise ProcessError(f"{self.name} {why}:\n{self.last_words()}")
        return found

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def end(self) -> None:
        """End it, in order if it will (SIGTERM), by force if it must; twice does nothing more."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not self.ended:
            if self._process.stdin is None:
                self._process.terminate()
            if hasattr(signal, "SIGCONT"):
                self.signal(signal.SIGCONT)  # who stands still hears nothing
            self.wait(END_S)
        self._process.kill()
        if hasattr(os, "killpg"):
            self.signal(signal.SIGKILL)  # what it may have left behind
        self._process.wait()
        self.log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()


def cores() -> tuple[Core, Core]:
    """Return the cores for the server's side and for the generator; None where it cannot be."""
    usable = sorted(os.sched_getaffinity(0)) if PINS else []
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


class Server(Child):
    """``python -m servers`` for some techniques, on free ports; ``flags`` are more options."""

    def __init__(
        self,
        techniques: Sequence[str],
        core: Core = None,
        port: int = 0,
        plugin_port: int = 0,
        *,
        flags: Sequence[str] = (),
        lifeline: bool = False,
        root: Path = ROOT,
    ) -> None:
        self.techniques, self.core, self.flags, self.root = techniques, core, flags, root
        ports = ["--port", str(port), "--plugin-port", str(plugin_port)]
        words = ["servers", *ports, "--techniques", *techniques, *flags]
        super().__init__("the server", words, core, lifeline, root)
        (line,) = self.await_ready("servers")
        self.host, self.port, self.plugin_port = line.host, line.port, line.plugin_port
        self.url = line.url
        self.trust = line.trust or None  # the file of whom to trust there, if it speaks TLS

    def successor(self) -> "Server":
        """End this server, and start another one like it in its place."""
        self.end()
        ports = self.port, self.plugin_port
        return Server(self.techniques, self.core, *ports, flags=self.flags, root=self.root)


class Way(Child):
    """A process that stands between users and server."""

    url: str
    plugin_port: int = 0


class Relay(Way):
    """``python -m servers.relay`` before a server's HTTP port and its plugin port.

    ``door`` is where it takes orders, if it ``has_door``; ``pcap`` is a file for what passes.
    """

    def __init__(
        self,
        server: Server,
        delay_ms: float = 0.0,
        core: Core = None,
        *,
        kilobytes_per_s: float = 0.0,
        has_door: bool = False,
        lifeline: bool = False,
        pcap: Path | None = None,
    ) -> None:
        ports = [port for port in (server.port, server.plugin_port) if port]
        words = ["servers.relay", "--delay-ms", f"{delay_ms:g}"]
        words += ["--bandwidth", f"{kilobytes_per_s * 1000:g}"] * bool(kilobytes_per_s)
        for port in ports:
            words += ["--to", f"{server.host}:{port}"]
        words += ["--control-port", "0"] * has_door
        words += ["--pcap", str(pcap)] if pcap is not None else []
        super().__init__("the relay", words, core, lifeline)
        found = self.await_ready("relay", len(ports))
        scheme = server.url.partition("://")[0]
        self.url, self.port = found[0].url.replace("http", scheme, 1), found[0].port
        self.plugin_port = found[-1].port if server.plugin_port else 0
        self.door = self.await_ready("control")[0].url if has_door else ""


def search_path() -> str:
    """Return where programs are looked for: on the PATH, then where Debian keeps servers.

    That is on the PATH of root alone, but whoever likes may start them.
    """
    return os.pathsep.join([os.environ.get("PATH", os.defpath), _SYSTEM])


def share_a_core(server: Child, generator: Child) -> str:
    """Say so if both run on one and the same core, else nothing."""
    if not PINS:
        return ""
    try:
        both = os.sched_getaffinity(server.pid) | os.sched_getaffinity(generator.pid)
    except ProcessLookupError:
        return ""
    return "" if len(both) > 1 else f"the generator shares core {min(both)} with the server"

"""Many short runs of Locust from one start: what it imports takes longer than they do.

``python -m tests.loadtests.brood`` imports Locust and our users once, and forks a process for each
line of its input: a command line for Locust or a piece of code, its environment, and the files for
what is said. Each such process begins where ``python -m loadtests.load`` is once it has imported,
and shares nothing with the next. Locust patches whoever imports it; the tests' own process stays
as it is.
"""

import contextlib
import ctypes
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from clients.net.schedule import await_true

ROOT = Path(__file__).resolve().parents[2]
OURS = "loadtests/locustfile.py"
Done = subprocess.CompletedProcess[str]
_LOCUST, _CODE = ["-m", "loadtests.load"], "-c"
_PATIENCE_S = 90.0
_CLONE_NEWTIME = 0x80  # linux/sched.h


class Hatched:
    """One of those processes, with what is used of :class:`subprocess.Popen`."""

    stdin = None

    def __init__(self, pid: int, status: Path) -> None:
        self.pid, self._status = pid, status

    def poll(self) -> int | None:
        """Return its exit status once it has ended; minus the signal that ended it."""
        with contextlib.suppress(FileNotFoundError, ValueError):  # ValueError: being written
            return int(self._status.read_text(encoding="ascii"))
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises :class:`subprocess.TimeoutExpired`."""
        await_true(lambda: self.poll() is not None, _PATIENCE_S if timeout is None else timeout)
        if (found := self.poll()) is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or _PATIENCE_S)
        return found

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)


class Brood:
    """What starts such processes; where none can fork, each starts from the beginning."""

    def locust(self, line: str, *words: str, file: str = OURS) -> Done:
        """Run it on a locustfile with the words of ``line``; ``words`` may hold spaces."""
        return self._run([*_LOCUST, "-f", file, *line.split(), *words])

    def apart(self, code: str) -> Done:
        """Run code that must not fail."""
        done = self._run([_CODE, code])
        assert done.returncode == 0, done.stderr
        return done

    def _run(self, words: Sequence[str]) -> Done:
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


class Forking(Brood):
    """Starts them as forks, in a ``folder`` for what they say.

    The first of them starts the one from which all are forked; ``stack`` ends that.
    """

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder, self._count = stack, folder, 0
        self._turn = threading.Lock()

    @cached_property
    def _parent(self) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.loadtests.brood"]
        parent = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: it ends with its input
        )
        return self._stack.enter_context(parent)

    def start(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        errors: Path,
        clock_s: float = 0.0,
    ) -> Hatched:
        """Start one that leads a session of its own; ``words`` are those after ``python``.

        By ``clock_s`` its monotonic clock differs from ours, as by ``unshare --time``.
        """
        with self._turn:
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            self._count += 1
            status = self._folder / str(self._count)
            said = [str(out), str(errors)]
            order = [list(words), dict(environment), said, clock_s, str(status)]
            print(json.dumps(order), file=self._parent.stdin, flush=True)
            return Hatched(int(self._parent.stdout.readline()), status)

    def _run(self, words: Sequence[str]) -> Done:
        out, errors = (self._folder / name for name in ("stdout", "stderr"))
        status = self.start(words, os.environ, out, errors).wait()
        said = (out.read_text("utf-8"), errors.read_text("utf-8"))
        return subprocess.CompletedProcess(words, status, *said)


@contextmanager
def one_brood() -> Iterator[Brood]:
    """Make one, and end it with all that it started."""
    if not hasattr(os, "fork"):
        yield Brood()
        return
    with tempfile.TemporaryDirectory(prefix="duplex-") as folder, ExitStack() as stack:
        yield Forking(stack, Path(folder))


def _set_clock(seconds: float) -> None:
    """Let our place be taken by a fork of ours whose monotonic clock differs by so much (Linux)."""
    from gevent.monkey import get_original
    from gevent.os import fork_gevent

    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWTIME):
        raise OSError(ctypes.get_errno(), "no clock of its own can be had")
    offsets = f"monotonic {seconds:.0f} 0\nboottime {seconds:.0f} 0\n"
    Path("/proc/self/timens_offsets").write_text(offsets, "ascii")
    if child := fork_gevent():
        status = os.waitstatus_to_exitcode(get_original("os", "waitpid")(child, 0)[1])
        os._exit(status & 0xFF)


def _be(
    words: Sequence[str], environment: Mapping[str, str], said: Sequence[str], clock_s: float
) -> None:
    """Be what was asked for, in a process of its own."""
    from gevent import get_hub

    os.setsid()
    if clock_s:
        _set_clock(clock_s)
    get_hub().loop.update_now()  # else what the first timers wait for counts from the last fork
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for number, path in enumerate([os.devnull, *said]):
        os.dup2(os.open(path, flags if number else os.O_RDONLY, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    if words[0] == _CODE:
        exec(words[1], {"__name__": "__main__"})
    else:
        from loadtests.load.__main__ import main

        sys.argv[1:] = words[len(_LOCUST) :]
        main()


class _Parent:
    """Forks them, and writes down how each of them ended."""

    def __init__(self) -> None:
        from gevent.monkey import get_original

        self._wait = get_original("os", "waitpid")
        self._heed = get_original("signal", "signal")
        self._living: dict[int, str] = {}
        self._ended: dict[int, int] = {}
        self._heed(signal.SIGCHLD, self._on_end)

    def _on_end(self, *_: Any) -> None:
        with contextlib.suppress(ChildProcessError):  # none is left
            while (found := self._wait(-1, os.WNOHANG))[0]:
                self._ended[found[0]] = os.waitstatus_to_exitcode(found[1])
        for pid in self._living.keys() & self._ended.keys():
            Path(self._living.pop(pid)).write_text(f"{self._ended.pop(pid)}\n", "ascii")

    def serve(self) -> None:
        from gevent.os import fork_gevent

        for line in sys.stdin:
            *what, status = json.loads(line)
            if not (child := fork_gevent()):
                self._heed(signal.SIGCHLD, signal.SIG_DFL)
                _be(*what)
                return
            self._living[child] = status
            self._on_end()
            print(child, flush=True)
        for pid in list(self._living):
            os.killpg(pid, signal.SIGKILL)


def _main() -> None:
    from loadtests.load.__main__ import imported
    from wire.techniques import SLUGS

    imported()
    for name in (*SLUGS, "load.conductor", "load.web_tab", "load.recorder", "load.closing"):
        import_module(f"loadtests.{name}")
    _Parent().serve()


if __name__ == "__main__":
    _main()

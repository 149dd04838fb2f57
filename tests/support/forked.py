"""Processes that need not import again what others have imported: most of what a server costs.

Beside each worker of the tests waits a clean Python, without threads, that has imported what others
wrote and our servers need; of ours it has nothing. What is started is a fork of it, and becomes
``python -m MODULE ...`` in all but what it inherits. Both end with those who use them.
"""

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import MappingProxyType
from typing import IO

try:
    import resource
except ImportError:  # Windows, where nothing is forked
    resource = None  # type: ignore[assignment]

IS_POSSIBLE = sys.platform == "linux"
_IMPORTED = ["aiohttp.web", "httptools", "psutil", "uvloop"]


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def _become(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limits: Mapping[str, int],
    output: Connection,
    errors: Connection,
    leads: bool,
) -> None:
    """Run ``python -m`` these words in this process, which ``leads`` a session if it is to."""
    if leads:
        os.setsid()
    for stream, number in ((output, 1), (errors, 2)):
        os.dup2(stream.fileno(), number)
        stream.close()
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    places = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(folder), *filter(None, places)]
    sys.argv[:] = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


class Forked:
    """``python -m`` these words, with what the tests use of :class:`subprocess.Popen`.

    Its standard error goes to ``errors``, else where ours goes. ``limits`` are by their names, such
    as ``NOFILE``. With a ``log`` all that it says goes there, and it leads a session of its own.
    """

    stdin = None

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        limits: Mapping[str, int] = MappingProxyType({}),
        errors: IO[bytes] | None = None,
        log: IO[bytes] | None = None,
    ) -> None:
        self.stdout: IO[str] | None = None
        if log:
            output = Connection(os.dup(log.fileno()), readable=False)
        else:
            heard, output = multiprocessing.Pipe(duplex=False)
            with heard:
                self.stdout = os.fdopen(os.dup(heard.fileno()), encoding="utf-8")
        errors = log or errors
        complaints = Connection(os.dup(errors.fileno() if errors else 2), readable=False)
        to = (output, complaints, log is not None)
        how = (tuple(words), folder, dict(environment), dict(limits), *to)
        with output, complaints:
            # As a daemon it is ended with us at the latest.
            self._process = _forks().Process(target=_become, args=how, daemon=True)
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status once it has ended; minus the signal that ended it."""
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises :class:`subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

"""A program that is not ours as a process: it prints no ready line, and may start others."""

import contextlib
import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from clients.net.schedule import await_true
from loadtests.trials.family import tree
from loadtests.trials.processes import START_S, Child, Core, ProcessError


class Stranger(Child):
    """Whoever takes connections at ``host`` and ``port``, with a ``scratch`` folder to write in.

    Whoever makes one sets ``name``, ``host``, ``port`` and ``scratch``, then calls :meth:`begin`.
    """

    name: str
    host: str
    port: int
    scratch: Path

    @staticmethod
    def make_scratch(prefix: str) -> Path:
        """Make the folder, which ends with the process."""
        return Path(tempfile.mkdtemp(prefix=prefix))

    def begin(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], core: Core = None
    ) -> None:
        """Start it. Raises :class:`OSError` where that cannot be."""
        try:
            self._launch(words, folder, environment, core=core)
        except OSError:
            shutil.rmtree(self.scratch, ignore_errors=True)
            raise

    def await_listening(self) -> None:
        """Wait until it takes connections.

        Raises :class:`~loadtests.trials.processes.ProcessError` if it does not.
        """
        await_true(lambda: self.ended or self._listens(), START_S)
        if self.ended or not self._listens():
            why = f"ended with status {self.status}" if self.ended else "takes no connection"
            raise ProcessError(f"{self.name} {why} at port {self.port}:\n{self.last_words()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self.host, self.port)) == 0

    def end(self) -> None:
        """End it and all that it started, in sessions of their own too."""
        family = tree(self.pid)
        super().end()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        shutil.rmtree(self.scratch, ignore_errors=True)

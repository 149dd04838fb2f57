"""An intermediary that runs: started by us, watched, and ended with all that it started."""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

from clients.net.schedule import await_true
from loadtests.between.intermediary import Intermediary, Setup, ShelfError, fill
from loadtests.trials.family import tree
from loadtests.trials.generator import free_port
from loadtests.trials.processes import START_S, Child, ProcessError

HERE = "127.0.0.1"


class Standing(Child):
    """One intermediary in one set-up, on free ports of loopback.

    ``places`` has what its configuration may name besides its own ``PORT``, ``PLUGIN_PORT`` and
    ``FOLDER``. Raises :class:`~loadtests.between.intermediary.ShelfError` where it is not
    installed; :meth:`await_listening` tells whether it came up.
    """

    def __init__(self, one: Intermediary, setup: Setup, places: Mapping[str, str]) -> None:
        self.intermediary, self.setup = one, setup
        self.name = f"{one.title} ({setup.name})"
        self.port, self.plugin_port = free_port(), free_port()
        program = one.program()
        # Some give up root's rights, and must still be able to write.
        self.folder = Path(tempfile.mkdtemp(prefix="duplex-between-"))
        self.folder.chmod(0o777)
        own = {
            "PORT": str(self.port),
            "PLUGIN_PORT": str(self.plugin_port),
            "FOLDER": str(self.folder),
        }
        told = {**places, **own}
        for file in setup.files:
            name = f"config{file.suffix}" if file == setup.file else file.name
            text = fill(file.read_text(encoding="utf-8"), told)
            (self.folder / name).write_text(text, encoding="utf-8")
            told.setdefault("CONFIG", str(self.folder / name))
        words = [program, *(fill(word, told) for word in (*one.start[1:], *setup.words))]
        home = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        try:
            self._launch(words, self.folder, {**os.environ, **home})
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise ShelfError(f"{program} cannot be started: {error.strerror}") from None

    def await_listening(self) -> None:
        """Wait until it takes connections.

        Raises :class:`~loadtests.trials.processes.ProcessError` if it does not.
        """
        await_true(lambda: self.ended or self._listens(), START_S)
        if self.ended or not self._listens():
            why = f"ended with status {self.status}" if self.ended else "takes no connection"
            raise ProcessError(f"{self.name} {why}:\n{self.last_words()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((HERE, self.port)) == 0

    def end(self) -> None:
        """End it and all that it started."""
        family = tree(self.pid)
        super().end()
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

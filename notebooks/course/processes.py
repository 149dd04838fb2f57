"""The processes of a lesson: its server, its relay and what measures them.

They run out of process so that what is measured and what measures do not share an interpreter,
and because the clients' room knows nothing of servers but their command lines. Each has a session
of its own, so that a reader who stops a cell stops what that cell measures and nothing else; each
ends with the notebook's kernel, however that comes. What a whole command makes for a notebook (a
load run, a matrix of what stands in between) is a folder, made now or as it was recorded.
"""

import os
import platform
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from loadtests.between.intermediary import read_shelf
from loadtests.trials import processes
from notebooks.course.errors import LabError, Stopped
from notebooks.course.words import say
from results.record.crossings import HEAD, TABLE
from results.record.verdicts import Verdict
from wire.techniques import SLUGS

T = TypeVar("T")


class Server(processes.Server):
    """A server of all techniques, with more options as they stand on its command line."""

    def __init__(self, *flags: str) -> None:
        super().__init__(SLUGS, flags=flags, lifeline=True)


class Relay(processes.Relay):
    """A relay before both ports of a server, with a door for orders."""

    def __init__(self, server: Server, delay_ms: float, pcap: Path | None = None) -> None:
        super().__init__(server, delay_ms, has_door=True, lifeline=True, pcap=pcap)


def where(server: Server, relay: Relay | None = None) -> dict[str, Any]:
    """Say to an experiment where a server is, and the relay before it if there is one."""
    found = {"server_url": server.url, "url": server.url, "plugin_port": server.plugin_port}
    if relay is not None:
        found |= {"url": relay.url, "plugin_port": relay.plugin_port, "door": relay.door}
    return found


class Program(processes.Child):
    """Somebody else's server: what stands on the command line of ``python -m loadtests start``."""

    patience_s = 120.0  # at its first use it is installed

    def __init__(self, words: str) -> None:
        super().__init__(words, ["loadtests", "start", *words.split()], lifeline=True)
        (line,) = self.await_ready("peer")
        self.url = line.url


class Job(processes.Child):
    """One measurement, from its start to its end; its last line of output is what it found.

    It starts when it is entered: who stops it while it starts is told the same as later.
    """

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self.name = name
        self._words = words

    def __enter__(self) -> Self:
        super().__init__(self.name, self._words, lifeline=True)
        return super().__enter__()


def started(start: Callable[..., T], *asked: Any) -> T:
    """Start a process. Raises :class:`~notebooks.course.errors.LabError` where that fails."""
    try:
        return start(*asked)
    except processes.ProcessError as error:
        raise LabError(str(error)) from None
    except KeyboardInterrupt:
        raise Stopped(say("the start was ended; run the cell again")) from None


def describe_host() -> str:
    """Say in a few words on what was measured; no names."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


class Runs(ABC):
    """The part of a laboratory that keeps folders: made now, or those that were recorded."""

    live: bool
    _path: Path
    recording: bool
    _folder: "tempfile.TemporaryDirectory[str] | None" = None

    @abstractmethod
    def _await(self, job: Job) -> str:
        """Return what a job printed last."""

    @abstractmethod
    def record(self, key: str, found: Any) -> None:
        """Keep a finding."""

    def load(self, name: str, **options: Any) -> Path:
        """Run ``python -m loadtests`` with these options and return the run's folder.

        A list becomes several words: ``rate=[20, 200]``. Raises :class:`LabError`.
        """
        kept = self._path.with_suffix("") / name
        if not self.live:
            if not (kept / "run.json").exists():
                raise LabError(
                    say("no run {name!r} was recorded; with LIVE = True it is made", name=name)
                )
            return kept
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="duplex-")
        folder = Path(self._folder.name) / name
        shutil.rmtree(folder, ignore_errors=True)
        # Whatever the verdict is: the reader meets it in the run's table.
        words = ["loadtests", "--out", str(folder), "--require", *Verdict]
        for option, value in options.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            words += [f"--{option.replace('_', '-')}", *map(str, values)]
        self._await(Job(say("the load run {name}", name=name), words))
        if self.recording:
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            for path in (*folder.glob("*.csv"), folder / "run.json"):
                shutil.copy(path, kept)
        return folder

    def between(self, name: str, *intermediaries: str) -> Path:
        """Run ``python -m loadtests between`` with these and return the matrix' folder.

        Where one is not installed it says so, and what was recorded is returned. Raises
        :class:`LabError`.
        """
        kept = self.recorded_run(name)
        missing = [one.package for one in read_shelf([*intermediaries]) if not one.is_here]
        if self.live and missing:
            told = "not all of it is installed here ({missing}), so this is what was recorded"
            print(say(told, missing=", ".join(missing)))
        if not self.live or missing:
            return kept
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="duplex-")
        folder = Path(self._folder.name) / name
        words = ["loadtests", "between", *intermediaries, "--out", str(folder)]
        self._await(Job(say("what stands in between"), words))
        if self.recording:
            kept.mkdir(parents=True, exist_ok=True)
            for path in (folder / HEAD, folder / TABLE):
                shutil.copy(path, kept)
        self.record(f"between {name}", [*intermediaries])
        return folder

    def recorded_run(self, name: str) -> Path:
        """Return the folder of a load run that takes too long to make here; always a recording."""
        return self._path.with_suffix("") / name

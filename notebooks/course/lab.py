"""The laboratory of the notebooks: experiments that are made now, or replayed from a recording.

::

    lab = open_lab("01")
    polls = lab.measure("feed", technique="polling", rate=20, count=100, interval=0.5)

``measure`` runs one of :mod:`notebooks.course.experiments` in a process of its own, against a
server and, where ``delay_ms`` asks for distance, a relay, which are processes too. ``dial`` gives
a raw connection for talking by hand. Both give the same answers again, without any network, when
``live`` is false: from ``notebooks/course/recordings/NN.json``, which is written when the
environment variable ``DUPLEX_RECORD`` is 1. ``DUPLEX_LIVE=0`` forces the replay.
"""

import atexit
import difflib
import json
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import clients
from clients.errors import ClientError
from notebooks.course.errors import LabError, Stopped
from notebooks.course.processes import Job, Relay, Runs, Server, describe_host, started, where
from notebooks.course.progress import Progress, Watch, dots_of, opened, planned_s, what_runs
from notebooks.course.raw_line import RawLine
from notebooks.course.words import say
from wire.techniques import SLUGS

_NOTHING_PASSES = "nothing passes in a replay: set LIVE = True, or open a ready trace"
CELL_S = 30.0  # what one cell may take
_TICK_S = 0.5
RECORDINGS = Path(__file__).with_name("recordings")


class Lab(Runs):
    """One notebook's experiments; see the module. Its text says whether it is live."""

    def __init__(self, notebook: str, live: bool, folder: Path = RECORDINGS) -> None:
        self.live = live
        self._path = folder / f"{notebook}.json"
        self._servers: dict[tuple[str, ...], Server] = {}
        self._relays: dict[tuple[tuple[str, ...], float], Relay] = {}
        self._wires: list[RawLine] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # of load runs
        self._progress = Progress()
        self.recording = live and os.environ.get("DUPLEX_RECORD") == "1"
        self._book: dict[str, Any] = {"format": 1, "entries": {}}
        if self.recording:
            self._book |= {"recorded": time.strftime("%Y-%m-%d"), "host": describe_host()}
        elif not live:
            self._book = self._read()
        atexit.register(self.close)

    def _read(self) -> dict[str, Any]:
        try:
            book: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            name = self._path.name
            raise LabError(
                say("nothing was recorded for this notebook ({name})", name=name)
            ) from None
        if book.get("format") != 1:
            raise LabError(f"{self._path.name} is of format {book.get('format')!r}, not 1")
        return book

    def __repr__(self) -> str:
        """Say what a reader must know of the numbers below."""
        if self.live:
            live = "Live: everything below is measured now, on this machine ({host})."
            return say(live, host=describe_host())
        replayed = "Recorded on {recorded} ({host}); nothing is measured."
        return say(replayed, recorded=self._book["recorded"], host=self._book["host"])

    @property
    def slugs(self) -> list[str]:
        """All techniques; in a replay, those that there were when it was recorded."""
        if self.live:
            return list(SLUGS)
        recorded = json.dumps(self._book["entries"])
        # As keys of what was found; what was asked is quoted once more.
        return [slug for slug in SLUGS if f'"{slug}"' in recorded or f'\\"{slug}\\"' in recorded]

    def measure(
        self,
        experiment: str,
        *,
        delay_ms: float = 0.0,
        flags: tuple[str, ...] = (),
        watch: Watch | None = None,
        **asked: Any,
    ) -> Any:
        """Make one experiment of :mod:`notebooks.course.experiments` and return what it found.

        ``delay_ms`` puts a relay with that one-way delay in between; ``flags`` start the server
        with these options; ``watch`` is told how it goes. The rest goes to the experiment.
        Raises :class:`LabError`.
        """
        named = {"delay_ms": delay_ms, **({"flags": list(flags)} if flags else {}), **asked}
        key = f"{experiment} {json.dumps(named, sort_keys=True)}"
        place = partial(self._where, delay_ms, flags)
        return self.take(key, lambda: self.make(experiment, place(), delay_ms, asked, watch))

    def capture(
        self,
        path: str | Path,
        experiment: str,
        *,
        delay_ms: float = 0.0,
        flags: tuple[str, ...] = (),
        **asked: Any,
    ) -> Any:
        """Make an experiment like :meth:`measure`, and keep what passed in a file for Wireshark.

        What the clients say and hear passes a relay, which writes it (pcapng); what is published
        meanwhile goes beside it. A replay has nothing to capture. Raises :class:`LabError`.
        """
        if not self.live:
            raise LabError(say(_NOTHING_PASSES))
        server, path = self.server(*flags), Path(path).resolve()
        if not path.parent.is_dir():
            raise LabError(say("there is no folder {folder}", folder=path.parent))
        with started(Relay, server, delay_ms, path) as relay:
            return self.make(experiment, where(server, relay), delay_ms, asked)

    def make(
        self,
        experiment: str,
        place: dict[str, Any],
        delay_ms: float,
        asked: dict[str, Any],
        watch: Watch | None = None,
    ) -> Any:
        """Make an experiment at a place (:func:`notebooks.course.processes.where`), now."""
        words = ["notebooks.course.experiments", experiment, json.dumps({"where": place, **asked})]
        job = Job(what_runs(experiment, delay_ms, asked), words)
        return json.loads(self._await(job, planned_s(asked), watch))

    def take(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what is found under a name: made now, or in a replay as it was recorded."""
        if not self.live:
            return self._recorded(key)
        self.record(key, found := make())
        return found

    def recorded(self, key: str) -> Any:
        """Return what was recorded under a name, where this is live, too."""
        return Lab(self._path.stem, False, self._path.parent)._recorded(key)

    def record(self, key: str, found: Any) -> None:
        """Keep a finding under its name, when this is a recording."""
        if self.recording:
            self._book["entries"][key] = found
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._book, ensure_ascii=True, indent=None, separators=(",", ":"))
            # One entry per line, so that a new recording shows as such in a comparison.
            self._path.write_text(text.replace(',"', ',\n"') + "\n", encoding="utf-8")

    def _recorded(self, key: str) -> Any:
        entries = self._book["entries"]
        if key not in entries:
            name = key.partition(" ")[0]
            names = {known.partition(" ")[0] for known in entries}
            if name not in names:
                name = next(iter(difflib.get_close_matches(name, names, n=1)), "")
            like = [known for known in entries if known.startswith(f"{name} " if name else "")]
            listed = "\n".join(f"  {known}" for known in like)
            missing = "not recorded: {key}\nWith LIVE = True it is measured; recorded are\n{listed}"
            raise LabError(say(missing, key=key, listed=listed))
        return entries[key]

    def _where(self, delay_ms: float, flags: tuple[str, ...]) -> dict[str, Any]:
        server = self.server(*flags)
        return where(server, self.relay(delay_ms, *flags) if delay_ms else None)

    def _await(self, job: Job, planned: float = 0.0, watch: Watch | None = None) -> str:
        """Return what a job printed last; stopped or too late, it is ended with all it started."""
        limit = time.monotonic() + CELL_S
        try:
            with job, self._progress.line(job.name, planned, watch) as tick:
                while not job.wait(_TICK_S):
                    tick(dots_of(job.output()))
                    if time.monotonic() > limit:
                        late = "{job} took more than {limit:g} s: ask for less"
                        raise LabError(say(late, job=job.name, limit=CELL_S))
                said = job.output().splitlines() or [""]
        except KeyboardInterrupt:
            ended = "{job} was ended; the lab is ready for the next cell"
            raise Stopped(say(ended, job=job.name)) from None
        if job.status:
            raise LabError(say("{job} failed: {why}", job=job.name, why=said[-1]))
        return said[-1]

    def dial(self, name: str, *, plugin: bool = False, delay_ms: float = 0.0) -> RawLine:
        """Open a raw TCP connection to the server's port, or to its plugin port.

        ``name`` is under what the talk is recorded; dialling again begins it anew.
        """
        key = f"dial {name}"
        if not self.live:
            return RawLine(None, self._recorded(key))
        at: Server | Relay = self.relay(delay_ms) if delay_ms else self.server()
        talk: list[list[Any]] = []
        wire = RawLine(at.plugin_port if plugin else at.port, talk, lambda: self.record(key, talk))
        self._wires.append(wire)
        return wire

    def publish(self, channel: str, *texts: str) -> None:
        """Say something in a channel, beside whatever is listened to; a replay says nothing."""
        if not self.live:
            return
        try:
            with clients.open("polling", self.server().url, channel) as sender:
                for text in texts:
                    sender.send(text)
        except ClientError as error:
            raise LabError(say("nothing was published: {error}", error=error)) from None

    def server(self, *flags: str) -> Server:
        """Return the running server with these options; the first use starts it.

        One that has ended meanwhile is started anew, with all of its channels empty.
        """
        if flags in self._servers and self._servers[flags].ended:
            self._forget(flags)
        if flags not in self._servers:
            self._servers[flags] = started(Server, *flags)
        return self._servers[flags]

    def relay(self, delay_ms: float, *flags: str) -> Relay:
        """Return the relay of this one-way delay before that server, started like it."""
        server, key = self.server(*flags), (flags, delay_ms)
        if key in self._relays and self._relays[key].ended:
            self._relays.pop(key).end()
        if key not in self._relays:
            self._relays[key] = started(Relay, server, delay_ms)
        return self._relays[key]

    def _forget(self, flags: tuple[str, ...]) -> None:
        """End what is left of a server, and the relays that led to it."""
        print(say("The server had ended; a new one, with empty channels, takes its place."))
        for key in [key for key in self._relays if key[0] == flags]:
            self._relays.pop(key).end()
        self._servers.pop(flags).end()

    def close(self) -> None:
        """End every process and connection; the end of the kernel does it too."""
        for wire in self._wires:
            wire.close()
        for process in (*self._relays.values(), *self._servers.values()):
            process.end()
        self._wires, self._relays, self._servers = [], {}, {}
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def open_lab(notebook: str, live: bool = True) -> Lab:
    """Open the laboratory of one notebook, ``"00"`` to ``"17"``."""
    opened(notebook)
    return Lab(notebook, live and os.environ.get("DUPLEX_LIVE", "1") != "0")

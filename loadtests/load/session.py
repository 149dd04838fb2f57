"""The life of one test in one Locust process: who takes part and what they measured.

Every process of a test, worker or not, has one session at a time; the conductor
(:mod:`loadtests.load.conductor`) tells all of them when to fall silent and when to give account.
"""

import contextlib
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from gevent.event import Event
from locust.env import Environment

from clients.errors import ClientError, UnreachableError
from clients.foreign.peer_file import PeerFile, read_peer_file
from clients.net import arrival
from loadtests.load import locust_rows as rows
from loadtests.load.turns import Turns
from loadtests.load.watch import Watch
from loadtests.measures.measure import Measure
from loadtests.measures.server_clock import FIRST_ASKS, PERIOD_S, ClockDesk, ServerClock
from loadtests.plan.options import Settings, read_settings

if TYPE_CHECKING:
    from gevent import Greenlet

_AGAIN_S = 0.2  # until a server that is not there yet is asked for its clock again


class Participant(Protocol):
    """What a session knows of a user."""

    @property
    def technique(self) -> str:
        """The slug of its technique."""

    def so_far(self) -> "SoFar":
        """Return what it can tell before it settles."""

    def begin(self) -> None:
        """Count bytes from now on; the load begins."""

    def has_all(self, finals: Mapping[str, int]) -> bool:
        """Whether it has received everything up to the last id of each epoch."""

    def settle(self, finals: Mapping[str, int]) -> None:
        """Hand its audit and byte counts to the measure, once."""

    def fall_silent(self) -> None:
        """Send nothing more."""


@dataclass(slots=True)
class SoFar:
    """What users who have not settled yet know: of one user, or of many added up."""

    users: int = 0
    missing: int = 0
    bytes_down: int = 0

    def add(self, other: "SoFar") -> None:
        """Add another one."""
        self.users += other.users
        self.missing += other.missing
        self.bytes_down += other.bytes_down


@dataclass
class Session:
    """What one process measures during one test.

    ``members`` are connected; ``begun`` is set once the load begins, at ``begun_ns``, with
    ``talkers`` users in all processes; ``clock`` knows the server's; ``asked`` and ``accepted``
    count what talkers sent; ``process`` numbers the processes of a test; ``failures`` counts
    troubles by their text.
    """

    environment: Environment
    settings: Settings
    members: set[Participant] = field(default_factory=set)
    measures: dict[str, Measure] = field(default_factory=dict)
    clock: ServerClock = field(default_factory=ServerClock)
    watch: Watch = field(default_factory=Watch)
    turns: Turns = field(default_factory=Turns)
    silent: bool = False
    process: int = 0
    talkers: int = 0
    begun_ns: int = 0
    asked: int = 0
    accepted: int = 0
    user_number: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    begun: Event = field(default_factory=Event)
    _shown: dict[str, dict[int, int]] = field(default_factory=dict)
    _shown_bytes: dict[str, int] = field(default_factory=dict)
    _greenlets: "list[Greenlet]" = field(default_factory=list)

    def start(self) -> None:
        """Begin to watch the generator and to show progress."""
        self.turns.start()
        arrival.after_each_read(self.turns.give_way)
        jobs = (self.watch.run, self._show, self._follow_clock)
        self._greenlets = [gevent.spawn(job) for job in jobs]

    def end(self) -> None:
        """Stop watching."""
        arrival.after_each_read(None)
        self.turns.stop()
        gevent.killall(self._greenlets, block=False)
        self._greenlets.clear()

    @property
    def peer(self) -> PeerFile | None:
        """How the server is spoken to, if it is not ours."""
        return _peer(self.settings.server) if self.settings.server else None

    @property
    def connected(self) -> int:
        """How many users are connected, and 0 while it is not known by which clock they are."""
        return len(self.members) if self.clock.settled else 0

    def next_number(self) -> int:
        """Number the users of this process; seeds what is random about each."""
        self.user_number += 1
        return self.user_number

    def measure(self, slug: str) -> Measure:
        """Return the measure of a technique."""
        found = self.measures.get(slug)
        if found is None:
            found = Measure(foreign=self.peer is not None, clock=self.clock)
            self.measures[slug] = found
        return found

    def fail(self, what: str) -> None:
        """Count a trouble of this generator, by its text."""
        self.failures[what] = self.failures.get(what, 0) + 1

    def begin_load(self, talkers: int, doubt_ns: int = 0) -> None:
        """Let the talkers begin; the times that they send may be wrong by ``doubt_ns``."""
        self.talkers = talkers
        self.clock.senders_error_ns = doubt_ns
        for member in list(self.members):
            member.begin()
        self.begun_ns = time.monotonic_ns()
        self.begun.set()

    def fall_silent(self) -> None:
        """Let every user of this process send nothing more."""
        self.silent = True
        for member in list(self.members):
            member.fall_silent()

    def settle(self, finals: Mapping[str, int], deadline_s: float) -> None:
        """Take account of each that has received everything, and of the rest at the deadline.

        While one waits for the others it goes on asking, which no message should have to bear.
        """
        end = time.monotonic() + deadline_s
        waiting = set(self.members)
        while waiting and time.monotonic() <= end:
            ready = {member for member in waiting if member.has_all(finals)}
            for member in ready:
                member.settle(finals)
            waiting -= ready
            if waiting:
                gevent.sleep(0.02)
        for member in list(self.members):
            member.settle(finals)

    def take(self) -> dict[str, Any]:
        """Give away what was measured since the last time, as plain values."""
        self.show()
        self._shown.clear()
        self._shown_bytes.clear()
        failures, self.failures = self.failures, {}
        asked, accepted, self.asked, self.accepted = self.asked, self.accepted, 0, 0
        condition = self.watch.condition.take()
        condition["at_s"] = [self.clock.to_server(int(s * 1e9)) / 1e9 for s in condition["at_s"]]
        return {
            "measures": {slug: measure.take() for slug, measure in self.measures.items()},
            "condition": condition,
            "clock": self.clock.told(),
            "host": _host(),
            "failures": failures,
            "asked": asked,
            "accepted": accepted,
            "connected": len(self.members),
            "so_far": self._so_far(),
        }

    def _so_far(self) -> dict[str, dict[str, int]]:
        sums: dict[str, SoFar] = {}
        for member in self.members:
            sums.setdefault(member.technique, SoFar()).add(member.so_far())
        return {slug: asdict(found) for slug, found in sums.items()}

    def _follow_clock(self) -> None:
        """Ask for the server's clock, and as long as it is another than ours again and again."""
        url = self.settings.publish_to or server_url(self.environment)
        if not url or self.peer is not None or not self.settings.clock:
            self.clock.give_up()
            return
        with ClockDesk(url) as desk:
            while not self.clock.settled:
                try:
                    self.clock.note(desk.read(FIRST_ASKS))
                except UnreachableError:
                    gevent.sleep(_AGAIN_S)
                except ClientError as error:
                    print(f"Duplex: no clock to correct by: {error}", flush=True)
                    self.clock.give_up()
            while self.clock.apart:
                gevent.sleep(PERIOD_S)
                with contextlib.suppress(ClientError):  # a restart is no reason to stop
                    self.clock.note(desk.read())

    def _show(self) -> None:
        while True:
            gevent.sleep(1.0)
            self.show()

    def show(self) -> None:
        """Bring Locust's table up to date."""
        for slug, measure in self.measures.items():
            now = measure.tallies["delivery"]
            before = self._shown.get(slug, {})
            new = {ns: count - before.get(ns, 0) for ns, count in now.items()}
            new = {ns: count for ns, count in new.items() if count > 0}
            size = measure.flow.message_bytes - self._shown_bytes.get(slug, 0)
            rows.add_deliveries(self.environment, slug, new, size)
            self._shown[slug] = dict(now)
            self._shown_bytes[slug] = measure.flow.message_bytes


def server_url(environment: Environment) -> str:
    """Return where users subscribe: Locust's ``--host``, else what the class of ours says."""
    said = (found.host for found in environment.user_classes if hasattr(found, "technique"))
    return environment.host or next(said, None) or ""


@cache
def _host() -> str:
    """Name what has one monotonic clock: this host, or a time namespace of it (Linux)."""
    space = "/proc/self/ns/time"
    return f"{socket.gethostname()} {os.readlink(space) if os.path.exists(space) else ''}"


_peer = cache(read_peer_file)
_sessions: dict[int, Session] = {}


def begin(environment: Environment) -> Session:
    """Make the session of a test that starts now, in place of the one before."""
    end(environment)
    session = Session(environment, read_settings(environment.parsed_options))
    session.process = getattr(environment.runner, "worker_index", 0)
    _sessions[id(environment)] = session
    session.start()
    return session


def current(environment: Environment) -> Session:
    """Return the session of the test that runs, or ran last, in this environment."""
    return _sessions.get(id(environment)) or begin(environment)


def end(environment: Environment) -> None:
    """Stop watching for this environment's test."""
    session = _sessions.get(id(environment))
    if session is not None:
        session.end()

"""All techniques on all ways at once, in a process of its own: ``... PLAN.json SEEN.json``.

Each client is a thread (a greenlet, as this program is patched), and all go in step: they open,
then messages come down, then each says something, then nobody says anything for a while, then one
more message comes. On each way a client that goes straight to the server publishes, and hears what
went up.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import clients
from clients.client import Client
from clients.errors import ClientError, RefusedError
from clients.net import arrival
from loadtests.between.judging import Seen
from loadtests.between.ways import Way
from loadtests.plan.packages import looked_through_once
from wire.errors import WireError
from wire.message import Message
from wire.techniques import BY_SLUG, SLUGS

_ROOT = Path(__file__).resolve().parents[2]

PUBLISHER = "between"
STILL = "still there?"
SAID = "all is said"  # printed when only what is late is waited for
_SHAKEN_S = 0.2
_READ_S = 0.5  # how often a client that waits looks up
_AT_ONCE = 60  # clients that open; a crowd of handshakes would be too slow for its own patience


@dataclass(frozen=True)
class Program:
    """How much is said, how often, and how long is waited, in seconds.

    ``open_s`` is given to a handshake, ``patience_s`` to what was said until it is there.
    """

    messages: int
    every_s: float
    open_s: float
    patience_s: float
    silence_s: float


class Stage:
    """Where ``count`` threads meet: each says when it is through, and somebody when time is up."""

    def __init__(self, count: int) -> None:
        self._through = threading.Semaphore(0)
        self._count = count
        self.over = threading.Event()

    def through(self) -> None:
        """Say that one thread waits for nothing any more."""
        self._through.release()

    def close(self, patience_s: float | None) -> None:
        """Wait for all, but no longer than that, and end the stage."""
        until = None if patience_s is None else time.monotonic() + patience_s
        for _ in range(self._count):
            left = None if until is None else max(until - time.monotonic(), 0.0)
            if not self._through.acquire(timeout=left):
                break
        self.over.set()


class Talk:
    """What all clients of a run go through together."""

    def __init__(self, program: Program, ways: int, count: int) -> None:
        self.program = program
        self.doors = threading.BoundedSemaphore(_AT_ONCE)
        self.opening, self.flow, self.up = Stage(count), Stage(count), Stage(count)
        self.speaking = Stage(ways)
        self.wake = threading.Event()  # after the silence
        self.lock = threading.Lock()
        self.seen: list[Seen] = []

    def note(self, seen: Seen) -> None:
        """Keep what one client saw, who is through with everything."""
        with self.lock:
            self.seen.append(seen)
        for stage in (self.opening, self.flow, self.up):
            stage.through()  # more often than it is waited for does no harm

    def lead(self) -> None:
        """Go through the stages."""
        self.opening.close(None)
        self.speaking.close(None)
        print(SAID, flush=True)
        self.flow.close(self.program.patience_s)
        self.up.close(self.program.patience_s)
        time.sleep(self.program.silence_s)
        self.wake.set()


class Speaker:
    """Publishes on one way's channel, straight to the server, and hears what went up."""

    def __init__(self, way: Way, talk: Talk, number: int, of: int) -> None:
        self._talk, self._share = talk, number / of
        self._client = clients.open(
            "sse", way.origin.url, way.channel, cafile=way.origin.cafile, timeout=30.0
        )
        self.heard: set[str] = set()

    def listen(self) -> None:
        """Note what went up, until the end."""
        while not self._talk.wake.is_set():
            for item in self._client.receive_many(_READ_S):
                if isinstance(item, Message) and item.sender != PUBLISHER:
                    self.heard.add(str(item.body))

    def speak(self) -> None:
        """Publish when it is time, not all ways at the same moment."""
        talk, program = self._talk, self._talk.program
        talk.opening.over.wait()
        began = time.monotonic() + self._share * program.every_s
        for number in range(program.messages):
            # Never twice beside the same others, and later than what waits for more would wait.
            due = began + number * program.every_s + random.uniform(0.0, _SHAKEN_S)
            time.sleep(max(due - time.monotonic(), 0.0))
            self._say(f"m{number}")
        talk.speaking.through()
        if program.silence_s:
            talk.wake.wait()
            self._say(STILL)

    def _say(self, text: str) -> None:
        self._client.send(text, sender=PUBLISHER, sent_ns=time.monotonic_ns())

    def close(self) -> None:
        """Leave."""
        self._client.close()


class Crosser:
    """One client on one way: it goes through the stages and notes how far it came."""

    def __init__(self, number: int, way: Way, slug: str, talk: Talk, speaker: Speaker) -> None:
        self._number, self._way, self._slug = number, way, slug
        self._talk, self._speaker = talk, speaker
        self._stage, self._since = "open", time.monotonic()  # in which it is, and what counts there
        self._opened = self._heard = self._since
        self._latencies: list[float] = []
        self._bodies: set[str] = set()
        self._went_up = False

    def run(self) -> None:
        """Do it all; whatever goes wrong is what was seen."""
        client: Client | None = None
        failure: dict[str, Any] = {}
        try:
            with self._talk.doors:
                self._enter("open")
                client = self._open()
            self._opened = time.monotonic()
            self._talk.opening.through()
            self._follow(client)
        except (ClientError, WireError, OSError) as error:
            failure = self._failure(error)
        finally:
            self._talk.note(
                Seen(
                    *(self._number, self._slug, self._stage),
                    latencies_ms=tuple(round(late, 1) for late in self._latencies),
                    went_up=self._went_up,
                    **failure,
                )
            )
            if client is not None:
                client.close()

    def _open(self) -> Client:
        options = self._way.options_for(self._slug)
        if self._slug == "long_polling" and self._talk.program.silence_s:
            options["hold_s"] = self._talk.program.silence_s + 60  # as long as the server will
        timeout = self._talk.program.open_s
        way = self._way
        return clients.open(
            self._slug, way.url, way.channel, timeout=timeout, reconnects=0, **options
        )

    def _failure(self, error: Exception) -> dict[str, Any]:
        after = time.monotonic() - self._since
        return {
            "after_s": round(after, 1),
            "status": error.status if isinstance(error, RefusedError) else None,
            "said_nothing": "said nothing" in str(error) or "did not answer" in str(error),
            "error": str(error).replace(f"{_ROOT}/", "")[:200],  # recorded, so nobody's paths
        }

    def _follow(self, client: Client) -> None:
        talk, program = self._talk, self._talk.program
        talk.opening.over.wait()
        self._enter("flow", self._opened)
        self._take(client, lambda: len(self._latencies) >= program.messages, talk.flow.over)
        if len(self._latencies) < program.messages:
            return
        talk.flow.through()
        talk.flow.over.wait()
        self._enter("up")
        text = f"up {self._slug}"
        client.send(text)
        self._take(client, lambda: text in self._bodies, talk.up.over)
        self._went_up = text in self._bodies or text in self._speaker.heard
        if not self._went_up:
            return
        talk.up.through()
        talk.up.over.wait()
        if program.silence_s and BY_SLUG[self._slug].held:
            # A stream stood open all the while; a poll is asked for only now.
            self._enter("silence", self._heard if BY_SLUG[self._slug].streams else None)
            self._take(client, lambda: False, talk.wake)  # what ends is found by who reads
            late = threading.Event()
            threading.Timer(program.patience_s, late.set).start()
            self._take(client, lambda: STILL in self._bodies, late)
            if STILL not in self._bodies:
                raise ConnectionError("nothing comes any more, and nobody said so")
        self._enter("end")

    def _enter(self, stage: str, since: float | None = None) -> None:
        self._stage, self._since = stage, since or time.monotonic()

    def _take(self, client: Client, done: Callable[[], bool], over: threading.Event) -> None:
        while not done() and not over.is_set():
            for item in client.receive_many(_READ_S):
                if not isinstance(item, Message):
                    continue
                self._bodies.add(str(item.body))
                # When it came: a crowd of clients is read late, and cuts are counted from silence.
                self._heard = client.arrived_ns / 1e9
                if self._stage == "silence":  # others said something after what this one awaited
                    self._since = self._heard
                if item.sender == PUBLISHER and item.body != STILL:
                    self._latencies.append((client.arrived_ns - item.sent_ns) / 1e6)


def cross(ways: Sequence[Way], program: Program) -> list[Seen]:
    """Send every technique through every way; return what each saw."""
    talk = Talk(program, len(ways), len(ways) * len(SLUGS))
    speakers = [Speaker(way, talk, number, len(ways)) for number, way in enumerate(ways)]
    crossers = [
        Crosser(number, way, slug, talk, speakers[number])
        for number, way in enumerate(ways)
        for slug in SLUGS
    ]
    jobs = [speaker.listen for speaker in speakers] + [speaker.speak for speaker in speakers]
    jobs += [crosser.run for crosser in crossers]
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    talk.lead()
    for thread in threads:
        thread.join()
    for speaker in speakers:
        speaker.close()
    return talk.seen


def main(plan: str, out: str) -> None:
    """Do what the plan says and write down what was seen."""
    told = json.loads(Path(plan).read_text(encoding="utf-8"))
    seen = cross([Way.load(one) for one in told["ways"]], Program(**told["program"]))
    Path(out).write_text(json.dumps([asdict(one) for one in seen]), encoding="utf-8")


if __name__ == "__main__":
    from gevent import monkey

    with looked_through_once():
        monkey.patch_all()
    arrival.use_kernel_clock()
    main(*sys.argv[1:])

"""All techniques on all ways at once, in a process of its own: ``... PLAN.json SEEN.json``.

Each client is a thread (a greenlet, as this program is patched), and all go in step: they open,
then messages come down, then each says something, then nobody says anything for a while, then one
more message comes. On each way a client that goes straight to the server publishes, and hears what
went up.
"""

import json
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
from loadtests.between.judging import Seen
from loadtests.between.ways import Way
from wire.errors import WireError
from wire.message import Message
from wire.techniques import BY_SLUG, SLUGS

PUBLISHER = "between"
STILL = "still there?"
_READ_S = 0.25  # how often a client that waits looks at the clock


@dataclass(frozen=True)
class Program:
    """How much is said and how long is waited, in seconds."""

    messages: int
    every_s: float
    patience_s: float
    open_s: float
    silence_s: float


class Talk:
    """What all clients of a run go through together."""

    def __init__(self, program: Program, count: int) -> None:
        self.program = program
        self.opened = threading.Semaphore(0)
        self.flow, self.up = threading.Event(), threading.Event()
        self.silence, self.wake = threading.Event(), threading.Event()
        self.flow_end = 0.0
        self.count = count
        self.lock = threading.Lock()
        self.seen: list[Seen] = []

    def note(self, seen: Seen) -> None:
        """Keep what one client saw."""
        with self.lock:
            self.seen.append(seen)

    def lead(self) -> None:
        """Go through the stages."""
        program = self.program
        for _ in range(self.count):
            self.opened.acquire()
        self.flow_end = time.monotonic() + program.messages * program.every_s + program.patience_s
        self.flow.set()
        time.sleep(max(self.flow_end - time.monotonic(), 0.0))
        self.up.set()
        time.sleep(program.patience_s + 2 * _READ_S)
        self.silence.set()
        time.sleep(program.silence_s)
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
        talk.flow.wait()
        began = time.monotonic() + self._share * program.every_s
        for number in range(program.messages):
            time.sleep(max(began + number * program.every_s - time.monotonic(), 0.0))
            self._say(f"m{number}")
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
        self._stage, self._since = "open", time.monotonic()
        self._latencies: list[float] = []
        self._bodies: set[str] = set()
        self._went_up = False

    def run(self) -> None:
        """Do it all; whatever goes wrong is what was seen."""
        client: Client | None = None
        failure: dict[str, Any] = {}
        opening = True
        try:
            client = self._open()
            self._talk.opened.release()
            opening = False
            self._follow(client)
        except (ClientError, WireError, OSError) as error:
            failure = self._failure(error)
        finally:
            if opening:
                self._talk.opened.release()
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
            "error": f"{error}"[:200],
        }

    def _follow(self, client: Client) -> None:
        talk, program = self._talk, self._talk.program
        talk.flow.wait()
        self._enter("flow")
        self._take(client, lambda: len(self._latencies) >= program.messages, talk.flow_end)
        talk.up.wait()
        if len(self._latencies) < program.messages:
            return
        self._enter("up")
        text = f"up {self._slug}"
        client.send(text)
        until = time.monotonic() + program.patience_s
        self._take(client, lambda: text in self._bodies, until)
        self._went_up = text in self._bodies or text in self._speaker.heard
        while not talk.silence.is_set():
            self._take(client, talk.silence.is_set, time.monotonic() + _READ_S)
        if program.silence_s and BY_SLUG[self._slug].held and self._went_up:
            self._enter("silence")
            # What ends is found by who reads; that nothing comes at the end, too.
            self._take(client, talk.wake.is_set, self._since + program.silence_s + 1)
            self._take(client, lambda: STILL in self._bodies, time.monotonic() + program.patience_s)
            if STILL not in self._bodies:
                raise ConnectionError("nothing comes any more, and nobody said so")
        self._enter("end")

    def _enter(self, stage: str) -> None:
        self._stage, self._since = stage, time.monotonic()

    def _take(self, client: Client, done: Callable[[], bool], until: float) -> None:
        while not done() and (left := until - time.monotonic()) > 0:
            for item in client.receive_many(min(left, _READ_S)):
                if not isinstance(item, Message):
                    continue
                self._bodies.add(str(item.body))
                if item.sender == PUBLISHER and item.body != STILL:
                    self._latencies.append((client.arrived_ns - item.sent_ns) / 1e6)


def cross(ways: Sequence[Way], program: Program) -> list[Seen]:
    """Send every technique through every way; return what each saw."""
    talk = Talk(program, len(ways) * len(SLUGS))
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

    monkey.patch_all()
    main(*sys.argv[1:])

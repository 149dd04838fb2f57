"""Answers that are written word by word, as a language model writes: for those who ask for one.

With ``--answers`` a message whose text is such an object is a question, by whichever way it came:

    {"answer":{"tokens":100,"per_second":30,"first_ms":300,"characters":4,"seed":0}}

All members are optional. The answer comes into the same channel: ``tokens`` messages of so many
``characters``, the first after ``first_ms``, the others at that rate on average: each after half to
one and a half of the mean, by a chance that ``seed`` fixes. ``sent_ns`` of a token is when it was
due. A channel has one answer at a time: a new question ends the one before it, ``"tokens":0`` just
that.

Nobody writes to nobody. An answer ends when no one has listened for ``silence_ms``: no stream, no
held request, no poll. Who closes a stream is known to be gone, and who asks on a timer is missed.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from servers.channels.channel import Channel
from servers.front.bodies import load_order
from servers.front.problems import Problem, problem_of
from wire.cursor import Cursor
from wire.errors import WireError
from wire.message import Body

_MARK = '{"answer":'
_MOST_AT_ONCE = 2000
# Loops round timers to whole milliseconds: woken too early, a writer would only turn in circles.
_ROUNDED_S = 0.0005
_LONGEST_QUESTION = 1000
# What is written, again and again.
_TEXT = (
    "A page could only ask, and a server could only answer. So whoever waited for news had to ask "
    "again. Then somebody left the answer open, and wrote on. "
)


def written(place: int, size: int) -> str:
    """Return ``size`` characters of what is written, from the character ``place`` on."""
    place %= len(_TEXT)
    return (_TEXT * (size // len(_TEXT) + 2))[place : place + size]


@dataclass(frozen=True, slots=True)
class Question:
    """What sort of answer is asked for; ``sender`` is who writes it."""

    tokens: int = 100
    per_second: float = 30.0
    first_ms: float = 300.0
    characters: int = 4
    seed: int = 0
    silence_ms: float = 750.0
    sender: str = "answer"


_BOUNDS = {
    "tokens": (0, 10_000),
    "per_second": (0.1, 1000),
    "first_ms": (0, 60_000),
    "characters": (1, 10_000),
    "seed": (0, 2**63),
    "silence_ms": (100, 60_000),
}


def read_question(body: Body) -> Question | None:
    """Return what ``body`` asks, ``None`` if it is no question.

    Raises :class:`~servers.front.problems.Problem` 400 for one that cannot be answered.
    """
    if not isinstance(body, str) or not body.startswith(_MARK):
        return None
    if len(body) > _LONGEST_QUESTION:
        raise Problem(400, f"a question has at most {_LONGEST_QUESTION} characters")
    try:
        asked = load_order(body.encode("utf-8", "surrogatepass"))["answer"]
    except WireError as error:
        raise problem_of(error) from None
    if not isinstance(asked, dict):
        raise Problem(400, '"answer" is an object such as {"tokens":100,"per_second":30}')
    known = {field.name: field.default for field in fields(Question)}
    for name, value in asked.items():
        _check(name, value, known)
    return Question(**asked)


def _check(name: str, value: Any, known: dict[str, Any]) -> None:
    if name not in known:
        raise Problem(400, f"an answer has no {name[:40]!r}; there are {', '.join(known)}")
    if name == "sender":
        if not isinstance(value, str) or len(value) > 100:
            raise Problem(400, "the sender of an answer is text of up to 100 characters")
        return
    least, most = _BOUNDS[name]
    kinds = int if isinstance(known[name], int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        what = "a whole number" if kinds is int else "a number"
        raise Problem(400, f"{name} of an answer is {what} from {least:,} to {most:,}")


def due_ns(question: Question) -> Iterator[int]:
    """Yield when each token is due, in nanoseconds after the question; the same for each seed."""
    chance = random.Random(question.seed)
    t = question.first_ms / 1000
    for _ in range(question.tokens):
        yield int(t * 1e9)
        t += chance.uniform(0.5, 1.5) / question.per_second


class Answers:
    """All that are being written."""

    def __init__(self) -> None:
        self._writers: dict[str, Writer] = {}

    def read(self, body: Body) -> Question | None:
        """Return what ``body`` asks, as :func:`read_question` does, if there is room to answer."""
        question = read_question(body)
        if question is not None and question.tokens and len(self._writers) >= _MOST_AT_ONCE:
            raise Problem(503, f"{_MOST_AT_ONCE} answers are being written", Retry_After="1")
        return question

    def begin(self, channel: Channel, question: Question) -> None:
        """Answer in ``channel``; what was being written there ends."""
        if (before := self._writers.pop(channel.name, None)) is not None:
            before.stop()
        if question.tokens:
            self._writers[channel.name] = Writer(channel, question, self._done)

    @property
    def open(self) -> int:
        """How many are being written."""
        return len(self._writers)

    def close(self) -> None:
        """End all."""
        for writer in self._writers.values():
            writer.stop()
        self._writers.clear()

    def _done(self, writer: "Writer") -> None:
        self._writers.pop(writer.channel.name, None)


class Writer:
    """Writes one answer, a token at a time; tells ``done`` when there is no more to write."""

    def __init__(
        self, channel: Channel, question: Question, done: Callable[["Writer"], None]
    ) -> None:
        self.channel = channel
        self._question = question
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._began_ns = channel.heard_ns = time.monotonic_ns()
        self._times = due_ns(question)
        self._next_ns = self._began_ns + next(self._times)
        self._place = 0
        self._timer = self._wait()

    def _wait(self) -> asyncio.TimerHandle:
        left = (self._next_ns - time.monotonic_ns()) / 1e9
        # Not past the moment at which it should be seen that nobody listens any more.
        return self._loop.call_later(min(max(left, 0.0) + _ROUNDED_S, 0.1), self._go_on)

    def _go_on(self) -> None:
        now = time.monotonic_ns()
        silent_ns = 0 if self.channel.size else now - self.channel.heard_ns
        if silent_ns > self._question.silence_ms * 1e6:
            return self._done(self)
        while self._next_ns <= now:
            self._write()
            after = next(self._times, None)
            if after is None:
                return self._done(self)
            self._next_ns = self._began_ns + after
        self._timer = self._wait()

    def _write(self) -> None:
        text = written(self._place, self._question.characters)
        self._place += len(text)
        appended = self.channel.publish(text, self._question.sender, self._next_ns)
        if isinstance(appended, asyncio.Future):
            appended.add_done_callback(_drop)

    def stop(self) -> None:
        """Write no more."""
        self._timer.cancel()


def _drop(appended: asyncio.Future[Cursor]) -> None:
    """Forget what the log refused: ids have no hole then, and the next token may be kept."""
    if not appended.cancelled():
        appended.exception()

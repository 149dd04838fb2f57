"""Polling and long-polling of a server that is not ours.

What the next request has to say was in the answers before: a cursor in a header or in the body, or
the name of a session.
"""

import time
from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.errors import UnexpectedAnswerError, refused
from clients.foreign.finding import Finder, values
from clients.foreign.peer_file import TEXT, Subscribe
from clients.kinds.http_client import HttpClient
from clients.net.headers import Fields
from clients.net.http import Answer
from clients.net.schedule import next_tick, sleep_until
from clients.options import Options

_NOTHING_NEW = (204, 304, 408)


class Asking:
    """What the answers told so far, and so what to ask for next."""

    __slots__ = ("finder", "how", "known")

    def __init__(self, how: Subscribe) -> None:
        self.how = how
        self.finder = Finder(how.place)
        self.known: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Put what is known in the place of its name."""
        for name, value in self.known.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    @property
    def path(self) -> str:
        """What to ask for now."""
        first = not self.how.again or not self.known
        return self.how.path if first else self.fill(self.how.again)

    @property
    def fields(self) -> Fields:
        """The header fields to ask with, without those of which nothing is known yet."""
        filled = ((name, self.fill(value)) for name, value in self.how.headers)
        return tuple((name, value) for name, value in filled if not value.startswith("{"))

    def learn(self, answer: Answer) -> str:
        """Remember what an answer says, and return its body; empty where nothing is new.

        Raises :class:`~clients.errors.RefusedError`.
        """
        if answer.head.status not in (200, *_NOTHING_NEW):
            self.known.clear()  # a session or a cursor that is no more
            raise refused(answer.head, answer.body)
        body = answer.body.decode(errors="replace")
        for name, place in self.how.remember.items():
            found = values(place, body) if place.at or place.after else []
            if place.header:
                found = [answer.head.fields.get(place.header.lower())]
            if found and found[0] not in (None, ""):
                self.known[name] = str(found[0])
        return "" if answer.head.status in _NOTHING_NEW else body

    def check_first(self, answer: Answer) -> None:
        """Raise ``UnexpectedAnswerError`` if the first answer does not say how to go on."""
        if self.how.again and (missing := self.how.remember.keys() - self.known.keys()):
            raise UnexpectedAnswerError(
                f"the answer of {self.how.path} tells no {' and no '.join(sorted(missing))}: "
                f"{answer.body[:80]!r}"
            )


class ForeignLongPolling(HttpClient):
    """Asks, waits for the answer, and asks again.

    With ``again`` the first answer is awaited before anything counts as subscribed; without it the
    first request may be held like all others.
    """

    __slots__ = ("_asked", "_early", "asking")
    technique = "long_polling"

    def __init__(self, url: str, how: Subscribe, **options: Unpack[Options]) -> None:
        self.asking = Asking(how)
        self._asked = False
        self._early: list[Item] = []
        super().__init__(url, **options)

    @property
    def finder(self) -> Finder:
        """Who looks for messages in the answers."""
        return self.asking.finder

    def _open(self) -> None:
        self._asked = False
        asking = self.asking
        if asking.how.again and not asking.known:
            answer = self._whole()
            self._early += self._take(answer)
            asking.check_first(answer)
            self._talk(answer)
        self._ask()

    def _talk(self, answer: Answer) -> None:
        """Await and say what comes before the first message, in turns."""
        limit = self._limit()
        for wanted, say in self.asking.how.open:
            while wanted and not any(piece.startswith(wanted) for piece in self._pieces(answer)):
                if time.monotonic() > limit:
                    came = f"but only {answer.body[:80]!r} came"
                    raise UnexpectedAnswerError(f"{wanted!r} was awaited, {came}")
                answer = self._whole()
                self._early += self._take(answer)
            if say:
                self._say(say)

    def _pieces(self, answer: Answer) -> list[str]:
        body = answer.body.decode(errors="replace")
        return body.split(self.asking.how.split) if self.asking.how.split else [body]

    def _whole(self) -> Answer:
        self._ask()
        self._asked = False
        if (answer := self._down.answer(self._limit())) is None:
            raise self._silence()
        return answer

    def _ask(self) -> None:
        target = self.address.target(self.asking.path)
        self._down.ask(self.asking.how.method, target, fields=self.asking.fields)
        self._asked = True

    def _say(self, text: str) -> None:
        target = self.address.target(self.asking.path)
        answer = self._ask_up("POST", target, text.encode(), (("Content-Type", TEXT),))
        if not 200 <= answer.head.status < 300:
            raise refused(answer.head, answer.body)

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if self._early:
            early, self._early = self._early, []
            return early
        if not self._asked:
            self._ask()
        if (answer := self._down.answer(deadline)) is None:
            return None
        self._asked = False
        return self._take(answer)

    def _take(self, answer: Answer) -> list[Item]:
        body = self.asking.learn(answer)
        how, items = self.asking.how, list[Item]()
        for piece in body.split(how.split) if how.split else (body,):
            if (said := how.reply.get(piece)) is not None:
                self._say(said)
            else:
                items += self.finder.find(piece)
        self.arrived_ns, self.asked_ns = self._down.arrived_ns, self._down.asked_ns
        return items


class ForeignPolling(ForeignLongPolling):
    """Asks every ``interval`` seconds; what comes with the first answer was before us."""

    __slots__ = ("_due", "_interval", "_start")
    technique = "polling"

    def __init__(
        self, url: str, how: Subscribe, *, interval: float = 1.0, **options: Unpack[Options]
    ) -> None:
        self._interval = interval
        self._start = self._due = time.monotonic()
        super().__init__(url, how, **options)

    def _open(self) -> None:
        self._asked = False
        if not self.asking.known:
            answer = self._whole()
            self._early += self._take(answer)
            self.asking.check_first(answer)
            self._talk(answer)
        self._due = next_tick(self._start, self._interval, time.monotonic())

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if not self._asked and not self._early:
            if not sleep_until(self._due, deadline):
                return None
            self._due = next_tick(self._start, self._interval, time.monotonic())
        return super()._read(deadline)

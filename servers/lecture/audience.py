"""Who takes part: people whose own pages subscribe by a technique of their choice.

A person is a secret that one browser keeps (``who``), so that a reload makes no second one and
nobody speaks for another; to the room a person is a number. What is kept of each is bounded, and
everybody weighs the same: who reports a thousand latencies, true or not, counts as one.
"""

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from servers.front.problems import Problem
from servers.lecture.viewers import MOST_PAGES, PAGES_EACH, Viewer
from wire.techniques import SLUGS

# Latencies are counted in classes, ten for each power of ten: class i is from 10**(i/10) ms on.
# The first also takes what is less, the last what is more: from about 8 s on.
BINS: Final = 40
RECENT_S: Final = 30.0
MOST_PEOPLE: Final = MOST_PAGES
PEOPLE_EACH: Final = PAGES_EACH  # of one address
MOST_AT_ONCE: Final = 1000  # latencies in a report
_BETWEEN_S: Final = 0.9  # reports of one person
_MOST_MS: Final = 600_000.0
_STATES: Final = ("open", "broken", "waiting")


class Person:
    """One who takes part. ``technique`` is ``None`` of somebody who only votes."""

    def __init__(self, number: int, address: str) -> None:
        self.number, self.address = number, address
        self.page = ""  # the name of the page that speaks for them; empty while there is none
        self.technique: str | None = None
        self.state = "waiting"
        self.drops = self.returns = self.lost = 0
        self.left_at = 0.0
        self.forget()

    def forget(self) -> None:
        """Forget what was measured."""
        self.counts = [0] * BINS
        self.sum_ms = 0.0
        self.heard_at = -math.inf
        self._parts: deque[tuple[float, list[tuple[int, int]], float]] = deque()

    def hear(self, now: float, part: list[tuple[int, int]], sum_ms: float) -> None:
        """Add counted latencies, and drop those that are no longer recent."""
        self.heard_at = now
        self._parts.append((now, part, sum_ms))
        self._add(part, sum_ms, 1)
        self.age(now)

    def age(self, now: float) -> None:
        """Drop what is no longer recent."""
        while self._parts and self._parts[0][0] < now - RECENT_S:
            _, part, sum_ms = self._parts.popleft()
            self._add(part, sum_ms, -1)
        if not self._parts:
            self.sum_ms = 0.0  # no rest of rounding

    def _add(self, part: list[tuple[int, int]], sum_ms: float, sign: int) -> None:
        for bin_, count in part:
            self.counts[bin_] += sign * count
        self.sum_ms += sign * sum_ms

    def turn(self, state: str) -> None:
        """Take another state, and count who dropped and who came back."""
        if self.state == "open" and state in ("broken", "away"):
            self.drops += 1
        elif state == "open" and self.drops > self.returns:
            self.returns += 1
        self.state = state


class Audience:
    """All who take part. ``gone`` hears of those of whom nothing is kept any more."""

    def __init__(
        self,
        viewers: Mapping[str, Viewer],
        gone: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._viewers = viewers
        self._gone = gone
        self._now = now
        self._people: dict[str, Person] = {}

    def __len__(self) -> int:
        """Count those who subscribe and are there."""
        return sum(bool(one.page and one.technique) for one in self._people.values())

    def come(self, who: str, page: Viewer) -> Person:
        """Let somebody in, or take up who was here before, on this page from now on.

        Raises :class:`~servers.front.problems.Problem` where one address or all are too many.
        """
        person = self._people.get(who)
        if person is None:
            self._make_room(page.address)
            taken = {one.number for one in self._people.values()}
            number = next(n for n in range(1, MOST_PEOPLE + 2) if n not in taken)
            person = self._people[who] = Person(number, page.address)
        for other in self._people.values():  # a page speaks for one
            if other is not person and other.page == page.name:
                self._leave(other)
        person.page, person.address = page.name, page.address
        return person

    def _make_room(self, address: str) -> None:
        """Forget who has been away longest, where too many are known."""
        alike = [who for who, one in self._people.items() if one.address == address]
        everybody = list(self._people)
        for those, most, status, where in (
            (alike, PEOPLE_EACH, 429, " from your address"),
            (everybody, MOST_PEOPLE, 503, ""),
        ):
            if len(those) < most:
                continue
            away = [who for who in those if who in self._people and not self._people[who].page]
            if not away:
                raise Problem(status, f"{most} take part{where} already")
            longest = min(away, key=lambda who: self._people[who].left_at)
            del self._people[longest]
            self._gone(longest)

    def subscribe(self, who: str, page: Viewer, technique: str | None) -> Person:
        """Let somebody take part by a technique; ``None`` ends that."""
        if technique is not None and technique not in SLUGS:
            raise Problem(400, f"technique is one of {' '.join(SLUGS)}, or null")
        person = self.come(who, page)
        if technique != person.technique:
            person.forget()
            person.drops = person.returns = person.lost = 0
        person.technique, person.state = technique, "waiting"
        return person

    def hear(self, page: Viewer, report: dict[str, Any]) -> None:
        """Take what a page has measured since its last report; 409 of who takes no part."""
        person = self._of(page)
        state, lost = report.get("state"), report.get("lost", 0)
        if state not in _STATES:
            raise Problem(400, f"state is one of {' '.join(_STATES)}")
        part, total = _counted(report.get("counts", {}))
        sum_ms = report.get("sum_ms", 0)
        if not _is_number(lost) or not 0 <= lost <= 10**6:
            raise Problem(400, "lost is a number of messages")
        if not _is_number(sum_ms) or not 0 <= sum_ms <= total * _MOST_MS:
            raise Problem(400, "sum_ms is the sum of the counted latencies, in milliseconds")
        now = self._now()
        if now - person.heard_at < _BETWEEN_S:
            raise Problem(429, "one report a second, please")
        person.turn(state)
        person.lost = int(lost)
        person.hear(now, part, float(sum_ms))

    def _of(self, page: Viewer) -> Person:
        for person in self._people.values():
            if person.page == page.name and person.technique is not None:
                return person
        raise Problem(409, "this page takes no part; choose a technique first")

    def close(self, page: str) -> None:
        """A page has gone: who spoke by it may come back."""
        for person in self._people.values():
            if person.page == page:
                self._leave(person)

    def _leave(self, person: Person) -> None:
        person.page, person.left_at = "", self._now()
        if person.technique is not None:
            person.turn("away")

    def state(self) -> dict[str, Any]:
        """Describe everybody who subscribes, and each technique's recent latencies.

        ``people`` are rows of number, technique, state, drops, returns and messages lost. A
        technique's ``shares`` are the thousandths in each class, the mean over its people, and
        ``typical_ms`` is the median of their means.
        """
        now = self._now()
        rows = []
        shares: dict[str, list[float]] = {}
        means: dict[str, list[float]] = {}
        for one in sorted(self._people.values(), key=lambda one: one.number):
            if one.technique is None:
                continue
            rows.append([one.number, one.technique, one.state, one.drops, one.returns, one.lost])
            one.age(now)
            if total := sum(one.counts):
                sums = shares.setdefault(one.technique, [0.0] * BINS)
                for i, count in enumerate(one.counts):
                    sums[i] += count / total
                means.setdefault(one.technique, []).append(one.sum_ms / total)
        return {
            "people": rows,
            "techniques": {
                slug: {
                    "measured": len(means[slug]),
                    "shares": [round(1000 * one / len(means[slug])) for one in sums],
                    "typical_ms": round(statistics.median(means[slug]), 1),
                }
                for slug, sums in shares.items()
            },
        }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _counted(counts: Any) -> tuple[list[tuple[int, int]], int]:
    """Read counts of latencies by class, as ``{"12": 3}``."""
    problem = Problem(
        400, f"counts are of classes 0 to {BINS - 1}, and {MOST_AT_ONCE} at most together"
    )
    if not isinstance(counts, dict) or len(counts) > BINS:
        raise problem
    part = []
    for name, count in counts.items():
        if not (name.isascii() and name.isdigit() and len(name) <= 2 and int(name) < BINS):
            raise problem
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_AT_ONCE:
            raise problem
        part.append((int(name), count))
    total = sum(count for _, count in part)
    if total > MOST_AT_ONCE:
        raise problem
    return part, total

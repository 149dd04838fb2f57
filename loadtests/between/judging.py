"""What it means: the words for what was seen on a way, beside the same with nothing in between."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.between.ways import ASK_S, Way
from results.record.crossings import Crossing, Word
from wire.techniques import BY_SLUG

LATE_MS = 150.0  # less is what a busy machine adds


@dataclass(frozen=True, slots=True)
class Seen:
    """What one client saw on one way.

    ``stage`` is how far it came: ``open``, ``flow`` (messages come), ``up`` (it says something),
    ``silence``, ``end``. ``latencies_ms`` are those of the messages that came; ``error``, with its
    HTTP ``status`` or ``said_nothing``, ended it after ``after_s``: since it was open, while
    messages came; since the last one, in silence.
    """

    way: int
    technique: str
    stage: str
    latencies_ms: tuple[float, ...] = ()
    went_up: bool = False
    after_s: float = 0.0
    status: int | None = None
    said_nothing: bool = False
    error: str = ""


def judge(way: Way, seen: Seen, control: Seen, messages: int) -> Crossing:
    """Say what became of a technique; ``control`` is what it saw with nothing in between."""
    word, late_ms, cut_s, busy = Word.PASSES, None, None, False
    came = len(seen.latencies_ms)
    detail = seen.error
    if seen.stage == "open":
        word = Word.HELD if seen.said_nothing else Word.REFUSED
    elif seen.stage == "flow" and seen.error and came:
        word, cut_s, busy = Word.CUT, seen.after_s, True
    elif seen.stage == "flow" and seen.status:
        word = Word.REFUSED
    elif came < messages:
        word = Word.HELD
        detail = detail or f"{came} of {messages} messages came"
    elif not seen.went_up:
        word = Word.HALF
    else:
        late_ms = _late(seen, control)
        if late_ms is not None:
            word = Word.LATE
        if seen.stage == "silence":
            word, cut_s = Word.CUT, seen.after_s
    if word is Word.PASSES:
        detail = ""
    return Crossing(
        *(way.intermediary, way.setup, way.name, seen.technique, word),
        status=seen.status if word is not Word.PASSES else None,
        late_ms=None if late_ms is None else round(late_ms, 1),
        cut_s=None if cut_s is None else round(cut_s, 1),
        busy=busy,
        detail=detail,
    )


def _late(seen: Seen, control: Seen) -> float | None:
    """Return by how many ms most messages are later, if chance does not add as much."""
    if not control.latencies_ms:
        return None
    late = statistics.median(seen.latencies_ms) - statistics.median(control.latencies_ms)
    asks = BY_SLUG[seen.technique].asks  # and so waits for its own next tick, more or less
    return late if late > LATE_MS + ASK_S * 1000 * asks else None


def judge_all(ways: Sequence[Way], seen: Sequence[Seen], messages: int) -> list[Crossing]:
    """Judge all, in the order of the ways and the registry."""
    by_place = {(one.way, one.technique): one for one in seen}
    controls = {way.name: number for number, way in enumerate(ways) if way.name == way.control}
    return [
        judge(way, by_place[number, slug], by_place[controls[way.control], slug], messages)
        for number, way in enumerate(ways)
        for slug in BY_SLUG
        if (number, slug) in by_place
    ]

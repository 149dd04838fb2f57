"""How far the server's clock is from ours: found by asking it, for a load from several hosts.

A monotonic clock counts from when its host began, so those of two hosts differ by anything, and by
some millionths more each second. The server tells its own (``/clock``). It read it between the
moment when we asked and the moment when its answer came, so the middle of the two is wrong by half
the round trip at most (Cristian, *Probabilistic clock synchronization*, 1989). The shortest of
several round trips is the best; asked again and again, they show the drift.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from clients.errors import UnexpectedAnswerError
from clients.net.desk import Desk
from wire.errors import WireError
from wire.message import load_json

FIRST_ASKS, ASKS = 32, 8  # when nothing is known yet, and whenever the drift is looked at
PERIOD_S = 1.0
_USUAL_DRIFT = 50e-6  # of two quartz clocks that nobody disciplines; what is believed beforehand
_KEPT = 60  # readings through which the line goes
_MOST_OFFSET_NS = 2**62
CLOCK_APART = "a worker's clock differs"  # so a failure begins that spoils every time


@dataclass(frozen=True, slots=True)
class Reading:
    """The server's clock less ours at ``at_ns`` by ours, wrong by ``bound_ns`` at most."""

    at_ns: int
    offset_ns: int
    bound_ns: int


class ClockDesk(Desk):
    """A desk that reads the server's clock."""

    def read(self, asks: int = ASKS) -> Reading:
        """Return the reading of the shortest of ``asks`` round trips. Raises ``ClientError``."""
        return min((self._read() for _ in range(asks)), key=lambda found: found.bound_ns)

    def _read(self) -> Reading:
        asked_ns = time.monotonic_ns()
        body = self.ask("GET", self.address.target("/clock"), 200)
        came_ns = self.arrived_ns
        try:
            theirs_ns = load_json(body)["monotonic_ns"]
        except (WireError, KeyError) as error:
            raise UnexpectedAnswerError(f"/clock tells no monotonic_ns: {error}") from error
        if type(theirs_ns) is not int or not 0 <= theirs_ns < _MOST_OFFSET_NS:
            raise UnexpectedAnswerError(f"/clock tells {theirs_ns!r}, which is no time in ns")
        middle_ns = (asked_ns + came_ns) // 2
        # Rounded up, and a nanosecond for the middle that was rounded down.
        return Reading(middle_ns, theirs_ns - middle_ns, (came_ns - asked_ns) // 2 + 1)


class ServerClock:
    """Turns times of our clock into the server's, by a straight line through the readings.

    ``settled`` is true once it is known whether there is anything to correct. Where a reading
    allows that the clocks are one, as on one host, they are taken for one and nothing is changed.
    ``senders_error_ns`` is by how much the corrected times of those who send may be wrong.
    """

    def __init__(self) -> None:
        self.settled = False
        self.known = False
        self.apart = False
        self.senders_error_ns = 0
        self.rate = 0.0  # by how much theirs is the faster
        self._readings: deque[Reading] = deque(maxlen=_KEPT)
        self._doubts_ns: deque[float] = deque(maxlen=10 * _KEPT)
        self._misfit_ns = 0
        self._at_ns = self._offset_ns = 0

    def give_up(self) -> None:
        """Leave all times as they are: nobody tells the server's clock."""
        self.settled = True

    def note(self, reading: Reading) -> None:
        """Take a reading into account."""
        if not self.known:
            self.apart = abs(reading.offset_ns) > reading.bound_ns
        else:
            wrong_ns = abs(self.offset_ns(reading.at_ns) - reading.offset_ns)
            # What was used until now, and what the round trip cannot explain.
            self._misfit_ns = max(self._misfit_ns, wrong_ns - reading.bound_ns)
        self.known = self.settled = True
        self._readings.append(reading)
        if self.apart:
            rate_error = self._fit()
            self._doubts_ns.append(self._doubt_ns(reading.at_ns, rate_error))

    def _doubt_ns(self, at_ns: int, rate_error: float) -> float:
        """Return by how much the line may be wrong at a time: what the best reading allows.

        An older one may be the best, but the drift since then is not known exactly.
        """
        return min(
            reading.bound_ns
            + abs(self.offset_ns(reading.at_ns) - reading.offset_ns)
            + rate_error * abs(at_ns - reading.at_ns)
            for reading in self._readings
        )

    def _fit(self) -> float:
        """Lay a line through the readings, each as heavy as it is sure (weighted least squares).

        Two readings of the same second say nothing of a drift: so the usual one is believed as if
        it had been read, which decides until they lie some seconds apart. Returns by how much the
        rate may be wrong (its standard error).
        """
        first = self._readings[0]
        weights = [1 / reading.bound_ns**2 for reading in self._readings]
        total = sum(weights)
        ats = [reading.at_ns - first.at_ns for reading in self._readings]
        offsets = [reading.offset_ns - first.offset_ns for reading in self._readings]
        at = sum(w * t for w, t in zip(weights, ats, strict=True)) / total
        offset = sum(w * o for w, o in zip(weights, offsets, strict=True)) / total
        triples = list(zip(weights, ats, offsets, strict=True))
        spread = sum(w * (t - at) ** 2 for w, t, _ in triples) + 1 / _USUAL_DRIFT**2
        self.rate = sum(w * (t - at) * (o - offset) for w, t, o in triples) / spread
        self._at_ns, self._offset_ns = first.at_ns + round(at), first.offset_ns + round(offset)
        return float(spread**-0.5)

    def offset_ns(self, own_ns: int) -> int:
        """Return what is added to a time of our clock."""
        return self._offset_ns + round((own_ns - self._at_ns) * self.rate) if self.apart else 0

    def to_server(self, own_ns: int) -> int:
        """Return the server's time at one of ours."""
        return own_ns + self.offset_ns(own_ns) if self.apart else own_ns

    @property
    def error_ns(self) -> int:
        """By how much a corrected time may be wrong; 0 where there is nothing to correct.

        As a rule half the shortest round trip; and what readings showed the line to be off by
        beyond theirs.
        """
        return round(median(self._doubts_ns)) + self._misfit_ns if self.apart else 0

    def told(self) -> dict[str, Any]:
        """Return what is known, as plain values (:class:`ClockFacts`)."""
        offset_ns = self.offset_ns(time.monotonic_ns())
        return {
            "known": self.known,
            "offset_ns": offset_ns,
            "rate": self.rate,
            "error_ns": self.error_ns,
        }


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What one process knows of the server's clock: what it adds, the drift, the doubt."""

    known: bool = False
    offset_ns: int = 0
    rate: float = 0.0
    error_ns: int = 0


def largest_error(found: Iterable[ClockFacts]) -> int:
    """Return by how much a time of any of these processes may be wrong (ns).

    A time between two of them hardly is by both errors: what makes a reading wrong is mostly that
    the server reads its clock nearer to one end of the trip, and that is alike for all who ask.
    """
    return max((facts.error_ns for facts in found), default=0)

"""When to send: an open load as a pure function, without a clock.

A message is due whether or not the one before it got through. That is what separates an open
load from a closed one, which stops asking while the server stands still and so never sees how
long the others would have waited (coordinated omission).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

ARRIVALS = ("constant", "poisson")
SHAPES = ("steady", "steps", "spike")
STEP_S = 10.0  # of "steps": how long each rate holds before the next multiple of it
SPIKE_FROM_S, SPIKE_UNTIL_S = 10.0, 15.0
SPIKE_TIMES = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages are due.

    ``rate`` is in messages per second; ``arrivals`` says whether they come evenly (``constant``)
    or by chance with that mean (``poisson``, drawn from ``seed``); ``shape`` lets the rate stay
    (``steady``), grow by its own amount every ten seconds (``steps``, to find the knee), or be
    tenfold for five seconds (``spike``).
    """

    rate: float
    arrivals: str = "constant"
    shape: str = "steady"
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"the rate must be more than 0 messages/s, not {self.rate}")
        if self.arrivals not in ARRIVALS:
            raise ValueError(f"arrivals are {' or '.join(ARRIVALS)}, not {self.arrivals!r}")
        if self.shape not in SHAPES:
            raise ValueError(f"the shape is one of {', '.join(SHAPES)}, not {self.shape!r}")


def rate_at(pace: Pace, t: float) -> float:
    """Return the messages per second that are due ``t`` seconds after the start."""
    if pace.shape == "steps":
        return pace.rate * (1 + int(t / STEP_S))
    if pace.shape == "spike" and SPIKE_FROM_S <= t < SPIKE_UNTIL_S:
        return pace.rate * SPIKE_TIMES
    return pace.rate


def due_times(pace: Pace) -> Iterator[float]:
    """Yield when each message is due, in seconds after the start; it never ends.

    Every interval follows the rate at its beginning. The same pace yields the same times.
    """
    chance = random.Random(pace.seed)
    t = 0.0
    if pace.arrivals == "constant" and pace.shape == "steady":
        # Multiplied, not added up: a million additions drift.
        count = 0
        while True:
            yield count / pace.rate
            count += 1
    while True:
        if pace.arrivals == "poisson":
            t += chance.expovariate(rate_at(pace, t))
            yield t
        else:
            yield t
            t += 1 / rate_at(pace, t)


def due_within(pace: Pace, seconds: float) -> list[float]:
    """Return all times before ``seconds``."""
    return list(takewhile(lambda t: t < seconds, due_times(pace)))

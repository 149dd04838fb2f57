"""When to ask next: a fixed rate, as a pure function of the clock; and waiting.

A poller that sleeps its interval *after* each answer asks ever later: its period is interval plus
round trip. Here the ticks stand fixed on the clock, and a tick that passes while an answer is
still awaited is left out, so that never two requests are under way.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LONGEST_NAP_S = 3600.0  # a server may ask for more seconds than the system can count


def next_tick(start: float, interval: float, now: float) -> float:
    """Return the first of ``start``, ``start + interval``, ... that is later than ``now``."""
    if now < start:
        return start
    tick = start + (int((now - start) / interval) + 1) * interval
    # Division rounds; a tick that comes out as "now" was this one already.
    return tick if tick > now else tick + interval


def sleep_until(moment: float, deadline: float | None) -> bool:
    """Sleep until ``moment`` (monotonic seconds) or the earlier ``deadline``; was it ``moment``?"""
    end = moment if deadline is None else min(moment, deadline)
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LONGEST_NAP_S))
    return deadline is None or moment <= deadline


def await_true(check: Callable[[], T], seconds: float, pause: float = 0.02) -> T:
    """Ask again and again until the answer is a true one, at most ``seconds``; return the last."""
    end = time.monotonic() + seconds
    while not (found := check()) and time.monotonic() < end:
        time.sleep(pause)
    return found

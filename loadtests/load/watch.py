"""Watching this process while it makes the load: see :mod:`loadtests.measures.condition`."""

import time

import gevent
import psutil

from loadtests.measures.condition import Condition
from loadtests.measures.core_time import CoreTime, busy_s, core_time

_TICK_S, _NOTED_S = 0.005, 1.0
_PROCESS = psutil.Process()
_UNKNOWN = CoreTime(0.0, 0.0, 0)


class _Ticks:
    """Wakes up 5 ms after it did so last, again and again, and keeps how much later that was.

    The loop calls it: a greenlet that sleeps as often would cost twice as much, and no less late.
    """

    def __init__(self) -> None:
        self._worst = 0.0
        self._due = time.monotonic() + _TICK_S
        self._timer = gevent.get_hub().loop.timer(_TICK_S, _TICK_S)
        self._timer.start(self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        self._worst = max(self._worst, now - self._due)
        self._due = now + _TICK_S
        self._timer.again(self._tick)

    def take(self) -> float:
        """Return the most that it was late since it was asked last, in seconds."""
        self._tick()  # it may be overdue
        worst, self._worst = self._worst, 0.0
        return worst

    def stop(self) -> None:
        """End it."""
        self._timer.stop()
        self._timer.close()


class Watch:
    """Watches this process; senders tell it how late they were."""

    def __init__(self) -> None:
        self.condition = Condition()
        self._late_ns = 0

    def late(self, nanoseconds: int) -> None:
        """Note that something left so much after it was due."""
        if nanoseconds > self._late_ns:
            self._late_ns = nanoseconds

    def run(self) -> None:
        """Fill the condition, for ever: run it in a greenlet of its own."""
        second, cpu, core = time.monotonic(), time.process_time(), core_time() or _UNKNOWN
        busy, ticks = busy_s(), _Ticks()
        self._note(second, 0.0, 0.0, 0.0, 0.0, 0.0)
        try:
            while True:
                gevent.sleep(_NOTED_S)
                now = time.monotonic()
                passed = now - second
                used, had, all_used = time.process_time(), core_time() or _UNKNOWN, busy_s()
                self._note(
                    now,
                    (used - cpu) / passed,
                    ticks.take() * 1000,
                    (had.waited_s - core.waited_s) / passed,
                    (had.turns - core.turns) / passed,
                    (all_used - busy) / passed,
                )
                second, cpu, core, busy = now, used, had, all_used
        finally:
            ticks.stop()

    def _note(
        self, at_s: float, cpu: float, lag_ms: float, waited: float, turns: float, busy: float
    ) -> None:
        condition = self.condition
        condition.at_s.append(at_s)
        condition.cpu.append(round(cpu, 4))
        condition.lag_ms.append(round(lag_ms, 3))
        condition.late_ms.append(round(self._late_ns / 1e6, 3))
        condition.waited.append(round(waited, 6))
        condition.turns.append(round(turns, 1))
        condition.busy.append(round(busy, 4))
        condition.rss.append(_PROCESS.memory_info().rss)
        self._late_ns = 0

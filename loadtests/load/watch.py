"""Watching this process while it makes the load: see :mod:`loadtests.measures.condition`."""

import time

import gevent
import psutil

from loadtests.measures.condition import Condition
from loadtests.measures.core_time import CoreTime, busy_s, core_time

_TICK_S = 0.005
_PROCESS = psutil.Process()
_UNKNOWN = CoreTime(0.0, 0.0, 0)


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
        """Fill the condition, for ever: run it in a greenlet of its own.

        It sleeps 5 ms at a time and looks how much later it wakes up.
        """
        second, cpu, core = time.monotonic(), time.process_time(), core_time() or _UNKNOWN
        busy = busy_s()
        self._note(second, 0.0, 0.0, 0.0, 0.0, 0.0)
        worst = 0.0
        due = second + _TICK_S
        while True:
            gevent.sleep(max(due - time.monotonic(), 0.0))
            now = time.monotonic()
            worst = max(worst, now - due)
            due = now + _TICK_S
            passed = now - second
            if passed >= 1.0:
                used, had, all_used = time.process_time(), core_time() or _UNKNOWN, busy_s()
                self._note(
                    now,
                    (used - cpu) / passed,
                    worst * 1000,
                    (had.waited_s - core.waited_s) / passed,
                    (had.turns - core.turns) / passed,
                    (all_used - busy) / passed,
                )
                second, cpu, core, busy, worst = now, used, had, all_used, 0.0

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

"""Watching this process while it makes the load: see :mod:`loadtests.measures.condition`."""

import time

import gevent
import psutil

from loadtests.measures.condition import Condition

_TICK_S = 0.02
_PROCESS = psutil.Process()


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

        It sleeps 20 ms at a time and looks how much later it wakes up.
        """
        second, cpu, waited = time.monotonic(), time.process_time(), _waited_s()
        self._note(second, 0.0, 0.0, 0.0)
        worst = 0.0
        due = second + _TICK_S
        while True:
            gevent.sleep(max(due - time.monotonic(), 0.0))
            now = time.monotonic()
            worst = max(worst, now - due)
            due = now + _TICK_S
            passed = now - second
            if passed >= 1.0:
                used, stood = time.process_time(), _waited_s()
                self._note(now, (used - cpu) / passed, worst * 1000, (stood - waited) / passed)
                second, cpu, waited, worst = now, used, stood, 0.0

    def _note(self, at_s: float, cpu: float, lag_ms: float, waited: float) -> None:
        condition = self.condition
        condition.at_s.append(at_s)
        condition.cpu.append(round(cpu, 4))
        condition.lag_ms.append(round(lag_ms, 3))
        condition.late_ms.append(round(self._late_ns / 1e6, 3))
        condition.waited.append(round(waited, 4))
        condition.rss.append(_PROCESS.memory_info().rss)
        self._late_ns = 0


def _waited_s() -> float:
    """Seconds in which this thread was ready to run but no core was free for it (Linux; else 0)."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0

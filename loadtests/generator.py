"""How well the load generator itself does, second by second.

Everything in a Locust process takes turns on one thread. If that thread is busy, messages wait
in it unread and polls leave late, and a tired generator would be reported as a slow server. So
the share of a core it uses and the lateness of its own timers are part of every result.
"""

import time
from dataclasses import dataclass, field, fields
from typing import Any

import gevent
import psutil

_TICK_S = 0.02
_PROCESS = psutil.Process()


@dataclass(slots=True)
class Condition:
    """One value per second.

    ``at_s`` is the monotonic time at the second's end, ``cpu`` the share of a core, ``lag_ms`` the
    loop's worst lateness, ``late_ms`` the worst lateness of what was due to be sent, ``waited`` the
    share of time in which the process was ready to run and had no core, ``rss`` its memory in
    bytes.
    """

    at_s: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def take(self) -> dict[str, Any]:
        """Give away what came since the last time, as plain values."""
        parcel = {item.name: getattr(self, item.name)[:] for item in fields(self)}
        for item in fields(self):
            getattr(self, item.name).clear()
        return parcel

    def add(self, parcel: dict[str, Any]) -> None:
        """Append what the same process gave away."""
        for name, values in parcel.items():
            getattr(self, name).extend(values)


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

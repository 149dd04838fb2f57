"""How well the load generator itself does, second by second.

Everything in a Locust process takes turns on one thread. If that thread is busy, messages wait
in it unread and polls leave late, and a tired generator would be reported as a slow server. So
the share of a core it uses and the lateness of its own timers are part of every result.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import gevent
import psutil

_TICK_S = 0.02
_PROCESS = psutil.Process()


@dataclass(slots=True)
class Condition:
    """One value per second: ``cpu`` in cores, ``lag_ms`` the loop's worst lateness, ``rss`` in
    bytes; ``at_s`` is the monotonic time at the second's end.
    """

    at_s: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)

    def note(self, at_s: float, cpu: float, lag_ms: float) -> None:
        """Append one second."""
        self.at_s.append(at_s)
        self.cpu.append(round(cpu, 4))
        self.lag_ms.append(round(lag_ms, 3))
        self.rss.append(_PROCESS.memory_info().rss)

    def take(self) -> dict[str, Any]:
        """Give away what came since the last time, as plain values."""
        names = ("at_s", "cpu", "lag_ms", "rss")
        parcel = {name: getattr(self, name)[:] for name in names}
        for name in names:
            getattr(self, name).clear()
        return parcel

    def add(self, parcel: dict[str, Any]) -> None:
        """Append what the same process gave away."""
        for name, values in parcel.items():
            getattr(self, name).extend(values)


def watch(condition: Condition) -> None:
    """Fill ``condition``, for ever: run it in a greenlet of its own.

    It sleeps 20 ms at a time and looks how much later it wakes up.
    """
    second, cpu = time.monotonic(), time.process_time()
    condition.note(second, 0.0, 0.0)
    worst = 0.0
    due = second + _TICK_S
    while True:
        gevent.sleep(max(due - time.monotonic(), 0.0))
        now = time.monotonic()
        worst = max(worst, now - due)
        due = now + _TICK_S
        if now - second >= 1.0:
            used = time.process_time()
            condition.note(now, (used - cpu) / (now - second), worst * 1000)
            second, cpu, worst = now, used, 0.0

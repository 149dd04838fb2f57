"""How well the load generator itself does, second by second.

Everything in a Locust process takes turns on one thread. If that thread is busy, messages wait
in it unread and polls leave late, and a tired generator would be reported as a slow server. So
the share of a core it uses and the lateness of its own timers are part of every result.
"""

from dataclasses import dataclass, field, fields
from typing import Any

LEFT = "left before the end"  # so a failure ends that spoils the audit


@dataclass(slots=True)
class Condition:
    """One value per second.

    ``at_s`` is the monotonic time at the second's end, ``cpu`` the share of a core, ``lag_ms`` the
    loop's worst lateness, ``late_ms`` the worst lateness of what was due to be sent, ``waited`` the
    share of time in which the process was ready to run and had no core, ``turns`` how often it got
    one, ``rss`` its memory in bytes. ``busy`` is for how much of a core whoever it was computed, on
    those cores that this process may use.
    """

    at_s: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lag_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

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

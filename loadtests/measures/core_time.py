"""How long a process waited for its core: what the kernel's scheduler says of it (Linux).

``/proc/PID/schedstat`` has three numbers for a process' first thread: how long it ran, how long it
was ready to run while something else had the core (its run delay), and how often it got one
(Linux, Documentation/scheduler/sched-stats.rst). A server that used 2 % of its core and waited 50 %
of the time is not slow; it was kept from its work.
"""

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class CoreTime:
    """Totals since the process began: seconds that it ran and waited, and how often it ran."""

    ran_s: float
    waited_s: float
    turns: int


def core_time(pid: int | None = None) -> CoreTime | None:
    """Read a process' totals (by default our own); None where the system does not tell."""
    try:
        with open(f"/proc/{pid or 'self'}/schedstat", encoding="ascii") as file:
            ran, waited, turns = file.read().split()
    except (OSError, ValueError):
        return None
    return CoreTime(int(ran) / 1e9, int(waited) / 1e9, int(turns))


def busy_s() -> float:
    """Return for how long whoever it was computed on the cores that this process may use.

    Seconds of a core since the system began. The kernel's work for the network is left out.
    """
    each = psutil.cpu_times(percpu=True)
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(each))
    found = [each[core] for core in mine if core < len(each)]
    return float(sum(one.user + one.system + getattr(one, "nice", 0.0) for one in found))


def wait_ms(waited_s: float, turns: float, others_ran_s: float) -> float:
    """Return how long a turn waited on average (ms), where that was no fault of our own.

    ``others_ran_s`` is how long those of us ran who may have had the same core.
    """
    return max(waited_s - others_ran_s, 0.0) * 1000 / turns if turns >= 1 else 0.0

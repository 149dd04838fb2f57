"""Reads the server's ledger again and again, and turns readings into rows of rates."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clients.errors import ClientError
from clients.net.desk import Desk
from loadtests.measures.condition import Condition
from loadtests.measures.core_time import CoreTime, core_time, wait_ms
from results.record.rows import LedgerRow

PERIOD_S = 1.0
_LEAST = 4  # readings of the measured time, however short it is
_SHORTEST_S = 0.1
_UNSURE = 0.1  # of a core: how well a kernel that counts by ticks knows who computed


def period_s(seconds: float) -> float:
    """Return how long to wait between readings, for so many measured seconds."""
    return min(PERIOD_S, max(seconds / _LEAST, _SHORTEST_S))


@dataclass(frozen=True, slots=True)
class Reading:
    """One technique's ledger at one moment; totals are since process ``pid`` began, or all of them.

    What is not known is NaN.
    """

    pid: int | frozenset[int]
    at_s: float
    cpu_s: float
    rss_bytes: float
    open: float
    held: float
    requests: float
    connections: float
    deliveries: float
    bytes_down: float
    server: CoreTime | None = None
    relay: CoreTime | None = None


class Sampler:
    """Asks ``/stats`` every ``period_s``, in a thread; a server that does not answer is skipped.

    ``relay_pid`` is that of what stands between users and server, on the server's core; ``cafile``
    has whom to trust at an ``https://``.
    """

    def __init__(
        self,
        url: str,
        technique: str,
        relay_pid: int | None = None,
        period_s: float = PERIOD_S,
        cafile: str | None = None,
    ) -> None:
        self._desk = Desk(url, timeout=5, cafile=cafile)
        self._technique = technique
        self._relay_pid = relay_pid
        self._period_s = period_s
        self.readings: list[Reading] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(due - time.monotonic(), 0.0)):
            due = max(due + self._period_s, time.monotonic())
            with contextlib.suppress(ClientError):
                self.readings.append(self._read())
        self._desk.close()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _read(self) -> Reading:
        stats = self._desk.stats()
        process, row = stats["process"], stats["techniques"][self._technique]
        pids = frozenset(worker["pid"] for worker in stats.get("workers", [process]))
        names = ("open", "held", "requests", "connections", "deliveries", "bytes_down")
        return Reading(
            pid=pids,
            at_s=time.monotonic(),
            cpu_s=process["cpu_s"],
            rss_bytes=process["rss_bytes"],
            **{name: row[name] for name in names},
            server=core_time(process["pid"]) if len(pids) == 1 else None,
            relay=core_time(self._relay_pid) if self._relay_pid else None,
        )

    def silence_s(self, began_s: float, ended_s: float) -> float:
        """Return the longest time within the given one in which no answer came.

        What was asked near its end may be answered until the sampler was closed.
        """
        moments = [one.at_s for one in self.readings if began_s < one.at_s]
        moments = [began_s, *moments, *([ended_s] if not moments or moments[-1] < ended_s else [])]
        return max(later - before for before, later in pairwise(moments))


def ledger_rows(
    readings: Sequence[Reading],
    conditions: Sequence[Condition],
    began_s: float,
    ended_s: float,
    generator_cores: int = 0,
) -> list[LedgerRow]:
    """Return a row for each pair of readings within the measured time (monotonic seconds).

    Of several generator processes the busiest of each second counts, or all of them together where
    they may use only so many cores (0: not known).
    """
    rows = []
    for before, now in _within(readings, began_s, ended_s):
        seconds = now.at_s - before.at_s

        def per_second(
            count: Callable[[Reading], float],
            b: Reading = before,
            n: Reading = now,
            s: float = seconds,
        ) -> float:
            return (count(n) - count(b)) / s

        rows.append(
            LedgerRow(
                t_s=round(now.at_s - began_s, 3),
                open_sockets=now.open,
                held_requests=now.held,
                requests_per_s=per_second(lambda r: r.requests),
                connections_per_s=per_second(lambda r: r.connections),
                deliveries_per_s=per_second(lambda r: r.deliveries),
                bytes_per_s=per_second(lambda r: r.bytes_down),
                server_cpu=per_second(lambda r: r.cpu_s),
                server_rss_bytes=now.rss_bytes,
                generator_cpu=used(conditions, now.at_s, generator_cores),
                generator_lag_ms=worst(conditions, "lag_ms", now.at_s),
                server_wait_ms=_waited(before.server, now.server, before.relay, now.relay),
                relay_wait_ms=_waited(before.relay, now.relay, before.server, now.server),
                generator_wait_ms=kept_waiting(conditions, now.at_s),
            )
        )
    return rows


def _within(
    readings: Sequence[Reading], began_s: float, ended_s: float
) -> Iterator[tuple[Reading, Reading]]:
    """Yield the pairs of readings of one server within the measured time."""
    for before, now in pairwise(readings):
        if now.pid == before.pid and began_s <= (before.at_s + now.at_s) / 2 <= ended_s:
            yield before, now


def stalls(
    readings: Sequence[Reading], began_s: float, ended_s: float
) -> list[tuple[str, list[float]]]:
    """Return how long server and relay waited for a core in all, between two readings each (ms)."""
    found: dict[str, list[float]] = {"the server": [], "the relay": []}
    for before, now in _within(readings, began_s, ended_s):
        sides = ((before.server, now.server), (before.relay, now.relay))
        for who, own, other in zip(found, sides, reversed(sides), strict=True):
            each = _waited(*own, *other)
            if each is not None and own[0] is not None and own[1] is not None:
                found[who].append(each * (own[1].turns - own[0].turns))
    return [(who, values) for who, values in found.items() if values]


def _waited(
    before: CoreTime | None,
    now: CoreTime | None,
    other_before: CoreTime | None,
    other_now: CoreTime | None,
) -> float | None:
    if before is None or now is None:
        return None
    others = other_now.ran_s - other_before.ran_s if other_now and other_before else 0.0
    return wait_ms(now.waited_s - before.waited_s, now.turns - before.turns, others)


def used(conditions: Sequence[Condition], at_s: float, cores: int) -> float:
    """Return the generator's share of a core: the busiest process', or all on so many cores."""
    shares = [found.cpu[i] for found, i in _seconds(conditions, at_s)]
    return max(max(shares, default=0.0), sum(shares) / cores if cores else 0.0)


def kept_waiting(conditions: Sequence[Condition], at_s: float) -> float | None:
    """Return for how long a turn of the generator waited for a core (ms), of its worst process.

    While one of its processes computes, another may wait for that: which is no longer than that
    lasts, and where strangers compute as well, no larger a part of all waiting than it is of all
    that was computed.
    """
    found = [(one, i) for one, i in _seconds(conditions, at_s) if one.turns]
    ours = sum(one.cpu[i] for one, i in found)

    def by_ours(one: Condition, i: int) -> float:
        others = ours - one.cpu[i]
        strangers = max(one.busy[i] - ours - _UNSURE, 0.0) if one.busy else 0.0
        return min(others, one.waited[i] * others / (others + strangers)) if others > 0 else 0.0

    return max(
        (wait_ms(one.waited[i], one.turns[i], by_ours(one, i)) for one, i in found), default=None
    )


def worst(conditions: Sequence[Condition], name: str, at_s: float) -> float:
    """Return the highest value among the processes, each at its second nearest to ``at_s``."""
    return float(max((getattr(one, name)[i] for one, i in _seconds(conditions, at_s)), default=0.0))


def _seconds(conditions: Sequence[Condition], at_s: float) -> list[tuple[Condition, int]]:
    """Return each process with the place of its second nearest to ``at_s``."""
    return [
        (one, min(range(len(one.at_s)), key=lambda i: abs(one.at_s[i] - at_s)))
        for one in conditions
        if one.at_s
    ]

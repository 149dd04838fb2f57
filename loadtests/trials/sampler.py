"""Reads the server's ledger once a second, and turns readings into rows of rates."""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clients.errors import ClientError
from clients.net.desk import Desk
from loadtests.measures.condition import Condition
from results.record.rows import LedgerRow

PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One technique's ledger at one moment; totals are since process ``pid`` began."""

    pid: int
    at_s: float
    cpu_s: float
    rss_bytes: int
    open: int
    held: int
    requests: int
    connections: int
    deliveries: int
    bytes_down: int


class Sampler:
    """Asks ``/stats`` every second, in a thread; a server that does not answer is skipped."""

    def __init__(self, url: str, technique: str) -> None:
        self._desk = Desk(url, timeout=5)
        self._technique = technique
        self.readings: list[Reading] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(due - time.monotonic(), 0.0)):
            due = max(due + PERIOD_S, time.monotonic())
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
        names = ("open", "held", "requests", "connections", "deliveries", "bytes_down")
        return Reading(
            process["pid"],
            time.monotonic(),
            process["cpu_s"],
            process["rss_bytes"],
            *(row[name] for name in names),
        )


def ledger_rows(
    readings: Sequence[Reading], conditions: Sequence[Condition], began_s: float, ended_s: float
) -> list[LedgerRow]:
    """Return a row for each pair of readings within the measured time (monotonic seconds).

    Of several generator processes the busiest of each second counts.
    """
    rows = []
    for before, now in pairwise(readings):
        middle = (before.at_s + now.at_s) / 2
        restarted = now.pid != before.pid
        if restarted or not began_s <= middle <= ended_s:
            continue
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
                generator_cpu=worst(conditions, "cpu", now.at_s),
                generator_lag_ms=worst(conditions, "lag_ms", now.at_s),
            )
        )
    return rows


def worst(conditions: Sequence[Condition], name: str, at_s: float) -> float:
    """Return the highest value among the processes, each at its second nearest to ``at_s``."""
    found = []
    for condition in conditions:
        if condition.at_s:
            index = min(range(len(condition.at_s)), key=lambda i: abs(condition.at_s[i] - at_s))
            found.append(getattr(condition, name)[index])
    return float(max(found, default=0.0))

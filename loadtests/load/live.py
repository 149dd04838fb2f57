"""What a running test shows: a row for each technique, and its last minutes as curves."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import gevent

from clients.errors import ClientError
from loadtests.load.conductor import Conductor
from loadtests.load.session import SoFar, server_url
from loadtests.measures.measure import Doubts, Measure, impossible
from loadtests.measures.server_line import ServerLine
from loadtests.measures.tally import Tally
from results.record.verdicts import NOTHING, Load, Verdict, judge
from wire.techniques import BY_SLUG

PERIOD_S = 1.0
_KEPT = 300  # points of each curve
_JUDGED = 5  # last seconds that the live verdict is about


@dataclass
class Curve:
    """One technique over time: seconds, deliveries/s, and p50 and p99 of each second in ms."""

    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    rate: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    p50_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    p99_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))


class LiveView:
    """Follows a conductor's tests, once a second, in a greenlet."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._run: object = None
        self._line: ServerLine | None = None
        self._began = 0.0
        self._last: dict[str, Tally] = {}
        self._ledger: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._server_cpu: deque[float] = deque(maxlen=_JUDGED)
        self.curves: dict[str, Curve] = {}
        gevent.spawn(self._follow)

    def _follow(self) -> None:
        while True:
            gevent.sleep(PERIOD_S)
            run = self._conductor.session
            if run is None:
                continue
            if run is not self._run:
                self._begin(run)
            self._read_ledger()
            self._conductor.gather()
            self._add_points()

    def _begin(self, run: object) -> None:
        self._run, self._began = run, time.monotonic()
        self._last, self.curves = {}, {}
        self._ledger, self._before = {}, {}
        self._server_cpu.clear()
        environment = self._conductor.environment
        settings = self._conductor.session.settings if self._conductor.session else None
        url = (settings.publish_to if settings else "") or server_url(environment)
        self._line = ServerLine(url, settings.channel) if url and settings else None

    def _read_ledger(self) -> None:
        if self._line is None:
            return
        try:
            now = self._line.stats()
        except ClientError:
            return
        self._before, self._ledger = self._ledger, now
        if self._before:
            used = now["process"]["cpu_s"] - self._before["process"]["cpu_s"]
            self._server_cpu.append(used / max(self._passed_s(), 1e-3))

    def _passed_s(self) -> float:
        return float(self._ledger["now_ns"] - self._before["now_ns"]) / 1e9

    def _add_points(self) -> None:
        now = time.monotonic() - self._began
        for slug, measure in self._conductor.totals.measures.items():
            total = measure.tallies["delivery"]
            before = self._last.get(slug, Tally())
            fresh = Tally({ns: n - before.get(ns, 0) for ns, n in total.items()})
            self._last[slug] = Tally(total)
            curve = self.curves.setdefault(slug, Curve())
            curve.seconds.append(round(now, 1))
            curve.rate.append(round(fresh.count / PERIOD_S, 1))
            curve.p50_ms.append(fresh.percentile_ms(50))
            curve.p99_ms.append(fresh.percentile_ms(99))

    def rows(self) -> list[dict[str, Any]]:
        """Return the table: one row for each technique, whole test so far."""
        measures = self._conductor.totals.measures
        verdict = self._verdict() if measures else ""
        return [self._row(slug, measure, verdict) for slug, measure in measures.items()]

    def _row(self, slug: str, measure: Measure, verdict: str) -> dict[str, Any]:
        delivery = measure.tallies["delivery"]
        so_far = SoFar()
        for process in self._conductor.totals.so_far.values():
            so_far.add(SoFar(**process.get(slug, {})))
        audit = measure.audit
        payload = measure.flow.tcp_down + so_far.bytes_down
        ledger = self._ledger.get("techniques", {}).get(slug, {})
        return {
            "name": BY_SLUG[slug].title,
            "users": so_far.users,
            "deliveries": measure.deliveries,
            "p50": round(delivery.percentile_ms(50), 2),
            "p90": round(delivery.percentile_ms(90), 2),
            "p99": round(delivery.percentile_ms(99), 2),
            "max": round(max(delivery, default=0) / 1e6, 2),
            "lost": audit.lost + so_far.missing,
            "bytes": round(payload / measure.deliveries, 1) if measure.deliveries else 0,
            "open": ledger.get("open", 0),
            "requests": self._requests_per_s(slug),
            "verdict": verdict,
        }

    def _requests_per_s(self, slug: str) -> float:
        if not self._before:
            return 0.0
        now, before = (
            stats["techniques"].get(slug, {}).get("requests", 0)
            for stats in (self._ledger, self._before)
        )
        return round(float(now - before) / max(self._passed_s(), 1e-3), 1)

    def _verdict(self) -> str:
        """Judge the last seconds."""
        totals = self._conductor.totals
        if not any(measure.deliveries for measure in totals.measures.values()):
            why = next(iter(totals.failures), "no message has come yet")
            return f"{Verdict.INVALID} {NOTHING.reason}: {why}"
        conditions = self._conductor.totals.conditions.values()
        cpu = [value for c in conditions for value in c.cpu[-_JUDGED:]]
        late = [value for c in conditions for value in c.late_ms[-_JUDGED:]]
        published = self._conductor.published
        deliveries = sum(measure.deliveries for measure in totals.measures.values())
        doubts = Doubts()
        for measure in totals.measures.values():
            doubts.add(measure.doubts)
        load = Load(
            cpu,
            late,
            list(self._server_cpu),
            published.asked,
            published.accepted,
            deliveries,
            deliveries,
            impossible=impossible(doubts, deliveries, totals.failures),
        )
        judgement = judge(load)
        return f"{judgement.verdict} {judgement.reason}".strip()

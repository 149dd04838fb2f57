"""What plain, headless Locust says last: verdict, percentiles and audit of each technique.

Locust's own table rounds times and knows nothing of what was lost. Where ``--result`` asks for a
file, whoever asked judges the figures; else they are judged here, by the same rules.
"""

from collections.abc import Iterable

import gevent
from locust.env import Environment
from locust.stats import CSV_STATS_INTERVAL_SEC

from clients.errors import ClientError
from loadtests.load.conductor import Conductor, conductor_of
from loadtests.load.session import server_url
from loadtests.measures.measure import Doubts, Measure, impossible
from loadtests.measures.server_line import ServerLine
from loadtests.measures.tally import Tally
from loadtests.plan.options import KNOWN, Settings, unheeded
from results.record.histogram import new_histogram, percentiles_ms
from results.record.rows import Audit
from results.record.verdicts import NOTHING, Blurred, Judgement, Load, Verdict, judge
from wire.techniques import BY_SLUG

_PERIOD_S = 1.0


class Closing:
    """Watches the server's CPU during a test, and tells of the test when Locust ends."""

    def __init__(self, environment: Environment, conductor: Conductor) -> None:
        self._environment = environment
        self._conductor = conductor
        self._server_cpu: list[float] = []
        environment.events.test_start.add_listener(self._on_start)
        environment.events.quit.add_listener(self._on_quit)

    def _on_start(self, **_: object) -> None:
        self._server_cpu.clear()
        gevent.spawn(self._watch, self._conductor.session)

    def _on_quit(self, **_: object) -> None:
        run = self._conductor.session
        if run is not None and not run.settings.result:
            print("\n".join(self.lines()), flush=True)
        if getattr(self._environment.parsed_options, "csv_prefix", None):
            # Locust closes its tables next, without the rows of what came since it wrote them.
            gevent.sleep(1.1 * CSV_STATS_INTERVAL_SEC)

    def _watch(self, run: object) -> None:
        settings = self._conductor.session.settings if self._conductor.session else None
        url = (settings.publish_to if settings else "") or server_url(self._environment)
        if not url or settings is None:
            return  # the users say so
        line, before = ServerLine(url, settings.channel), (0, 0.0)
        while self._conductor.session is run:
            try:
                stats = line.stats()
            except ClientError:
                before = (0, 0.0)
            else:
                now = (int(stats["now_ns"]), float(stats["process"]["cpu_s"]))
                if before[0] and now[0] > before[0] and now[1] >= before[1]:
                    self._server_cpu.append((now[1] - before[1]) / (now[0] - before[0]) * 1e9)
                before = now
            gevent.sleep(_PERIOD_S)

    def lines(self) -> list[str]:
        """Return what is said, line by line."""
        self._conductor.finish()
        found = self._conductor.totals.measures
        judgement = self._judgement(found)
        reason = f": {judgement.reason}" if judgement.reason else ""
        names = (f"{name:>9}" for name in ("p50 ms", "p90 ms", "p99 ms", "max ms"))
        heading = f"{'technique':<20} {'deliveries':>10}{''.join(names)}  audit"
        rows = [_row(BY_SLUG[slug].title, measure) for slug, measure in found.items()]
        verdict = f"Duplex: {judgement.verdict}{reason}"
        return ["", *self._ignored(found), verdict, *([heading] if rows else []), *rows]

    def _ignored(self, slugs: Iterable[str]) -> list[str]:
        run = self._conductor.session
        names = unheeded(run.settings, slugs, Settings()) if run is not None else []
        flags = ", ".join(KNOWN[name].flag for name in names)
        return [f"Duplex: {flags} changed nothing for these users and what they do"] * bool(names)

    def _judgement(self, found: dict[str, Measure]) -> Judgement:
        totals, published = self._conductor.totals, self._conductor.published
        audit = sum((measure.audit for measure in found.values()), Audit(0, 0))
        conditions = totals.conditions.values()
        doubts, times = Doubts(), Tally()
        for measure in found.values():
            doubts.add(measure.doubts)
            times.merge(measure.tallies["delivery"].items())
        received, p50_ms = sum(m.deliveries for m in found.values()), times.percentile_ms(50)
        missing = self._conductor.target - totals.most_connected
        why = next(iter(totals.failures), "they did not start in time")
        if not totals.most_connected:
            return Judgement(Verdict.INVALID, f"{NOTHING.reason}: {why}")
        load = Load(
            generator_cpu=[cpu for one in conditions for cpu in one.cpu[1:]],
            generator_lag_ms=[late for one in conditions for late in one.late_ms[1:]],
            server_cpu=self._server_cpu,
            asked=published.asked,
            published=published.accepted,
            expected=audit.expected,
            received=audit.received,
            impossible=impossible(doubts, received, totals.failures),
            clock_error_ms=totals.clock_error_ns / 1e6,
            percentiles=[Blurred("p50", p50_ms, p50_ms)],
            trouble=f"{missing} users were not connected: {why}" if missing > 0 else "",
        )
        return judge(load)


def _row(title: str, measure: Measure) -> str:
    histograms = measure.histograms()
    # An echo is asked for its round trip.
    metric = "round_trip" if "round_trip" in histograms else "delivery"
    times = percentiles_ms(histograms.get(metric, new_histogram()), 50, 90, 99, 100)
    said = "".join(f"{time:9.2f}" for time in times)
    audit = measure.audit
    faults = {"lost": audit.lost, "doubled": audit.duplicated, "reordered": audit.reordered}
    words = ", ".join(f"{count:,} {word}" for word, count in faults.items() if count) or "clean"
    words += f" (reach {audit.reach:.3%})" * bool(audit.lost)
    note = " (round trip)" if metric == "round_trip" else ""
    return f"{title:<20} {measure.deliveries:>10,}{said}  {words}{note}"


def attach(environment: Environment, **_: object) -> None:
    """Speak at the end where nobody looks at a page; a listener of Locust's ``init``."""
    conductor = conductor_of(environment)
    if conductor is not None and environment.web_ui is None:
        Closing(environment, conductor)

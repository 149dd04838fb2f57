"""The knee, found: the highest rate that each technique carries before something gives way.

``python -m loadtests knee`` doubles the rate until the verdict is no longer ``VALID`` or a
threshold breaks, then halves the step between the last good rate and the first bad one. What
fails once may have been the machine's bad moment, so a rate is bad only when it fails twice.
Every trial stands in the run's record.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from loadtests.plan.amounts import AT_LEAST_ONE, NOT_NEGATIVE, POSITIVE
from loadtests.plan.options import COMPARED, foreign
from loadtests.plan.plan import Level, Plan, Trial, settings_for
from loadtests.trials import ending
from loadtests.trials import trial as trials
from loadtests.trials.ending import report
from loadtests.trials.processes import ROOT, ProcessError
from loadtests.trials.signals import interruptible
from loadtests.trials.trial import Outcome
from results.console import Console
from results.errors import ResultsError
from results.record.histogram import NS_PER_MS, mean_ms, new_histogram, percentiles_ms
from results.record.quantiles import quantile
from results.record.thresholds import Threshold
from results.record.verdicts import Verdict
from results.record.writer import RunWriter
from wire.techniques import BY_SLUG, SLUGS

PRECISE = 1.1  # between the first bad rate and the last good one, when the search ends
_LEAST = 1.0  # messages/s: below, nothing is searched
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search: ``good`` is the last good rate (0: none), ``bad`` the first bad one.

    ``bad`` is infinite where nothing gave way up to the highest rate that was allowed.
    """

    good: float
    bad: float


def search(holds: Callable[[float], bool], start: float, most: float) -> Found:
    """Find the highest rate at which ``holds`` is true, from ``start`` up to ``most``."""
    good, bad = 0.0, math.inf
    rate = start
    while bad == math.inf or (not good and bad > _LEAST):
        if holds(rate):
            good = rate
            if rate >= most:
                return Found(good, math.inf)
            rate = min(2 * rate, most)
        else:
            bad = rate
            rate = rate / 2
        if good and bad < math.inf:
            break
    while good and bad / good > PRECISE:
        rate = round(math.sqrt(good * bad), 1)
        if holds(rate):
            good = rate
        else:
            bad = rate
    return Found(good, bad)


def fault(outcome: Outcome, slug: str, thresholds: Sequence[Threshold]) -> str:
    """Say what is wrong with one measured trial, or nothing."""
    judgement = outcome.judgement
    if judgement.verdict is not Verdict.VALID:
        return f"{judgement.verdict}: {judgement.reason}"
    for threshold in thresholds:
        if threshold.technique in ("", slug):
            broken = threshold.broken_by(figures(outcome, threshold.metric))
            if broken:
                return f"{broken} ({threshold.text})"
    return ""


def figures(outcome: Outcome, metric: str = "delivery") -> dict[str, Any]:
    """Return one trial's figures by the names that a summary gives them."""
    histogram = outcome.histograms.get(metric, new_histogram())
    names = ("p50_ms", "p90_ms", "p99_ms", "p999_ms")
    times = dict(zip(names, percentiles_ms(histogram, 50, 90, 99, 99.9), strict=True))
    times["mean_ms"] = mean_ms(histogram)
    times["max_ms"] = (
        histogram.get_max_value() / NS_PER_MS if histogram.get_total_count() else math.nan
    )
    audit = asdict(outcome.audit) | {"lost": outcome.audit.lost}
    down, up = (
        sum(
            row.per_message
            for row in outcome.bytes
            if row.role == "subscriber" and row.direction == way
        )
        for way in ("down", "up")
    )
    cpu = {
        name: quantile([getattr(row, name) for row in outcome.ledger], 0.5)
        if outcome.ledger
        else math.nan
        for name in ("server_cpu", "generator_cpu")
    }
    return {**times, **audit, **cpu, "bytes_down": down, "bytes_up": up}


@dataclass(frozen=True, slots=True)
class Knee:
    """What was found for one technique: the last good rate's figures, and why no more."""

    technique: str
    found: Found
    best: dict[str, Any]
    why: str


class Climb:
    """Searches one technique's knee, and records every trial."""

    def __init__(
        self, slug: str, level: Level, options: argparse.Namespace, run: RunWriter, console: Console
    ) -> None:
        self._slug, self._level, self._options = slug, level, options
        self._run, self._console = run, console
        self._repeats: dict[float, int] = {}
        self._best: dict[float, dict[str, Any]] = {}
        self._why: dict[float, str] = {}

    def knee(self) -> Knee:
        """Search."""
        options = self._options
        found = search(self._holds, min(options.start, options.most), options.most)
        why = self._why.get(found.bad, f"nothing gave way up to {options.most:g}/s")
        return Knee(self._slug, found, self._best.get(found.good, {}), why)

    def _holds(self, rate: float) -> bool:
        return any(not self._wrong(rate) for _ in range(_TRIES))

    def _wrong(self, rate: float) -> str:
        self._repeats[rate] = repeat = self._repeats.get(rate, 0) + 1
        trial = self._trial(rate, repeat)
        try:
            outcome = trials.run(trial)
        except ProcessError as error:
            wrong = f"the trial failed: {error}"
        else:
            outcome.write(self._run, trial.cell)
            wrong = fault(outcome, self._slug, self._options.fail_if)
            if not wrong:
                self._best[rate] = figures(outcome)
        self._why[rate] = wrong
        said = wrong or "holds"
        self._console.print(f"{BY_SLUG[self._slug].title:<20} {rate:9,.1f}/s  {said}")
        return wrong

    def _trial(self, rate: float, repeat: int) -> Trial:
        options = self._options
        told = {item.name: getattr(options, item.name) for item in COMPARED if not item.is_a_level}
        plan = Plan(
            (self._slug,),
            (replace(self._level, rate=rate),),
            seed=options.seed + repeat,
            variant=foreign(options.server) if options.server else "",
            settings=settings_for(**told),
        )
        (trial,) = plan.trials()
        return replace(trial, cell=replace(trial.cell, repeat=repeat))


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests knee",
        description="Find the highest rate that each technique carries: raise it until the verdict "
        "is no longer VALID or a threshold breaks, then bisect. About a minute for each technique.",
        epilog=ending.STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--techniques",
        nargs="+",
        choices=SLUGS,
        default=SLUGS,
        metavar="SLUG",
        help=f"whose (default: {' '.join(SLUGS)})",
    )
    add("--users", type=AT_LEAST_ONE, default=40, help="subscribers (default: %(default)s)")
    add("--delay", type=NOT_NEGATIVE, default=0.0, metavar="MS", help="one way (default: 0)")
    add("--start", type=POSITIVE, default=100.0, help="first rate, messages/s (default: 100)")
    add("--most", type=POSITIVE, default=10_000.0, help="highest rate to try (default: 10000)")
    for item in COMPARED:
        if not item.is_a_level:
            item.add_by(add)
    add("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    add("--out", type=Path, help="the run's folder (default: a new one in results/runs)")
    add(
        "--fail-if",
        type=ending.threshold,
        action="append",
        default=[],
        metavar="WORDS",
        help="what a good rate must not show, such as 'p99 > 20 ms'; may be given several times",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Find the knees, print them, and return the exit status."""
    options = parse_arguments(arguments)
    console = Console()
    folder = options.out or ROOT / "results" / "runs" / time.strftime("knee-%Y%m%d-%H%M%S")
    level = Level(options.users, options.start, options.delay)
    plan = {name: value for name, value in vars(options).items() if name not in ("fail_if", "out")}
    plan["fail_if"] = [threshold.text for threshold in options.fail_if]
    command = ["python", "-m", "loadtests", "knee", *arguments]
    knees = []
    try:
        with interruptible(), RunWriter(folder, "knee", plan, command) as run:
            for slug in SLUGS:
                if slug in options.techniques:
                    knees.append(Climb(slug, level, options, run, console).knee())
    except KeyboardInterrupt:
        console.print("interrupted: what was measured so far is kept")
    except ResultsError as error:
        console.print(str(error), style="red")
        return ending.REFUSED
    for knee in knees:
        console.print(said(knee, options.users))
    console.print(f"record: {folder}")
    if not report(folder, console):
        return ending.REFUSED
    return ending.DONE if len(knees) == len(options.techniques) else ending.INCOMPLETE


def said(knee: Knee, users: int) -> str:
    """Tell one knee in a line."""
    title = BY_SLUG[knee.technique].title
    if not knee.found.good:
        return f"{title}: no rate held; {knee.why}"
    good, best = knee.found.good, knee.best
    times = f"p50 {best['p50_ms']:.1f} ms, p99 {best['p99_ms']:.1f} ms"
    edge = "" if knee.found.bad == math.inf else f" at {knee.found.bad:,.1f}/s"
    return (
        f"{title}: {good:,.1f} messages/s to {users:,} users ({good * users:,.0f} deliveries/s), "
        f"{times}; then{edge} {knee.why}"
    )

"""Trials that are held against the models of ``results.models`` and against bare sockets.

Each yields checks. A trial during which the generator was kept from its work says nothing about
a model, so it is made again, three times at most; that it was is said in the check's note.

A model knows nothing of the machine, whose publisher, server and relay need some time for their
work: some ms that differ from machine to machine. Where they count, ``m`` in a check's name is what
bare sockets saw of them in the same run (:class:`~loadtests.calibration.planted.BesideShortLine`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from hdrh.histogram import HdrHistogram

from loadtests.calibration import planted
from loadtests.calibration.checks import at_most, exactly, within, within_share
from loadtests.plan.options import Settings, foreign
from loadtests.plan.plan import Trial
from loadtests.trials.trial import Outcome, run
from results import models
from results.record.histogram import NS_PER_MS
from results.record.quantiles import quantile
from results.record.rows import Cell, CheckRow
from results.record.verdicts import Judgement, Verdict

_D_MS = 25.0
_D = _D_MS / 1000
LOAD = Settings(rate=20.0, arrivals="poisson", warm_up=1.0, seconds=10.0, drain=6.0, seed=4)
_USERS = 10  # beside as many bare sockets
_TRIES = 3
_STOOD_STILL_MS = 15.0  # on loopback, at a few thousand deliveries a second


@dataclass(frozen=True, slots=True)
class Checked:
    """One trial with its checks; ``outcome`` is what was recorded of it."""

    cell: Cell
    outcome: Outcome
    checks: Sequence[CheckRow]


def _ms(histogram: HdrHistogram, percent: float) -> float:
    return float(histogram.get_value_at_percentile(percent)) / NS_PER_MS


def _mean(histogram: HdrHistogram) -> float:
    return float(histogram.get_mean_value()) / NS_PER_MS


def _share_above(histogram: HdrHistogram, milliseconds: float) -> float:
    total: int = histogram.get_total_count()
    above = sum(
        item.count_added_in_this_iter_step
        for item in histogram.get_recorded_iterator()
        if item.value_iterated_to > milliseconds * NS_PER_MS
    )
    return above / total if total else 0.0


def _fair(measure: Callable[[], Outcome]) -> tuple[Outcome, str]:
    """Measure until neither generator nor host was what limited, and say how often it took."""
    reasons = []
    for _ in range(_TRIES):
        outcome = measure()
        if outcome.judgement.verdict not in (Verdict.GENERATOR_BOUND, Verdict.HOST_BUSY):
            break
        reasons.append(outcome.judgement.reason)
    return outcome, f"made again: {'; '.join(reasons)}" if reasons else ""


def made(trial: Trial, checks: Callable[[Outcome, str], Iterable[CheckRow]]) -> Checked:
    """Make a trial, again where it was not fair, and check it."""
    outcome, note = _fair(lambda: run(trial))
    return Checked(trial.cell, outcome, list(checks(outcome, note)))


def polling() -> Checked:
    """Polling waits half an interval and one transit."""
    trial = planted.one_trial("polling", 20, LOAD, _D_MS)

    def checks(outcome: Outcome, note: str) -> Iterable[CheckRow]:
        delivery = outcome.histograms["delivery"]
        mean, worst = models.polling_mean(1.0, _D) * 1e3, models.polling_worst(1.0, _D) * 1e3
        yield within_share("mean = T/2 + D", mean, _mean(delivery), 0.1, "ms", note)
        yield within_share("worst (p99.9) = T + D", worst, _ms(delivery, 99.9), 0.1, "ms", note)
        asked = [row.requests_per_s for row in outcome.ledger]
        rate = sum(asked) / max(len(asked), 1)
        expected = models.polling_requests(20, 1.0)
        yield within_share("requests/s = N/T", expected, rate, 0.05, "1/s", note)

    return made(trial, checks)


def long_polling(rate: float) -> Checked:
    """Long-polling waits for the gap between two requests, if a message falls into it."""
    settings = replace(LOAD, rate=rate, seconds=20.0)

    def checks(outcome: Outcome, bare: Sequence[int], note: str) -> Iterable[CheckRow]:
        added_ns, delivery = fmean(bare), outcome.histograms["delivery"]
        gap = 2 * _D + added_ns / 1e9
        mean = models.long_polling_mean(rate, _D, gap) * 1e3
        yield _with_machine("mean = D + W + m", mean, added_ns, _mean(delivery), note)
        most = _seen(bare, 99.9)  # of what the machine may add to each of the three transits
        worst = models.long_polling_worst(_D + most / 1e3) * 1e3
        words = f"{note}; m = {most:.1f} ms, the bare sockets' p99.9".lstrip("; ")
        measured = _ms(delivery, 99.9)
        yield at_most("worst (p99.9) <= 3 (D + m)", worst, measured, 10.0, "ms", words)
        asked = outcome.result.techniques["long_polling"].flow.requests
        each = asked / max(outcome.audit.received, 1)
        expected = models.long_polling_requests(rate, gap)
        yield within_share("requests per message", expected, each, 0.05, "requests", note)

    return _beside_short_line("long_polling", settings, checks, steady=True)


def _with_machine(
    name: str, model_ms: float, added_ns: float, measured_ms: float, note: str
) -> CheckRow:
    """Return a check that allows a tenth of the model's value, and nothing for the machine's."""
    added_ms = added_ns / NS_PER_MS
    words = f"{note}; m = {added_ms:.2f} ms, as bare sockets without the delay saw it".lstrip("; ")
    return within(name, model_ms + added_ms, measured_ms, 0.1 * model_ms, "ms", words)


def _beside_short_line(
    slug: str,
    settings: Settings,
    checks: Callable[[Outcome, Sequence[int], str], Iterable[CheckRow]],
    late_ms: float = 0.0,
    steady: bool = False,
) -> Checked:
    """Measure; if it has to be ``steady``, again where the machine's worst is half a transit.

    Three times that and the tolerance are still less than the round trip too many of a fault.
    """
    bare: list[int] = []

    def measure() -> Outcome:
        outcome, bare[:] = planted.beside_short_line(slug, _USERS, settings, _D_MS, late_ms)
        return _stood_still(outcome, bare, 99.9, _D_MS / 2) if steady else outcome

    outcome, note = _fair(measure)
    cell = planted.one_trial(slug, _USERS, settings, _D_MS).cell
    return Checked(cell, outcome, list(checks(outcome, bare, note)))


def naive_long_polling(rate: float) -> Checked:
    """Without a cursor, what falls into the gap is lost."""
    settings = replace(LOAD, rate=rate, seconds=25.0, cursor=False, drain=0.5)
    trial = planted.one_trial("long_polling", 5, settings, _D_MS, "without cursor")

    def checks(outcome: Outcome, note: str) -> Iterable[CheckRow]:
        lost = outcome.audit.lost / max(outcome.audit.expected, 1)
        expected = models.naive_loss(rate, 2 * _D)
        yield within("lost share", expected, lost, 0.05, "share", note)

    return made(trial, checks)


def stream(slug: str, late_ms: float = 0.0, seconds: float = 5.0) -> Checked:
    """What is pushed takes one transit; ``late_ms`` is by how much it is wrong on purpose."""

    def checks(outcome: Outcome, bare: Sequence[int], note: str) -> Iterable[CheckRow]:
        yield stream_check(outcome.histograms["delivery"], bare, note)

    return _beside_short_line(slug, replace(LOAD, seconds=seconds), checks, late_ms)


def stream_check(delivery: HdrHistogram, bare: Sequence[int], note: str = "") -> CheckRow:
    """Hold a stream's median against one transit; ``bare`` has latencies without a line (ns)."""
    expected_ms = models.stream_mean(_D) * 1e3
    return _with_machine(
        "median = D + m", expected_ms, quantile(bare, 0.5), _ms(delivery, 50), note
    )


def freeze() -> Checked:
    """A second's freeze in ten, as the open load sees it and as a closed loop does."""
    settings = replace(
        LOAD, rate=100.0, arrivals="constant", scenario="stall", naive=True, seconds=10.0
    )
    trial = planted.one_trial("sse", 10, settings)

    def checks(outcome: Outcome, note: str) -> Iterable[CheckRow]:
        delivery, naive = outcome.histograms["delivery"], outcome.histograms["naive"]
        share = models.stalled_share(1.0 - 0.05, 10.0)
        yield within_share(
            "delayed over 50 ms", share, _share_above(delivery, 50), 0.1, "share", note
        )
        extra = models.stalled_extra(1.0, 10.0) * 1e3
        added = _mean(delivery) - _ms(delivery, 50)
        yield within_share("added to the mean", extra, added, 0.1, "ms", note)
        worst = float(delivery.get_max_value()) / NS_PER_MS
        yield within_share("worst", 1000, worst, 0.1, "ms", note)
        seen = round(_share_above(naive, 50) * naive.get_total_count())
        lie = f"of {naive.get_total_count()}; its p99 is {_ms(naive, 99):.1f} ms"
        yield within("seen by a closed loop", 1, seen, 1, "samples", lie)

    return made(trial, checks)


def beside_bare_sockets(slug: str, server: str = "", seconds: float = 12.0) -> Checked:
    """The suite's percentiles against bare sockets' in the same run, of our server or another."""
    settings = replace(LOAD, arrivals="constant", seconds=seconds, server=server)
    bare: list[int] = []

    def measure() -> Outcome:
        outcome, bare[:] = planted.beside_bare_sockets(slug, settings)
        return _stood_still(outcome, bare, 99, _STOOD_STILL_MS)

    outcome, note = _fair(measure)
    sockets, messages = planted.GROUPS * planted.EACH, round(settings.rate * settings.seconds)
    came = min(len(bare), sockets * messages)  # of the warm-up they have some, too
    checks = [exactly("deliveries to bare sockets", sockets * messages, came, "deliveries", note)]
    for percent in (50, 99):
        truth = _seen(bare, percent)
        measured = _ms(outcome.histograms["delivery"], percent)
        tolerance = max(0.1 * truth, 0.2)
        name = f"p{percent} as bare sockets saw it"
        checks.append(within(name, truth, measured, tolerance, "ms", note))
    words = ", ".join(filter(None, (server and foreign(server), "beside bare sockets")))
    cell = planted.one_trial(slug, 200, settings, variant=words).cell
    return Checked(cell, outcome, checks)


def _seen(bare: Sequence[int], percent: float) -> float:
    return quantile(bare, percent / 100) / NS_PER_MS


def _stood_still(outcome: Outcome, bare: Sequence[int], percent: float, most_ms: float) -> Outcome:
    """Doubt an outcome where a percentile is about one or two messages that stood in a queue.

    Then it is about who was reached before the standstill, too.
    """
    if (seen := _seen(bare, percent)) <= most_ms:
        return outcome
    reason = f"the host stood still: even bare sockets saw a p{percent:g} of {seen:.0f} ms"
    return replace(outcome, judgement=Judgement(Verdict.GENERATOR_BOUND, reason))


def planted_fault(fault: str) -> Checked:
    """One message in a thousand dropped, doubled or swapped: found, to the message."""
    (outcome, count) = planted.with_fault(fault)
    audit = outcome.audit
    found = {"drop": audit.lost, "double": audit.duplicated, "swap": audit.reordered}
    others = sum(found.values()) - found[fault]
    checks = [
        exactly(f"planted {fault}s found", count, found[fault], "messages"),
        exactly("other faults found", 0, others, "messages"),
    ]
    settings = outcome.result.settings
    cell = planted.one_trial("sse", 3, settings, variant=f"planted: {fault}").cell
    return Checked(cell, outcome, checks)

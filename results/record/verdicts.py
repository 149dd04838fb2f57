"""Whether a measurement can be trusted: pure rules with documented thresholds.

A load generator that is out of breath reports a slow server, a host with other things to do reports
its own queue, and a saturated server reports that queue instead of its speed. So every cell is
judged: whether it can be at all, the generator, the host, then the server; and each verdict but
``VALID`` says why.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from results.record.quantiles import quantile, worst_tenth


class Verdict(StrEnum):
    """May these figures be believed? From the worst to the best."""

    INVALID = "INVALID"
    GENERATOR_BOUND = "GENERATOR-BOUND"
    HOST_BUSY = "HOST-BUSY"
    SERVER_BOUND = "SERVER-BOUND"
    UNSTABLE = "UNSTABLE"
    VALID = "VALID"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason (empty only for ``VALID``)."""

    verdict: Verdict
    reason: str = ""


CLOCK_UNSURE = "a host's clock is known within"
NOTHING = Judgement(Verdict.INVALID, "nothing was measured")


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds of :func:`judge`.

    ``generator_cpu`` and ``server_cpu``: shares of one core that the median second may use.
    ``generator_lag_ms`` and ``generator_stall_ms``: how late the generator's own loop may be in
    the median second and in the worst tenth of seconds; lateness adds to every latency, but one
    hiccup of a few seconds' run says little. ``standstill``: share of the measured time that one
    standstill may last all the same.
    ``blur`` and ``blur_ms``: how far a percentile may be from what it is at the earliest, as a
    share of it and in ms; only beyond both, and beyond what chance does to it, it counts. Late
    reading blurs, and so do waits for a core: a turn of server, relay and generator may together
    wait ``blur_ms`` or ``blur`` of the median latency in the median second, and one of them
    ``generator_stall_ms`` in the worst tenth.
    ``clock_error``: by what share of the median latency corrected clocks may be wrong.
    ``silence_s``: how long the server may leave ``/stats`` without an answer.
    ``rate_reached``: least share of the asked messages that must have been published.
    ``spread``: largest relative difference between a repeat's median latency and the median of
    the repeats, once it is also more than ``spread_ms``.
    """

    generator_cpu: float = 0.90
    generator_lag_ms: float = 25.0
    generator_stall_ms: float = 100.0
    standstill: float = 0.10
    blur: float = 0.10
    blur_ms: float = 0.5
    clock_error: float = 0.10
    silence_s: float = 2.5
    server_cpu: float = 0.90
    rate_reached: float = 0.98
    spread: float = 0.25
    spread_ms: float = 1.0


@dataclass(frozen=True, slots=True)
class Blurred:
    """A percentile of the deliveries as it was measured, and what it may be at the earliest.

    ``by_chance_ms`` is how low it might as well have been measured, with other messages as few as
    these: who knows a p99 from a hundred messages knows only that it is above their p97. Late
    reading counts beyond that; by default chance counts for nothing.
    """

    name: str
    measured_ms: float
    earliest_ms: float
    by_chance_ms: float = math.inf


@dataclass(frozen=True, slots=True)
class Load:
    """What is known of one cell after it ran; sequences hold one value per second.

    ``generator_cpu`` and ``server_cpu`` are shares of one core, ``generator_lag_ms`` the worst
    lateness of the generator's loop in that second, ``asked`` and ``published`` numbers of
    messages, ``expected`` and ``received`` numbers of deliveries. ``trouble`` is what the
    generator itself complained of (no free ports, no free descriptors, users that did not
    start), empty if nothing; ``impossible`` what cannot have been so, as an arrival before its
    sending.

    ``waits_ms`` has, for each process that was watched, how long it waited for a core on average
    whenever it wanted one, and ``stalls_ms`` how long in all; ``percentiles`` how sure the
    delivery's are, ``silence_s`` is the longest time in which the server did not answer ``/stats``.
    ``seconds`` is how long was measured, where that is not as many as ``server_cpu`` has values.
    ``clock_error_ms`` is by how much a host's clock may be wrong after its correction.
    """

    generator_cpu: Sequence[float]
    generator_lag_ms: Sequence[float]
    server_cpu: Sequence[float]
    asked: int
    published: int
    expected: int
    received: int
    trouble: str = ""
    impossible: str = ""
    waits_ms: Sequence[tuple[str, Sequence[float]]] = ()
    stalls_ms: Sequence[tuple[str, Sequence[float]]] = ()
    percentiles: Sequence[Blurred] = ()
    silence_s: float = 0.0
    seconds: float | None = None
    clock_error_ms: float = 0.0


def judge(load: Load, limits: Limits | None = None) -> Judgement:
    """Judge one cell: the measuring itself, the generator, the host, and the server last."""
    limits = limits or Limits()
    for verdict, reason in (
        (Verdict.INVALID, load.impossible),
        (Verdict.SERVER_BOUND, _silence(load, limits)),
        (Verdict.GENERATOR_BOUND, load.trouble),
        (Verdict.INVALID, _unknown(load)),
        (Verdict.INVALID, _clocks_unsure(load, limits)),
        (Verdict.GENERATOR_BOUND, _tired(load, limits)),
        (Verdict.HOST_BUSY, _kept_waiting(load, limits)),
        (Verdict.GENERATOR_BOUND, _late(load, limits) or _blurred(load, limits)),
        (Verdict.SERVER_BOUND, _saturated(load, limits)),
        (Verdict.GENERATOR_BOUND, _unsent(load, limits)),
        (Verdict.SERVER_BOUND, _lost(load)),
    ):
        if reason:
            return Judgement(verdict, reason)
    return Judgement(Verdict.VALID)


# One rule each: the reason if it is broken, else nothing.


def _silence(load: Load, limits: Limits) -> str:
    if load.silence_s <= limits.silence_s:
        return ""
    return (
        f"the server did not answer /stats for {load.silence_s:.1f} s "
        f"(limit {limits.silence_s:g} s)"
    )


def _unknown(load: Load) -> str:
    for what, known in (("server", load.server_cpu), ("generator", load.generator_cpu)):
        if not known:
            return f"the CPU of the {what} was not measured: no second of the load was seen whole"
    return "" if load.expected or load.received else NOTHING.reason


def _clocks_unsure(load: Load, limits: Limits) -> str:
    p50_ms = next((one.measured_ms for one in load.percentiles if one.name == "p50"), math.inf)
    if load.clock_error_ms <= limits.clock_error * p50_ms:
        return ""
    return (
        f"{CLOCK_UNSURE} {load.clock_error_ms:.3f} ms only, which is more than "
        f"{limits.clock_error:.0%} of the p50 of {p50_ms:.3f} ms"
    )


def _tired(load: Load, limits: Limits) -> str:
    used = quantile(load.generator_cpu, 0.5)
    if used <= limits.generator_cpu:
        return ""
    return f"the generator used {used:.0%} of a core (limit {limits.generator_cpu:.0%})"


def _kept_waiting(load: Load, limits: Limits) -> str:
    if _saturated(load, limits):
        return ""  # who uses all of a core waits even for the kernel's own work on it
    middle = next((one.measured_ms for one in load.percentiles), 0.0)
    limit = max(limits.blur_ms, limits.blur * middle)
    typical = {who: quantile(waits, 0.5) for who, waits in load.waits_ms}
    if sum(typical.values()) > limit:  # a message has to pass them all
        listed = ", ".join(f"{who} {wait:.1f} ms" for who, wait in typical.items())
        return (
            "whenever they wanted a core, they had to wait for others on this host: "
            f"{listed} in the median second (limit together {limit:.1f} ms)"
        )
    for who, waits in load.waits_ms:
        if (stall := worst_tenth(waits)) > limits.generator_stall_ms:
            return (
                f"{who} had to wait {stall:.0f} ms for a core whenever it wanted one, in the worst "
                f"tenth of seconds (limit {limits.generator_stall_ms:.0f} ms)"
            )
    return next((said for one in load.stalls_ms if (said := _held_up(load, *one, limits))), "")


def _held_up(load: Load, who: str, stalls_ms: Sequence[float], limits: Limits) -> str:
    """Say so if p99 stands or falls with a few standstills, one value per second."""
    p99_ms = next((one.measured_ms for one in load.percentiles if one.name == "p99"), 0.0)
    # What is due while all stands still waits for the rest of that time. So more than 1 % of all
    # wait longer than x if the standstills beyond x add up to more than 1 % of the time.
    longest = sorted(stalls_ms, reverse=True)
    allowed_ms = 10.0 * _seconds(load)
    sums = enumerate(accumulate(longest), 1)
    x_ms = max(((total - allowed_ms) / count for count, total in sums), default=0.0)
    if not max(limits.blur_ms, p99_ms / 2) < x_ms <= (1 + limits.blur) * p99_ms:
        return ""
    return (
        f"{who} stood still for {longest[0]:.0f} ms in one second, waiting for others on this "
        f"host, and that is most of the p99 of {p99_ms:.0f} ms"
    )


def _seconds(load: Load) -> float:
    return len(load.server_cpu) if load.seconds is None else load.seconds


def _late(load: Load, limits: Limits) -> str:
    lag, stall = quantile(load.generator_lag_ms, 0.5), worst_tenth(load.generator_lag_ms)
    if lag > limits.generator_lag_ms:
        return (
            f"the generator's loop was {lag:.0f} ms late in the median second "
            f"(limit {limits.generator_lag_ms:.0f} ms)"
        )
    if stall > limits.generator_stall_ms:
        return (
            f"the generator's loop was {stall:.0f} ms late in its worst tenth of seconds "
            f"(limit {limits.generator_stall_ms:.0f} ms)"
        )
    longest = max(load.generator_lag_ms, default=0.0) / 1000
    seconds = _seconds(load)
    if longest > limits.standstill * seconds and longest * 1000 > limits.generator_stall_ms:
        return f"the generator stood still for {longest:.1f} s of about {seconds:g}"
    return ""


def _blurred(load: Load, limits: Limits) -> str:
    for one in load.percentiles:
        doubt = min(one.measured_ms, one.by_chance_ms) - one.earliest_ms
        if doubt > limits.blur * one.measured_ms and doubt > limits.blur_ms:
            return (
                f"the generator read late, several messages at once: {one.name} lies anywhere "
                f"between {one.earliest_ms:.1f} and {one.measured_ms:.1f} ms"
            )
    return ""


def _saturated(load: Load, limits: Limits) -> str:
    used = quantile(load.server_cpu, 0.5)
    if used <= limits.server_cpu:
        return ""
    return f"the server used {used:.0%} of a core (limit {limits.server_cpu:.0%})"


def _unsent(load: Load, limits: Limits) -> str:
    if load.published >= limits.rate_reached * load.asked:
        return ""
    return f"only {load.published:,} of {load.asked:,} asked messages were published"


def _lost(load: Load) -> str:
    if load.received >= load.expected:
        return ""
    lost, reach = load.expected - load.received, load.received / load.expected
    return f"{lost:,} of {load.expected:,} deliveries were lost (reach {reach:.3%})"


def judge_repeats(medians_ms: Sequence[float], limits: Limits | None = None) -> Judgement:
    """Say ``UNSTABLE`` when the repeats' median latencies (ms) disagree."""
    limits = limits or Limits()
    middle = quantile(medians_ms, 0.5)
    far = max((abs(value - middle) for value in medians_ms), default=0.0)
    if far > limits.spread * middle and far > limits.spread_ms:
        listed = ", ".join(f"{value:.1f}" for value in medians_ms)
        return Judgement(Verdict.UNSTABLE, f"the repeats disagree: medians {listed} ms")
    return Judgement(Verdict.VALID)


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the worst judgement (the first of that kind); ``VALID`` if there is none."""
    order = list(Verdict)
    return min(
        judgements,
        key=lambda judgement: order.index(judgement.verdict),
        default=Judgement(Verdict.VALID),
    )

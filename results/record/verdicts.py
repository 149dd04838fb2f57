"""Whether a measurement can be trusted: pure rules with documented thresholds.

A load generator that is out of breath reports a slow server, and a saturated server reports its
queue instead of its speed. So every cell is judged, the generator before the server, and each
verdict but ``VALID`` says why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """May these figures be believed? From the worst to the best."""

    GENERATOR_BOUND = "GENERATOR-BOUND"
    SERVER_BOUND = "SERVER-BOUND"
    UNSTABLE = "UNSTABLE"
    VALID = "VALID"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason (empty only for ``VALID``)."""

    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds of :func:`judge`.

    ``generator_cpu`` and ``server_cpu``: shares of one core that the median second may use.
    ``generator_lag_ms`` and ``generator_stall_ms``: how late the generator's own loop may be in
    the median second and in the worst tenth of seconds; lateness adds to every latency, but one
    hiccup of a few seconds' run says little.
    ``rate_reached``: least share of the asked messages that must have been published.
    ``spread``: largest relative difference between a repeat's median latency and the median of
    the repeats, once it is also more than ``spread_ms``.
    """

    generator_cpu: float = 0.90
    generator_lag_ms: float = 25.0
    generator_stall_ms: float = 100.0
    server_cpu: float = 0.90
    rate_reached: float = 0.98
    spread: float = 0.25
    spread_ms: float = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What is known of one cell after it ran; sequences hold one value per second.

    ``generator_cpu`` and ``server_cpu`` are shares of one core, ``generator_lag_ms`` the worst
    lateness of the generator's loop in that second, ``asked`` and ``published`` numbers of
    messages, ``expected`` and ``received`` numbers of deliveries. ``trouble`` is what the
    generator itself complained of (no free ports, no free descriptors, users that did not
    start), empty if nothing.
    """

    generator_cpu: Sequence[float]
    generator_lag_ms: Sequence[float]
    server_cpu: Sequence[float]
    asked: int
    published: int
    expected: int
    received: int
    trouble: str = ""


def judge(load: Load, limits: Limits | None = None) -> Judgement:
    """Judge one cell: the generator's limits first, then the server's."""
    limits = limits or Limits()
    generator = quantile(load.generator_cpu, 0.5)
    lag, stall = (quantile(load.generator_lag_ms, share) for share in (0.5, 0.9))
    server = quantile(load.server_cpu, 0.5)
    if load.trouble:
        return Judgement(Verdict.GENERATOR_BOUND, load.trouble)
    if generator > limits.generator_cpu:
        return Judgement(
            Verdict.GENERATOR_BOUND,
            f"the generator used {generator:.0%} of a core (limit {limits.generator_cpu:.0%})",
        )
    if lag > limits.generator_lag_ms:
        return Judgement(
            Verdict.GENERATOR_BOUND,
            f"the generator's loop was {lag:.0f} ms late in the median second "
            f"(limit {limits.generator_lag_ms:.0f} ms)",
        )
    if stall > limits.generator_stall_ms:
        return Judgement(
            Verdict.GENERATOR_BOUND,
            f"the generator's loop was {stall:.0f} ms late in its worst tenth of seconds "
            f"(limit {limits.generator_stall_ms:.0f} ms)",
        )
    if server > limits.server_cpu:
        return Judgement(
            Verdict.SERVER_BOUND,
            f"the server used {server:.0%} of a core (limit {limits.server_cpu:.0%})",
        )
    if load.published < limits.rate_reached * load.asked:
        return Judgement(
            Verdict.GENERATOR_BOUND,
            f"only {load.published:,} of {load.asked:,} asked messages were published",
        )
    if load.received < load.expected:
        return Judgement(
            Verdict.SERVER_BOUND,
            f"{load.expected - load.received:,} of {load.expected:,} deliveries were lost",
        )
    return Judgement(Verdict.VALID)


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


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie (nearest rank; 0.0 if empty)."""
    if not values:
        return 0.0
    ordered = sorted(values)
    if share == 0.5 and len(ordered) % 2 == 0:
        return (ordered[len(ordered) // 2 - 1] + ordered[len(ordered) // 2]) / 2
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

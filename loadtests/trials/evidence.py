"""What speaks for and against a trial's figures, read from its result: pure functions.

:mod:`results.record.verdicts` judges it.
"""

import math
from collections.abc import Sequence

from loadtests.measures.condition import LEFT
from loadtests.measures.result_file import Result, TechniqueResult
from results.record.histogram import percentiles_ms
from results.record.rows import LedgerRow
from results.record.verdicts import Blurred
from wire.techniques import BY_SLUG

_CLUMPED = 0.01  # share of messages read together, from which a late loop falsifies p99
# What a process says when it is the generator's host that has no more to give.
_EXHAUSTED = ("Too many open files", "Cannot assign requested address", "Errno 24", "Errno 99")


def lateness(slug: str, result: Result, began_s: float, ended_s: float) -> list[float]:
    """Return for each second how late the generator was (ms), in what its lateness falsifies.

    What was sent late was received late. A late loop matters besides where it asks, or where it
    itself says when a message arrived; where a stream's arrivals are the kernel's it does not, as
    long as hardly ever several of them are read at once.
    """
    found = result.techniques.get(slug)
    clumped = found is not None and found.doubts.clumped > _CLUMPED * found.deliveries
    loop_counts = result.stamped != "kernel" or not BY_SLUG[slug].streams or clumped
    worst: dict[int, float] = {}  # of all processes: the idle ones say nothing of a busy one
    for condition in result.conditions.values():
        values = zip(condition.at_s, condition.late_ms, condition.lag_ms, strict=True)
        for at_s, late, lag in values:
            if began_s <= at_s <= ended_s + 1.0:
                second = int(at_s - began_s)
                here = max(late, lag if loop_counts else 0.0)
                worst[second] = max(here, worst.get(second, 0.0))
    return list(worst.values())


def waits(ledger: Sequence[LedgerRow]) -> list[tuple[str, list[float]]]:
    """Return how long server, relay and generator waited for a core in each second (ms)."""
    found = {
        "the server": [row.server_wait_ms for row in ledger],
        "the relay": [row.relay_wait_ms for row in ledger],
        "the generator": [row.generator_wait_ms for row in ledger],
    }
    known = {who: [value for value in values if value is not None] for who, values in found.items()}
    return [(who, values) for who, values in known.items() if values]


def percentiles(found: TechniqueResult, messages: int) -> list[Blurred]:
    """Return the delivery's percentiles, and what they are if all came as early as it may have.

    All deliveries of a message share its fate, so chance plays with so many ``messages``: of that
    many values, those below a percentile are a share of it give or take two standard deviations.
    """
    delivery = found.histograms.get("delivery")
    if delivery is None:
        return []
    earliest = found.histograms.get("earliest", delivery)
    blurred = []
    for percent in (50, 99):
        share = percent / 100
        spread = 2 * math.sqrt(share * (1 - share) / max(messages, 1))
        measured, low = percentiles_ms(delivery, percent, max(share - spread, 0.0) * 100)
        (early,) = percentiles_ms(earliest, percent)
        blurred.append(Blurred(f"p{percent}", measured, early, low))
    return blurred


def trouble(result: Result) -> str:
    """Say what the generator itself lacked, if anything."""
    for what in result.failures:
        if any(word in what for word in _EXHAUSTED):
            return f"the generator's host ran out: {what}"
        if "did not answer duplex" in what or what.endswith(LEFT):
            return what
    found = result.techniques.values()
    if found and not any(technique.audit.expected for technique in found):
        why = "".join(f": {what}" for what in list(result.failures)[:1])
        return f"no message was published, so nothing was measured{why}"
    if result.connected < result.users:
        why = next(iter(result.failures), "they did not start in time")
        return f"only {result.connected} of {result.users} users were connected: {why}"
    return ""

"""What one generator can take in, and whether it says so where that is not enough."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from loadtests.calibration import planted
from loadtests.calibration.against_models import LOAD, Checked, made
from loadtests.calibration.checks import at_most, exactly
from loadtests.trials.trial import Outcome, Staging, run
from results.record.rows import CheckRow
from results.record.verdicts import Verdict


def throttled() -> Checked:
    """A generator on the server's own core says so, by name."""
    settings, words = replace(LOAD, seconds=4.0), "on the server's core"
    outcome = planted.on_one_core(settings)
    said = outcome.judgement
    bound = int(said.verdict is Verdict.GENERATOR_BOUND)
    check = exactly(f"{words}: GENERATOR-BOUND", 1, bound, "said", said.reason)
    return Checked(planted.one_trial("sse", 40, settings, variant=words).cell, outcome, [check])


def crowd(slug: str, users: int = 2000, rates: Sequence[float] = (10.0, 3.0, 1.0)) -> Checked:
    """One Locust process holds a crowd, counts every delivery, and says when it is too much.

    How many deliveries a second one process can take in is the machine's: the highest rate counts
    at which it is not what limited, and one of them must be such a one. None is lost at any.
    """
    checks = []
    for rate in rates:
        settings = replace(LOAD, arrivals="constant", rate=rate, seconds=8.0)
        trial = planted.one_trial(slug, users, settings)
        outcome = run(trial)
        received, said = outcome.audit.received, outcome.judgement
        deliveries = users * (settings.seconds + settings.warm_up) * rate
        checks.append(exactly(f"audited at {rate:g}/s", deliveries, received, "deliveries"))
        if said.verdict not in (Verdict.GENERATOR_BOUND, Verdict.HOST_BUSY):
            break
    name = f"VALID at {' or '.join(f'{each:g}/s' for each in rates[: len(checks)])}"
    valid = int(said.verdict is Verdict.VALID)
    checks.append(exactly(name, 1, valid, "said", said.reason))
    return Checked(trial.cell, outcome, checks)


def idle(slug: str, users: int = 4000) -> Checked:
    """Idle users are held in little memory, and all still live at the end."""
    settings = replace(LOAD, scenario="idle", seconds=2.0, warm_up=0.0, drain=10.0)
    trial = planted.one_trial(slug, users, settings)

    def checks(outcome: Outcome, note: str) -> Iterable[CheckRow]:
        yield exactly("users that still live", users, outcome.audit.received, "users", note)
        (condition,) = outcome.result.conditions.values()
        each = (max(condition.rss) - condition.rss[0]) / users / 1024
        yield at_most("memory per user", 30.0, each, 0.0, "KiB", note)

    return made(trial, checks)


def shared_work(slug: str = "sse", users: int = 40) -> Checked:
    """Two worker processes: one merged result, whose counts are the sums."""
    settings = replace(LOAD, arrivals="constant", seconds=4.0)
    trial = planted.one_trial(slug, users, settings, variant="2 workers")
    outcome = run(trial, Staging(processes=2))
    timed, warm = settings.rate * settings.seconds, settings.rate * settings.warm_up
    delivered = outcome.histograms["delivery"].get_total_count()
    checks = [
        exactly("deliveries audited", users * (timed + warm), outcome.audit.received, "deliveries"),
        exactly("latencies counted", users * timed, delivered, "deliveries"),
        exactly(
            "processes", 3, len(outcome.result.conditions), "processes", "a master, two workers"
        ),
    ]
    return Checked(trial.cell, outcome, checks)

"""Measuring from Python: ``measure("sse", users=20, rate=50)``.

In a notebook, a script or a test; servers, relay and Locust run as processes of their own, so
neither gevent nor an event loop comes into the caller's::

    from loadtests.trials.measuring import measure

    run = measure("sse", users=20, rate=50, seconds=2)
    run.verdict  # Judgement(verdict=VALID, reason='')
    run.audit  # Audit(expected=2000, received=2000, duplicated=0, reordered=0)
    run.latency  # a DataFrame: a row for each cell and metric
"""

import contextlib
from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loadtests.plan.amounts import AT_LEAST_ONE, NONE_OR_MORE, NOT_NEGATIVE
from loadtests.plan.options import COMPARED, UNHEEDED, USUAL, differs, variant
from loadtests.plan.plan import Level, Plan, settings_for
from loadtests.trials import trial as trials
from loadtests.trials.peers import techniques_of
from loadtests.trials.trial import Staging
from results.record.reading import Run, read_run
from results.record.writer import RunWriter
from wire.techniques import SLUGS


def measure(
    techniques: str | Sequence[str],
    *,
    users: int = 40,
    delay_ms: float = 0.0,
    kilobytes_per_s: float = 0.0,
    repeats: int = 1,
    processes: int = 0,
    seed: int = 1,
    tls: bool = False,
    out: Path | str | None = None,
    **settings: Any,
) -> Run:
    """Measure one technique or several under one load, and return the run.

    ``users`` subscribe, over a network that adds ``delay_ms`` one way and carries
    ``kilobytes_per_s`` each way of a connection (0: no limit); ``processes`` is how many workers
    the generator has (0: none); ``tls`` encrypts everything. ``settings`` are those of
    ``compare``, the fields of :class:`~loadtests.plan.options.Settings` (``rate``, ``seconds``,
    ``scenario``, ``size``, ...), with ``compare``'s defaults. The run is kept in the folder
    ``out``, if one is named, and is otherwise in memory only.

    Raises :class:`ValueError` for what cannot be measured,
    :class:`~loadtests.trials.processes.ProcessError` if a trial fails, and
    :class:`~results.errors.ResultsError` if the folder cannot be written.
    """
    slugs = (techniques,) if isinstance(techniques, str) else tuple(techniques)
    if unknown := [slug for slug in slugs if slug not in SLUGS]:
        raise ValueError(f"{unknown[0]!r} is no technique; there are {', '.join(SLUGS)}")
    told = _read(settings)
    for name, accepts, value in (
        ("users", AT_LEAST_ONE, users),
        ("repeats", AT_LEAST_ONE, repeats),
        ("processes", NONE_OR_MORE, processes),
        ("delay_ms", NOT_NEGATIVE, delay_ms),
        ("kilobytes_per_s", NOT_NEGATIVE, kilobytes_per_s),
    ):
        if not accepts.accepts(value):
            raise ValueError(f"{name}: {value!r} is not {accepts}")
    chosen = settings_for(**told)
    for name in UNHEEDED.get(chosen.scenario, ()):
        if differs(chosen, name, USUAL):
            raise ValueError(f"{name}: the scenario {chosen.scenario!r} does not heed it")
    slugs = techniques_of(chosen, slugs, all_of_them=False, tls=tls)
    levels = (Level(users, chosen.rate, delay_ms),)
    carrier = "h1+tls" if tls else "h1"
    label = variant(chosen, slugs)
    plan = Plan(slugs, levels, repeats, seed, label, chosen, carrier, kilobytes_per_s)
    with contextlib.ExitStack() as stack:
        if out is None:
            place = stack.enter_context(TemporaryDirectory(prefix="duplex-"))
            out = Path(place) / "run"
        words = [f"{name}={value!r}" for name, value in {"users": users, **settings}.items()]
        with RunWriter(out, "compare", asdict(plan), ["measure", *slugs, *words]) as run:
            for trial in plan.trials():
                trials.run(trial, Staging(processes=processes)).write(run, trial.cell)
        return read_run(out)


def _read(settings: dict[str, Any]) -> dict[str, Any]:
    known = {item.name: item for item in COMPARED}
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(f"there is no setting {unknown[0]!r}; there are {', '.join(known)}")
    told = {}
    for name, value in settings.items():
        try:
            told[name] = known[name].read(value)
        except ArgumentTypeError as error:
            raise ValueError(f"{name}: {error}") from None
    return told

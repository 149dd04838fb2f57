"""The instrument checks itself: exact sizes, models, planted faults, bare sockets, its own limits.

``python -m loadtests calibrate`` prints expected, measured and verdict for each oracle, and
records them as a run. It takes some minutes; ``--only`` picks parts. Models hold on a host that
has nothing else to do; where others share it, real-time priority helps
(``chrt -f 50 python -m loadtests calibrate``), and what did not help is said.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.calibration import against_models as models
from loadtests.calibration import capacity, oracles
from loadtests.calibration import meddling as meddle
from loadtests.calibration.against_models import Checked
from loadtests.calibration.oracles import CountingRelay
from loadtests.trials.ending import report
from loadtests.trials.environments import lacking
from loadtests.trials.peers import find_peer
from loadtests.trials.processes import ROOT, ProcessError, Server, cores
from loadtests.trials.signals import interruptible
from results.console import Console
from results.errors import ResultsError
from results.record.rows import Cell, CheckRow
from results.record.writer import RunWriter
from wire.techniques import BY_SLUG, SLUGS, TECHNIQUES, newest_streams

STREAMS = tuple(one.slug for one in TECHNIQUES if one.streams)


def polling() -> Iterator[Checked]:
    """Polling against its model."""
    yield models.polling()


def long_polling() -> Iterator[Checked]:
    """Long-polling against its model."""
    yield models.long_polling(20.0)


def naive() -> Iterator[Checked]:
    """Long-polling that forgets where it was loses what its model says."""
    return map(models.naive_long_polling, (2.0, 20.0))


def streams() -> Iterator[Checked]:
    """Every stream against its model."""
    return map(models.stream, STREAMS)


def freeze() -> Iterator[Checked]:
    """A second's freeze, as an open load and a closed loop see it."""
    yield models.freeze()


def faults() -> Iterator[Checked]:
    """Planted faults are found, to the message."""
    return map(models.planted_fault, ("drop", "double", "swap"))


def bare() -> Iterator[Checked]:
    """Every stream beside bare sockets."""
    return map(models.beside_bare_sockets, STREAMS)


def foreign() -> Iterator[Checked | str]:
    """Other people's servers beside bare sockets, if what they need is here."""
    yield _beside_foreign("ws", "web_socket")
    yield _beside_foreign("nchan", "sse")


def _beside_foreign(server: str, slug: str) -> Checked | str:
    return lacking(find_peer(server)) or models.beside_bare_sockets(slug, server, seconds=6.0)


def throttled() -> Iterator[Checked]:
    """A tired generator says so."""
    yield capacity.throttled()


def meddling() -> Iterator[Checked]:
    """Whatever meddles with a trial, its verdict is true."""
    for how in meddle.ALL:
        for processes in (0, 2):
            if not how.clock_s or meddle.clocks_differ():
                yield Checked(*meddle.meddle(how, processes))
    for users, rate in ((200, 20.0), (400, 100.0)):
        yield Checked(*meddle.workers_beside_bare_sockets(users, rate))


def workers() -> Iterator[Checked]:
    """Two worker processes count as one."""
    yield capacity.shared_work()


def crowd() -> Iterator[Checked]:
    """One process holds a crowd."""
    return map(capacity.crowd, newest_streams())


def idle() -> Iterator[Checked]:
    """Idle users take little memory."""
    return map(capacity.idle, newest_streams())


# What a part yields as words could not be checked here, and they say why.
Part = Callable[[], Iterator[Checked | str]]
_IN_ORDER: tuple[Part, ...] = (
    *(polling, long_polling, naive, streams, freeze, faults, bare, foreign, throttled, meddling),
    *(workers, crowd, idle),
)
PARTS: dict[str, Part] = {part.__name__: part for part in _IN_ORDER}


def main(arguments: Sequence[str]) -> int:
    """Check everything; return 0 only if all passed."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests calibrate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=["exact", *PARTS],
        metavar="PART",
        help=f"parts to run (default: all: exact {' '.join(PARTS)})",
    )
    parser.add_argument(
        "--out", type=Path, help="the run's folder (default: a new one in results/runs)"
    )
    options = parser.parse_args(arguments)
    chosen = options.only or ["exact", *PARTS]
    name = datetime.now().strftime("calibrate-%Y%m%d-%H%M%S")
    folder = options.out or ROOT / "results" / "runs" / name
    command = ["python", "-m", "loadtests", "calibrate", *arguments]
    console = Console()
    failed = -1
    try:
        with interruptible(), RunWriter(folder, "calibrate", {"parts": chosen}, command) as run:
            failed = _run(chosen, run, console)
    except KeyboardInterrupt:
        console.print("interrupted: what was checked so far is kept")
    except ResultsError as error:
        console.print(str(error), style="red")
        return 2
    report(folder, console)
    if failed == 0:
        console.print("calibrated: every check passed", style="green")
    elif failed > 0:
        console.print(f"{failed} checks failed", style="red")
    return int(failed != 0)


def _run(chosen: Sequence[str], run: RunWriter, console: Console) -> int:
    """Run the chosen parts; return how many checks failed."""
    failed = 0
    if "exact" in chosen:
        with console.status("exact sizes and counts"):
            failed += _exact(run, console)
    for name, part in PARTS.items():
        if name not in chosen:
            continue
        began_s = time.monotonic()
        with console.status(name):
            try:
                for checked in part():
                    if isinstance(checked, str):
                        console.print(f"{name}: left out: {checked}")
                        continue
                    checked.outcome.write(run, checked.cell, checked.checks)
                    failed += _print(console, checked.cell, checked.checks)
            except ProcessError as error:
                console.print(f"{name}: {error}", style="red")
                failed += 1
        console.print(f"{name}: {time.monotonic() - began_s:.0f} s")
    return failed


def _exact(run: RunWriter, console: Console) -> int:
    near, _ = cores()
    found: dict[str, list[CheckRow]] = {slug: [] for slug in SLUGS}
    with Server(SLUGS, near) as server, CountingRelay(server, near) as relay:
        for slug, check in oracles.all_checks(server, relay):
            found[slug].append(check)
    failed = 0
    for slug, checks in found.items():
        cell = Cell(slug, scenario="exact", users=1, rate=0.0)
        run.add(cell, checks=checks)
        failed += _print(console, cell, checks)
    return failed


def short(value: float) -> str:
    """Write a number with four digits, whole ones in full."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _print(console: Console, cell: Cell, checks: Sequence[CheckRow]) -> int:
    words = [cell.network, cell.variant, f"{cell.users} users" if cell.users > 1 else ""]
    title = ", ".join(word for word in (BY_SLUG[cell.technique].title, *words) if word)
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("check", width=27)
    for heading in ("expected", "measured", "+-"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for check in checks:
        verdict = Text("passed", "green") if check.passed else Text("FAILED", "bold red")
        numbers = (short(value) for value in (check.expected, check.measured, check.tolerance))
        table.add_row(check.check, *numbers, check.unit, verdict)
    console.print_table(table)
    for check in checks:
        if check.note and not check.passed:
            console.print(f"  {check.check}: {check.note}")
    return sum(not check.passed for check in checks)

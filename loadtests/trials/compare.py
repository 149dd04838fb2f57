"""The main job: all techniques under the same load, one after the other, recorded and shown.

For each cell, in random order: a server of its own, Locust against it, once on loopback and once
through a relay that adds 25 ms each way; the ledger every second, the audit, a verdict. What was
measured is on disk at once, so that Ctrl-C keeps it.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clients.foreign.table import PeerFileError
from loadtests.plan.amounts import AT_LEAST_ONE, NONE_OR_MORE, NOT_NEGATIVE
from loadtests.plan.options import COMPARED, KNOWN, UNHEEDED, USUAL, Settings, unheeded, variant
from loadtests.plan.plan import Beside, Level, Plan, Trial, Turns, cross, settings_for
from loadtests.plan.schedule import STEP_S
from loadtests.trials import beside, ending, hosts, sides
from loadtests.trials import trial as trials
from loadtests.trials.peers import techniques_of
from loadtests.trials.processes import ROOT, ProcessError
from loadtests.trials.signals import interruptible
from loadtests.trials.trial import Staging
from results.console import Console
from results.errors import ResultsError
from results.record.histogram import NS_PER_MS
from results.record.naming import server_of, side_of
from results.record.rows import Cell
from results.record.writer import RunWriter
from wire.techniques import BY_SLUG, SLUGS, known

# What the long run measures beside the usual pair: farther away, fewer messages, more users, each
# four times, so that repeats which disagree are seen.
FULL = (
    Level(40, 20, 0),
    Level(40, 20, 25),
    Level(40, 20, 100),
    Level(40, 2, 25),
    Level(10, 20, 0),
    Level(200, 20, 0),
)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=os.environ.pop("DUPLEX_COMMAND", "python -m loadtests"),
        description="Compare the techniques: about three minutes, then a table and a report.",
        epilog="Also: %(prog)s knee (the highest load that each technique carries), "
        "%(prog)s calibrate (the instrument checks itself), "
        "%(prog)s options (of the users, on Locust's own command line).\n\n" + ending.STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--techniques",
        nargs="+",
        type=known,
        default=SLUGS,
        metavar="SLUG",
        help=f"which to compare (default: {' '.join(SLUGS)})",
    )
    add(
        "--users",
        type=AT_LEAST_ONE,
        nargs="+",
        default=[40],
        help="subscribers; several: one level each (default: 40)",
    )
    add(
        "--delay",
        type=NOT_NEGATIVE,
        nargs="+",
        default=[0.0, 25.0],
        metavar="MS",
        help="one-way delays of the network; 0 is plain loopback (default: 0 25)",
    )
    add(
        "--bandwidth",
        type=NOT_NEGATIVE,
        default=0.0,
        metavar="KB_PER_S",
        help="kB/s that each way of a connection carries; 0: no limit (default: 0)",
    )
    for item in COMPARED:
        item.add_by(add)
    add(
        "--processes",
        type=NONE_OR_MORE,
        default=0,
        help="worker processes of the generator (0: none; default: %(default)s)",
    )
    add("--tls", action="store_true", help="encrypt everything: the carrier h1+tls")
    add("--repeat", type=AT_LEAST_ONE, help="how often, interleaved in random order (default: 1)")
    add(
        "--full",
        action="store_true",
        help="many levels of users, rate and delay, 4 times each: half an hour",
    )
    add("--seed", type=int, help="of the order and all else that is random (default: drawn)")
    add("--out", type=Path, help="the run's folder (default: a new one in results/runs)")
    beside.add_option(parser)
    sides.add_options(parser)
    hosts.add_options(parser)
    ending.add_options(parser)
    options = parser.parse_args(arguments)
    given = (
        name
        for name in ("users", "rate", "delay")
        if getattr(options, name) != parser.get_default(name)
    )
    if options.full and (name := next(given, "")):
        parser.error(f"--full has levels of its own, so --{name} would not count")
    for name in UNHEEDED.get(options.scenario, ()):
        if getattr(options, name) != parser.get_default(name):
            parser.error(
                f"--scenario {options.scenario} does not heed {KNOWN[name].flag}, so the label "
                "would be of a load that was not there: leave it out"
            )
    if options.rate_shape != "steady" and options.warm_up + options.seconds <= STEP_S:
        parser.error(
            f"--rate-shape {options.rate_shape}: the rate changes after {STEP_S:g} s, so ask for "
            "more --seconds"
        )
    try:
        settings = settings_of(options)
        everything = options.techniques is SLUGS
        options.spoken = beside.techniques_by_server(options, settings)
        options.techniques = techniques_of(settings, options.techniques, everything, options.tls)
    except PeerFileError as error:
        flag = "--servers" if options.servers else f"--server {options.server}"
        parser.error(f"{flag}: {error}")
    try:
        options.elsewhere = hosts.hosts_of(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the settings that a command line asks for, but for its levels."""
    told = {item.name: getattr(options, item.name) for item in COMPARED if not item.is_a_level}
    return settings_for(**told)


def make_turns(options: argparse.Namespace, arguments: Sequence[str]) -> Turns | None:
    """Return what is measured in turns, if the command line asks for it.

    Ends the program for options of B that are wrong or do not pair with A's.
    """
    if options.other is None and options.against is None:
        return None
    a = make_plan(options)
    try:
        # Whatever was said of A holds for B, too; what is said twice, B's word counts.
        more = shlex.split(options.other or "")
        b = make_plan(parse_arguments([*arguments, *more])) if more else a
        return sides.in_turns(a, b, options.repeat)
    except ValueError as error:
        sys.exit(_refuse(f"--and: {error}"))


def _refuse(what: str) -> int:
    print(f"compare: {what}", file=sys.stderr)
    return ending.REFUSED


def make_plan(options: argparse.Namespace) -> Plan:
    """Return the plan that a command line asks for."""
    settings = settings_of(options)
    return Plan(
        techniques=tuple(slug for slug in SLUGS if slug in options.techniques),
        levels=FULL if options.full else cross(options.users, options.rate, options.delay),
        repeats=options.repeat or (4 if options.full else 1),
        seed=options.seed if options.seed is not None else time.time_ns() % 10_000,
        variant=variant(settings, options.techniques),
        settings=settings,
        carrier="h1+tls" if options.tls else "h1",
        hosts=options.hosts,
        kilobytes_per_s=options.bandwidth,
    )


def compare(
    plan: Plan | Turns | Beside,
    folder: Path,
    command: Sequence[str],
    console: Console,
    staging: Callable[[Trial], Staging] | None = None,
) -> bool:
    """Measure all of a plan into ``folder``; return whether it came to its end.

    ``staging`` says how each trial is staged. A trial that fails is told of, and kept as one that
    failed.
    """
    try:
        with interruptible(), RunWriter(folder, "compare", asdict(plan), command) as run:
            return _measure_all(plan.trials(), run, console, staging or (lambda _: Staging()))
    except KeyboardInterrupt:
        console.print("interrupted: what was measured so far is kept")
        return False


def _measure_all(
    planned: Sequence[Trial], run: RunWriter, console: Console, staging: Callable[[Trial], Staging]
) -> bool:
    complete = True
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("", total=len(planned))
        for trial in planned:
            cell, title = trial.cell, _title(trial.cell)
            progress.update(task, description=f"{title}, {cell.way}")
            try:
                found = trials.run(trial, staging(trial))
            except ProcessError as error:
                console.print(f"{title}, {cell.way}: {error}", style="red")
                run.fail(cell, str(error))
                complete = False
            else:
                found.write(run, cell)
                console.print(_line(title, cell.way, found), soft_wrap=True)
            progress.advance(task)
    return complete


def _title(cell: Cell) -> str:
    title, server = BY_SLUG[cell.technique].title, server_of(cell.variant)
    return f"{server}: {title}" if server else title


def _line(title: str, way: str, found: trials.Outcome) -> str:
    delivery = found.histograms.get("delivery")
    middle = "nothing delivered"
    if delivery is not None:
        middle = f"p50 {delivery.get_value_at_percentile(50) / NS_PER_MS:9.2f} ms"
    audit = "clean" if found.audit.clean else f"{found.audit.lost} lost"
    # The reason stands below the table, once.
    return f"{title:<20} {way:<12} {middle}  audit {audit:<7} {found.judgement.verdict}"


def main(arguments: Sequence[str]) -> int:
    """Compare, and return the exit status; :mod:`loadtests.trials.ending` tells them."""
    options = parse_arguments(arguments)
    console = Console()
    alone = make_plan(options)
    command = ["python", "-m", "loadtests", *arguments]
    if options.seed is None:  # drawn once, for whatever plan it will be
        options.seed = alone.seed
        command += ["--seed", str(alone.seed)]
    plan: Plan | Turns | Beside = make_turns(options, arguments) or alone
    if options.spoken:
        plan = beside.make_beside(alone, options.spoken)
    folder = options.out or ROOT / "results" / "runs" / datetime.now().strftime("%Y%m%d-%H%M%S")
    if isinstance(plan, Turns):
        minutes = sides.seconds_of(plan) / 60
        console.print(f"{plan.a.repeats} blocks of A and B, about {minutes:.0f} minutes")
    for name in unheeded(alone.settings, alone.techniques, USUAL):
        console.print(f"{KNOWN[name].flag} changes nothing: it is of other techniques")
    if options.elsewhere:
        console.print(f"start on {options.hosts} other hosts, in a copy of this folder:")
        console.print(options.elsewhere.line, soft_wrap=True)
    usual = Staging(processes=options.processes, hosts=options.elsewhere)
    try:
        with ExitStack() as stack:
            before = usual
            if options.against is not None:
                code = stack.enter_context(sides.code_of(sides.commit_of(options.against)))
                before = replace(usual, server_root=code)

            def staging(trial: Trial) -> Staging:
                return before if side_of(trial.cell.variant) == "A" else usual

            finished = compare(plan, folder, command, console, staging)
    except ResultsError as error:
        console.print(str(error), style="red")
        return ending.REFUSED
    drawn = ending.report(folder, console, table=True)
    demands = ending.Demands(options.fail_if, options.require, options.junit)
    status = demands.status(folder, finished, console)
    return status if drawn else ending.REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

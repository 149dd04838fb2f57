"""Where the server core ends: its cost, pace, fairness and memory beside the usual means.

    python -m loadtests.limits                     everything, about half an hour
    python -m loadtests.limits cost polls          some of it
    python -m loadtests.limits soak --seconds 600  the long one

Everything is a ratio or a count taken side by side in one run, the servers on one core and the
receiver and publisher on another where the platform can pin. Rounds are interleaved, medians are
compared. The baselines are in :mod:`servers.peers.baselines`. Linux only (epoll, /proc).
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtests.limits.delivering import cost, edge, pace, polls, scale
from loadtests.limits.encrypted import tls
from loadtests.limits.holding import many, memory, slow, soak
from loadtests.limits.shared import shared
from loadtests.limits.tokens import tokens
from loadtests.limits.tools import OUR_CORE, Finding
from loadtests.plan.amounts import AT_LEAST_ONE, POSITIVE

Part = Callable[[int], Iterator[Finding]]
PARTS: dict[str, Part] = {
    part.__name__: part
    for part in (cost, pace, edge, polls, scale, tokens, memory, many, slow, soak, tls, shared)
}


def _first_line(part: Part) -> str:
    return (part.__doc__ or "").splitlines()[0]


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    told = "\n".join(f"  {name:<8}{_first_line(part)}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        "python -m loadtests.limits",
        usage="%(prog)s [options] [PART ...]",
        description=f"{(__doc__ or '').splitlines()[0]}\n\nparts:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="default: all, half an hour"
    )
    parser.add_argument(
        "--rounds",
        type=AT_LEAST_ONE,
        default=3,
        help="repeats; medians are compared (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, help="write the findings as JSON, too")
    parser.add_argument(
        "--seconds",
        type=POSITIVE,
        default=60.0,
        help="length of the soak, and of the audit of what is shared (default: %(default)g)",
    )
    return parser.parse_args(arguments)


def go_first() -> None:
    """Take the core that is not the server's, and the turn before others there.

    The publisher shares the core with the receiver and must keep its schedule; where it may, it
    goes first (its children do not).
    """
    if OUR_CORE is not None:
        os.sched_setaffinity(0, {OUR_CORE})
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def as_table(findings: Sequence[Finding]) -> Table:
    """Lay the findings out for a person."""
    table = Table("what", "value", "bound", "holds", title="Limits of the server core")
    for item in findings:
        bound = "" if item.limit is None else f"{'>=' if item.at_least else '<='} {item.limit:g}"
        verdict = "" if item.limit is None else "yes" if item.holds else "NO"
        table.add_row(item.what, f"{item.value:,.2f} {item.unit}", bound, verdict)
    return table


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and return 1 where a bound does not hold."""
    options = parse_arguments(arguments)
    timed: dict[str, Part] = {
        "soak": partial(soak, seconds=options.seconds),
        "shared": partial(shared, seconds=options.seconds),
    }
    parts: dict[str, Part] = {**PARTS, **timed}
    go_first()
    findings: list[Finding] = []
    for part in options.parts or PARTS:
        print(f"{part}: {_first_line(PARTS[part])}", file=sys.stderr)
        findings += parts[part](options.rounds)
    Console().print(as_table(findings))
    if options.out:
        rows = [{**asdict(item), "holds": item.holds} for item in findings]
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(item.holds for item in findings) else 1


if __name__ == "__main__":
    sys.exit(main())

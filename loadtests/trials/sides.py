"""A against B on the command line: what B is, and how often both must be measured."""

import argparse
import contextlib
import io
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from loadtests.plan.plan import Plan, Turns
from loadtests.trials.processes import ROOT
from results.errors import ResultsError
from results.paired import pairs_needed
from results.record.rows import FIGURES

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_AROUND_S = 2.0
_SPARE = 2  # blocks more than needed: one in which the generator was late does not count


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--and`` and ``--against`` to a parser."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--and",
        dest="other",
        metavar="OPTIONS",
        help="measure in turns with B, which has these options too: --and='--headers browser'",
    )
    choice.add_argument(
        "--against",
        type=Path,
        metavar="RUN",
        help="measure in turns the server of a recorded run (A, from Git) and today's (B)",
    )


def in_turns(a: Plan, b: Plan, repeats: int | None) -> Turns:
    """Return both plans in turns, as often as it takes until a difference can be found.

    Raises :class:`ValueError` for plans that do not pair.
    """
    tests = len(a.techniques) * len(a.levels) * len(FIGURES)
    blocks = repeats or pairs_needed(tests) + _SPARE
    return Turns(replace(a, repeats=blocks), replace(b, repeats=blocks, seed=a.seed))


def commit_of(run: Path) -> str:
    """Return the commit that a recorded run was made of.

    Raises :class:`~results.errors.ResultsError` for what is no run or names none.
    """
    from results.record.reading import read_run  # pandas: only where it is needed

    commit = str(read_run(run).head.get("commit", "")).removesuffix("+changes")
    if not _COMMIT.fullmatch(commit):  # a run may come from anybody: nothing but a name for Git
        raise ResultsError(f"{run} does not say of which commit it was made; use --and instead")
    return commit


@contextlib.contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """Lay a commit's files out in a folder of their own, for as long as the block runs.

    Raises :class:`~results.errors.ResultsError` where Git does not know it.
    """
    try:
        done = subprocess.run(
            ["git", "archive", "--format=zip", commit], cwd=ROOT, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ResultsError(
            f"the run's commit {commit[:12]} is not in this repository, so its server cannot be "
            "measured; use --and to compare options instead"
        ) from error
    with TemporaryDirectory(prefix="duplex-") as folder:
        with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder)  # never beside it; tarfile's filter is not in Python 3.11.2
        yield Path(folder)


def seconds_of(plan: Plan | Turns) -> float:
    """Estimate how long a plan takes: its measured time, and two seconds to start and end."""
    return sum(
        trial.settings.warm_up + trial.settings.seconds + _AROUND_S for trial in plan.trials()
    )

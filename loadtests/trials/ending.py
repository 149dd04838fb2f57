"""How a run ends for whoever started it: an exit status, and a file for a build server.

The statuses, the first that applies: 2, it could not be done as asked; 1, it was interrupted or a
trial failed; 3, a verdict was not accepted, so its numbers hold nothing; 4, a threshold broke;
0, none of these.
"""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.console import Console
from results.errors import ResultsError
from results.record.thresholds import Threshold, read_threshold
from results.record.verdicts import Verdict

if TYPE_CHECKING:
    from results.holding import Outcome

DONE, INCOMPLETE, REFUSED, NOT_ACCEPTED, BROKEN = range(5)
STATUSES = """exit status:
  0  all was measured, every verdict is accepted, no threshold broke
  1  interrupted, or a trial failed (what was measured is kept)
  2  an option is wrong, or a file cannot be written (a full disk)
  3  a verdict is not accepted: without --require, any but VALID, SERVER-BOUND, UNSTABLE
  4  a --fail-if holds"""


def threshold(text: str) -> Threshold:
    """Read ``--fail-if``'s words (argparse's ``type=``)."""
    try:
        return read_threshold(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def junit_file(text: str) -> Path:
    """Read ``--junit``'s word: a file that can be written. It is asked before minutes are spent."""
    path = Path(text)
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from None
    if not path.stat().st_size:
        path.unlink()
    return path


def add_options(parser: Any) -> None:
    """Add ``--fail-if``, ``--require`` and ``--junit`` to a parser."""
    parser.add_argument(
        "--fail-if",
        type=threshold,
        action="append",
        default=[],
        metavar="WORDS",
        help="end with status 4 if so for any combination, such as 'p99 > 20 ms', 'lost > 0', "
        "'sse: connect.p50 > 1 s'; may be given several times",
    )
    parser.add_argument(
        "--require",
        nargs="+",
        choices=list(map(str, Verdict)),
        metavar="VERDICT",
        help="end with status 3 if any verdict is another one (default: VALID SERVER-BOUND "
        "UNSTABLE, for in the others the numbers are not the server's)",
    )
    parser.add_argument(
        "--junit", type=junit_file, metavar="FILE", help="write what was held as JUnit XML"
    )


@dataclass(frozen=True, slots=True)
class Demands:
    """What a run has to keep: thresholds, accepted verdicts, a JUnit file to write."""

    fail_if: Sequence[Threshold] = ()
    require: Sequence[str] | None = None
    junit: Path | None = None

    def status(self, folder: Path, finished: bool, console: Console) -> int:
        """Hold the run in ``folder`` against the demands, say what broke, return the status."""
        # Imported only now: pandas would lie about during the measurement.
        from results.holding import USUALLY_ACCEPTED, broken, outcomes, write_junit
        from results.record.reading import read_run

        accepted = self.require or list(map(str, USUALLY_ACCEPTED))
        failed = [] if finished else ["the run was interrupted, or a trial of it failed"]
        try:
            run = read_run(folder)
            found = outcomes(run, self.fail_if, accepted)
            if not run.cells:
                failed.append("nothing was measured")
            if self.junit is not None:
                write_junit(self.junit, f"duplex {run.kind}", found, failed)
        except (ResultsError, OSError) as error:
            console.print(str(error), style="red")
            return REFUSED
        for line in broken(one for one in found if not one.of_verdict):
            console.print(line, style="red", soft_wrap=True)
        status, why = ended(found, failed, accepted)
        if status != DONE:
            console.print(f"exit status {status}: {why}", style="red", soft_wrap=True)
        return status


def ended(
    found: Sequence["Outcome"], failed: Sequence[str], accepted: Sequence[str]
) -> tuple[int, str]:
    """Return the status, and why it is not 0; the table has told each verdict's reason before."""
    if failed:
        return INCOMPLETE, " and ".join(failed)
    refused = [one for one in found if one.of_verdict and one.broken]
    if refused:
        kinds = sorted({one.broken.partition(":")[0] for one in refused})
        count = f"{len(refused)} of {sum(one.of_verdict for one in found)} combinations"
        words = f"{count} {'is' if len(refused) == 1 else 'are'} {' or '.join(kinds)}, and only "
        words += f"{', '.join(accepted)} {'is' if len(accepted) == 1 else 'are'} accepted; "
        more = " ".join([*accepted, *kinds])
        return NOT_ACCEPTED, f"{words}measure again, or accept it with --require {more}"
    if any(one.broken for one in found):
        return BROKEN, "a threshold broke"
    return DONE, ""


def report(folder: Path, console: Console, table: bool = False) -> bool:
    """Draw figures and report of a run, print its table if asked; return whether it could."""
    # Imported only now: pandas and matplotlib would lie about during the measurement.
    from results.comparison import has_sides
    from results.record.reading import read_run
    from results.report import write_report
    from results.tables import print_sides, print_summary

    try:
        run = read_run(folder)
        if not run.cells and not run.failed:
            console.print("nothing was measured")
            return True
        if table:
            print_summary(console, run)
        if table and has_sides(run):
            print_sides(console, run)
        console.print(f"report: {write_report(run)}", soft_wrap=True)
    except ResultsError as error:
        console.print(str(error), style="red")
        return False
    except OSError as error:
        words = f"no report in {error.filename or folder}: {error.strerror}"
        console.print(words, style="red")
        return False
    return True

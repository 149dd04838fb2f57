"""``python -m results RUN`` draws a run again; ``python -m results A B`` compares two."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from results.errors import ResultsError
from wire.terminal import visible


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status (2 for what cannot be done)."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m results"),
        description="Draw the figures and report of a run again, or compare two runs.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN", help="one run folder, or two to compare")
    parser.add_argument(
        "--unlike-hosts",
        action="store_true",
        help="compare even if the runs were made on unlike hosts",
    )
    parser.add_argument(
        "--over-time", action="store_true", help="print the deliveries of each second instead"
    )
    parser.add_argument(
        "--hlog",
        type=Path,
        metavar="FOLDER",
        help="write the deliveries in HdrHistogram's log format instead, a file for each cell",
    )
    options = parser.parse_args(words)
    if len(options.runs) != 1 and (options.over_time or options.hlog):
        parser.error("--over-time and --hlog are of one run")
    try:
        show(options)
    except ResultsError as error:
        print(visible(f"results: {error}"), file=sys.stderr)
        return 2
    except OSError as error:
        words = f"results: cannot write {error.filename}: {error.strerror}"
        print(visible(words), file=sys.stderr)
        return 2
    return 0


def show(options: argparse.Namespace) -> None:
    """Do what was asked. Raises :class:`~results.errors.ResultsError` and ``OSError``.

    What reads and what draws take a second each to load: who asks for help waits for none of it,
    and who does not want a drawing waits for nothing that draws.
    """
    from results.comparison import compare, has_sides
    from results.console import Console
    from results.record.reading import read_run
    from results.tables import print_comparison, print_seconds, print_sides, print_summary

    console = Console()
    if len(options.runs) > 2:
        raise ResultsError(f"one run or two runs are accepted, not {len(options.runs)}")
    runs = [read_run(Path(folder)) for folder in options.runs]
    if len(runs) == 2:
        print_comparison(console, compare(runs[0], runs[1], options.unlike_hosts))
    elif options.hlog:
        from results.hlog import write_hlog

        paths = write_hlog(runs[0], options.hlog)
        console.print(
            f"{len(paths)} file{'s' * (len(paths) != 1)} in {options.hlog}", soft_wrap=True
        )
    elif options.over_time:
        print_seconds(console, runs[0])
    else:
        from results.report import write_report

        print_summary(console, runs[0])
        if has_sides(runs[0]):
            print_sides(console, runs[0])
        console.print(f"report: {write_report(runs[0])}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())

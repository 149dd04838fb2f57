"""``python -m notebooks.course`` executes the notebooks.

With ``grades`` it reads what a class has handed in, with ``site`` it writes pages.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from notebooks.course.execution import execute_all
from notebooks.course.marks import grades
from results.errors import ResultsError


def main(arguments: Sequence[str]) -> int:
    """Execute the notebooks.

    Live runs are written in place; ``--offline`` replays the recordings and writes nothing;
    ``--record`` keeps what a live run found for later replays; ``--check`` writes nothing.
    """
    if arguments and arguments[0] == "grades":
        return grades.main(arguments[1:])
    if arguments and arguments[0] == "site":
        from notebooks.course.site import build  # which takes matplotlib along

        return build.main(arguments[1:])
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m notebooks.course"), description=main.__doc__
    )
    parser.add_argument("--offline", action="store_true", help="replay, measure nothing")
    parser.add_argument("--record", action="store_true", help="keep the findings for replays")
    parser.add_argument("--check", action="store_true", help="leave the files as they are")
    parser.add_argument("notebooks", nargs="*", help="beginnings of file names (default: all)")
    asked = parser.parse_args(arguments)
    os.environ["DUPLEX_RECORD"] = "1" if asked.record else "0"
    try:
        execute_all(tuple(asked.notebooks), not asked.offline, not (asked.offline or asked.check))
    except ResultsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

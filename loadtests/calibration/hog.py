"""Takes a core away from whoever measures on it: the foreign work of ``calibrate``.

At real-time priority, where it may have one, it takes its share of every 100 ms and nobody can have
it back; else it simply never rests.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Sequence

_ROUND_S = 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    """Take the core until ended."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.calibration.hog", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--share", type=float, default=0.7, help="of the core (default: 0.7)")
    options = parser.parse_args(arguments)
    share = 1.0
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(70))
        share = options.share
    while True:
        until = time.monotonic() + share * _ROUND_S
        while time.monotonic() < until:
            pass
        time.sleep((1 - share) * _ROUND_S)


if __name__ == "__main__":
    main()

"""``python -m loadtests.load``: Locust as ``compare`` starts it, without settings of the user.

A ``locust.conf``, at home or here, or a ``LOCUST_RUN_TIME`` would change what is measured, and the
record would not say so. Whoever starts Locust by hand (``lab.py load``) keeps both.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loadtests.plan.packages import looked_through_once


@contextmanager
def _modules_never_looked_through() -> Iterator[None]:
    """Spare the garbage collector what is imported: it stays, and to look through it takes time.

    That was a tenth of the time in which a generator starts, and delays what arrives later on.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def imported() -> Callable[[], None]:
    """Import Locust, and return what runs it."""
    with looked_through_once(), _modules_never_looked_through():
        from locust.main import main as run_locust

    return run_locust


def main() -> None:
    """Run Locust by its command line alone."""
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]
    run_locust = imported()
    from locust import argument_parser

    class OfCommandLine(argument_parser.LocustArgumentParser):
        """Reads no file."""

        def _open_config_files(self, command_line_args: list[str]) -> list[object]:
            return []

    argument_parser.LocustArgumentParser = OfCommandLine  # type: ignore[misc]
    sys.argv[0] = "locust"
    run_locust()


if __name__ == "__main__":
    main()

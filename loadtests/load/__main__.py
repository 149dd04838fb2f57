"""``python -m loadtests.load``: Locust as ``compare`` starts it, without settings of the user.

A ``locust.conf``, at home or here, or a ``LOCUST_RUN_TIME`` would change what is measured, and the
record would not say so. Whoever starts Locust by hand (``lab.py load``) keeps both.
"""

import os
import sys


def main() -> None:
    """Run Locust by its command line alone."""
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]
    from locust import argument_parser
    from locust.main import main as run_locust

    class OfCommandLine(argument_parser.LocustArgumentParser):
        """Reads no file."""

        def _open_config_files(self, command_line_args: list[str]) -> list[object]:
            return []

    argument_parser.LocustArgumentParser = OfCommandLine  # type: ignore[misc]
    sys.argv[0] = "locust"
    run_locust()


if __name__ == "__main__":
    main()

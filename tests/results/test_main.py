"""The command line, before it reads or draws anything."""

import subprocess
import sys


def test_who_asks_for_help_waits_for_nothing_that_reads_or_draws() -> None:
    heavy = "{'matplotlib', 'numpy', 'pandas', 'rich'}"
    code = f"import sys, results.__main__; print({heavy} & sys.modules.keys() or 'none')"
    said = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60)
    assert said == "none\n"

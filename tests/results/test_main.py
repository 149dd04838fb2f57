"""The command line, before it reads or draws anything."""

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = "import sys, results.__main__ as it; {then}; print({heavy} & sys.modules.keys() or 'none')"


def loaded(then: str, *heavy: str) -> str:
    """Return which of these modules a command loads."""
    code = LOADED.format(then=then, heavy=set(heavy))
    return subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60)


def test_who_asks_for_help_waits_for_nothing_that_reads_or_draws() -> None:
    assert loaded("0", "matplotlib", "numpy", "pandas", "rich") == "none\n"


@pytest.mark.slow
def test_who_compares_waits_for_nothing_that_draws(small_run: Path) -> None:
    words = [str(small_run)] * 2
    assert loaded(f"it.main({words})", "matplotlib", "jinja2").endswith("\nnone\n")

"""The specification, asked in the process of whoever asks: pytest within pytest.

What costs most where it is short, another Python that imports all of it, is here already.
"""

import os
from collections.abc import Sequence

import pytest

from tests.support.depth import is_full
from tests.support.processes import ROOT, ServerProcess

FOLDER = ROOT / "tests" / "conformance"
# The limit of the test that asks holds for all, and a crash is its own to tell.
_WITHIN = ("--timeout=0", "-p", "no:faulthandler", "-p", "no:cacheprovider")


def ask(*words: str, sparsely: bool) -> int:
    """Run pytest with these words in this process, and return its exit status.

    ``sparsely`` leaves each test with one of its techniques. What it says comes on the standard
    output.
    """
    environment = dict(os.environ)
    usual = ServerProcess.module, ServerProcess.options
    try:
        return pytest.main([f"--rootdir={ROOT}", "-q", *_WITHIN, *["--sparse"] * sparsely, *words])
    finally:
        ServerProcess.module, ServerProcess.options = usual
        os.environ.clear()
        os.environ.update(environment)


def check(*words: str, files: Sequence[str] = ("",)) -> None:
    """Check that it holds on servers that are otherwise than usual; ``files`` of it, else all.

    Each test by one technique, as each is whole on the usual ones. Without what is slow, and
    without what the server says to whoever errs: it would say the same.
    """
    asked = [str(FOLDER / name) for name in files]
    assert ask(*asked, *words, "-m", "not slow and not words", sparsely=not is_full()) == 0

"""Where tests find a browser, and words on what is missing where they find none."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# A whole browser, with settings, windows and menus around its pages.
WHOLE = next(filter(None, map(shutil.which, NAMES)), None)
# Without them a page opens for a third of the CPU time.
PROGRAM = shutil.which("chromium-headless-shell") or WHOLE


def node_starts() -> bool:
    """Tell whether the Node in Playwright's package runs: it needs a library of the system's."""
    package = importlib.util.find_spec("playwright")
    if package is None or package.origin is None:
        return True  # no library is known to be missing
    node = Path(package.origin).parent / "driver" / ("node.exe" if os.name == "nt" else "node")
    with contextlib.suppress(OSError):
        return subprocess.run([node, "--version"], capture_output=True).returncode == 0
    return False


def missing(program: str | None = PROGRAM) -> str:
    """Say what a test with a browser misses and how to get it; empty where nothing is missing.

    Who needs the whole browser says so.
    """
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is missing: `python3 lab.py test` installs it"
    if program is None:
        return "Chromium is missing: `apt install chromium`, or any Chrome on the PATH"
    if not node_starts():
        return "Playwright's Node does not start: `apt install libatomic1`"
    return ""

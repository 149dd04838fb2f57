"""Where tests find a browser, and words on what is missing where they find none.

All tests of a process share one: to start it, and what drives it, takes a second of CPU.
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it may be missing
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# A whole browser, with settings, windows and menus around its pages.
WHOLE = next(filter(None, map(shutil.which, NAMES)), None)
# Without them a page opens for a third of the CPU time.
PROGRAM = shutil.which("chromium-headless-shell") or WHOLE
# Names of other sites and of this machine in a LAN, as tests need them; nobody else is found, and
# whoever is asked all the same the console tells.
HOSTS = (
    "--host-resolver-rules=MAP *.test 127.0.0.1, MAP evil.example 127.0.0.1, MAP * ~NOTFOUND,"
    " EXCLUDE localhost, EXCLUDE 127.0.0.1"
)
# Pages live for seconds: to compile their scripts once more, and better, would not pay.
FRUGAL = "--js-flags=--no-opt --no-maglev"


class Shared:
    """The browser of this process, and who drives it.

    Playwright leaves its event loop running in the middle of the thread that started it, and only
    one can run there: whoever uses the browser wakes it, and for all others it sleeps.
    """

    def __init__(self) -> None:
        from playwright.sync_api import sync_playwright

        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._browser = self._playwright.chromium.launch(
            executable_path=PROGRAM, args=[HOSTS, FRUGAL]
        )
        self._sleep()

    def _sleep(self) -> None:
        asyncio._set_running_loop(None)

    @contextlib.contextmanager
    def awake(self) -> Iterator["Browser"]:
        """Lend the browser, and close what was left open in it."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
            for context in self._browser.contexts:
                context.close()
        finally:
            self._sleep()

    def end(self) -> None:
        asyncio._set_running_loop(self._loop)
        self._browser.close()
        self._playwright.stop()
        self._sleep()


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

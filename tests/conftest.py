"""Settings and fixtures that every test shares."""

import gc
import itertools
import os
import re
import shlex
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import chromium
from tests.support.depth import check_depth
from tests.support.processes import QUIET, ServerProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Machines are slow at times; how long an example takes is no property of the code.
always = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("duplex", always, max_examples=100)
settings.register_profile("fast", always, max_examples=25)  # for `lab.py test --fast`
settings.load_profile("duplex")

_numbers = itertools.count(1)
_ALL_SLOW = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)


def handle_signals_as_usual() -> None:
    """Undo what a parent left: a script's background job ignores SIGINT, others may block some."""
    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        return
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


handle_signals_as_usual()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        default="servers",
        metavar="MODULE",
        help="module that starts the servers which are tested (tests.late_servers has another log)",
    )
    parser.addoption(
        "--server-options",
        default="",
        metavar="WORDS",
        help="options of all servers that are tested, such as ='--tls --loop asyncio'",
    )


def pytest_configure(config: pytest.Config) -> None:
    if fault := check_depth():
        raise pytest.UsageError(fault)
    ServerProcess.module = config.getoption("servers")
    ServerProcess.options = shlex.split(config.getoption("server_options"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files alone in which `-m slow`, or `-m "not slow"`, would leave nothing.

    Else each worker imports them all, and what they need, only to forget it.
    """
    asked = config.getoption("markexpr")
    if asked not in ("slow", "not slow") or not collection_path.match("test_*.py"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    is_left = "mark.slow" in text if asked == "slow" else not _ALL_SLOW.search(text)
    return None if is_left else True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage neither while tests are collected nor, later on, among what was collected.

    It stays to the end, and is most of what there is to look through.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)  # when those that are left out are gone
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that ask for most time, so that none of them is left for the end.

    Of those that do not ask, the ones with most tests come first.
    """
    asked: dict[Path, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        asked[item.path] = max(asked.get(item.path, 0), limit.args[0] if limit else 0)
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (-asked[item.path], -size[item.path]))


@pytest.fixture
def channel() -> str:
    """Name a channel that no other test has."""
    return f"test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """Run all techniques in a process of their own, one for all tests."""
    server = ServerProcess(*QUIET)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def shared_browser() -> Iterator[chromium.Shared]:
    """A browser that sleeps; left out where it is missing, but in CI it must be there."""
    if words := chromium.missing():
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    shared = chromium.Shared()
    yield shared
    shared.end()


@pytest.fixture(scope="module")  # there are modules that start browsers of their own
def browser(shared_browser: chromium.Shared) -> Iterator["Browser"]:
    """The browser of all tests; every page in it is closed when the module ends."""
    with shared_browser.awake() as browser:
        yield browser

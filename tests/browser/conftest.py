"""A lecture in a process of its own, and pages of a real browser that are watched for errors."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.lecture_process import Lecture

# What a browser says by itself, and no script can hush, when the network is cut on purpose.
_OF_A_CUT = re.compile(r"Failed to load resource: net::|WebSocket connection to .* failed")


def _miss(what: str) -> None:
    """Leave the test out where a part of the system is missing; on CI it must be there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def lecture() -> Iterator[Lecture]:
    lecture = Lecture()
    yield lecture
    lecture.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _miss("playwright is missing: install the group browser")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        _miss("chromium is missing: apt install chromium")
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=program, args=[*root, "--enable-precise-memory-info"]
        )
        yield browser
        browser.close()


class Watched:
    """A page, and all that it said and asked for."""

    def __init__(self, context: Any, lecture: Lecture, has_key: bool) -> None:
        self.lecture = lecture
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.may_be_cut = False
        self._key = lecture.key if has_key else ""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url')}")

    def open(self, view: str) -> Any:
        """Open a view, such as ``race?preset=half``."""
        key = f"{'&' if '?' in view else '?'}key={self._key}" if self._key else ""
        self.page.goto(f"{self.lecture.url}#{view}{key}")
        self.page.wait_for_selector(f"section#{view.split('?')[0]}:not([hidden])")
        return self.page

    def check(self) -> None:
        """Nothing was complained of, and nobody else was asked."""
        complaints = self.complaints
        if self.may_be_cut:
            complaints = [text for text in complaints if not _OF_A_CUT.match(text)]
        assert not complaints
        hosts = {urlsplit(url).hostname for url in self.requests if url.startswith(("http", "ws"))}
        assert hosts <= {"127.0.0.1"}


@pytest.fixture
def open_page(browser: Any, lecture: Lecture) -> Iterator[Callable[..., Watched]]:
    """Makes pages, each of a person of their own; the lecturer has the key."""
    contexts, watched = [], []

    def make(lecturer: bool = False, **options: Any) -> Watched:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
        contexts.append(context)
        watched.append(Watched(context, lecture, lecturer))
        return watched[-1]

    yield make
    for one in watched:
        one.check()
    for context in contexts:
        context.close()


# What lanes know, by way of the page's own modules.
LANES = """async () => {
  const { lanes } = await import('/page/view_race.js');
  return Object.fromEntries([...lanes].map(([slug, lane]) => [slug, {
    status: lane.status, received: lane.received, lost: lane.lost, repeated: lane.repeated,
    mean: lane.mean(), latencies: lane.messages.slice(0, 100).map((message) => message.latency),
    arrivals: lane.messages.slice(0, 100).map((message) => message.arrived),
    requests: lane.track.requests, up: lane.track.up, down: lane.track.down,
    open: lane.track.open, gaps: lane.gaps, newest: lane.newest,
  }]));
}"""


@pytest.fixture
def lanes() -> Callable[[Any], dict[str, Any]]:
    return lambda page: page.evaluate(LANES)


@pytest.fixture
def wait_for_lanes(lanes: Callable[[Any], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wait until every lane fits; the last reading is returned or told."""

    def wait(page: Any, fits: Callable[[dict[str, Any]], bool], seconds: float = 20) -> Any:
        for _ in range(round(seconds * 10)):
            found = lanes(page)
            if found and all(fits(lane) for lane in found.values()):
                return found
            page.wait_for_timeout(100)
        unfit = {
            slug: {name: value for name, value in lane.items() if not isinstance(value, list)}
            for slug, lane in found.items()
            if not fits(lane)
        }
        pytest.fail(f"in {seconds} s not: {unfit}")

    return wait

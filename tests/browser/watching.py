"""Pages that are watched: all that a page says and asks for, and what its lanes know."""

import http.client
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest

from tests.support.processes import Lecture

if TYPE_CHECKING:  # it may be missing; then the tests are skipped, and say so
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

# What a browser says by itself, and no script can hush, when the network is cut on purpose; that
# somebody else is asked, whom nobody finds, is no cut.
_OF_A_CUT = re.compile(
    r"(?!.*ERR_NAME_NOT_RESOLVED)(Failed to load resource: net::|WebSocket connection to .* failed)"
)


class Watched:
    """A page, and all that it complained of: whom it asked in vain, too."""

    def __init__(self, context: "BrowserContext", lecture: Lecture, has_key: bool) -> None:
        self.lecture = lecture
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.may_be_cut = False
        self.is_open = False
        self._key = lecture.key if has_key else ""
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: "ConsoleMessage") -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url')}")

    def open(self, view: str) -> "Page":
        """Open a view, such as ``race?preset=half``."""
        key = f"{'&' if '?' in view else '?'}key={self._key}" if self._key else ""
        self.is_open = True
        self.page.goto(f"{self.lecture.url}#{view}{key}")
        self.page.wait_for_selector(f"section#{view.split('?')[0]}:not([hidden])")
        return self.page

    def check(self) -> None:
        """Nothing was complained of, and so nobody else was asked."""
        complaints = self.complaints
        if self.may_be_cut:
            complaints = [text for text in complaints if not _OF_A_CUT.match(text)]
        assert not complaints, complaints


class Keyed(Protocol):
    """A lecture, or what stands for one."""

    url: str
    key: str


def order(lecture: Keyed, door: str, what: dict[str, Any]) -> None:
    """Give an order that only the lecturer may give, without a page of theirs."""
    connection = http.client.HTTPConnection(urlsplit(lecture.url).netloc, timeout=30)
    connection.request("POST", f"/lecture/{door}", json.dumps(what), {"Duplex-Key": lecture.key})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def until(page: "Page", expression: str, fits: Callable[[Any], bool] = bool) -> Any:
    """Wait until what an expression comes to fits, and return it.

    ``page.wait_for_function`` takes a promise for the truth, whatever it comes to.
    """
    for _ in range(300):
        if fits(found := page.evaluate(expression)):
            return found
        page.wait_for_timeout(100)
    pytest.fail(f"in 30 s not: {expression}")


Lane = dict[str, Any]
Lanes = dict[str, Lane]
ReadLanes = Callable[["Page"], Lanes]


class OpenPage(Protocol):
    """Opens a page, of a person of their own; the lecturer has the key."""

    def __call__(self, lecturer: bool = False, **options: Any) -> Watched: ...


class Race(Protocol):
    """Begins a race of a preset, or stays in the one that is on; returns the lecturer's page."""

    def __call__(self, preset: str, anew: bool = True) -> "Page": ...


class WaitForLanes(Protocol):
    """Waits until every lane fits, and returns the last reading."""

    def __call__(
        self, page: "Page", fits: Callable[[Lane], bool], seconds: float = 20
    ) -> Lanes: ...


# An option of a page whose motion is looked at; others stand still, but for once a second.
MOVING = {"reduced_motion": "no-preference"}

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

# What is published just now, as the page knows it.
SOURCE = "import('/page/room.js').then(({ room }) => room.state?.source)"

# What tells as it comes, and what asks on a timer.
HELD = ("plugin_socket", "forever_frame", "sse", "web_socket", "fetch_stream")
ASKING = ("page_reload", "frame_reload", "polling")

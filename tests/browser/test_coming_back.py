"""The command ends and begins again while pages are open: they say so, and come back."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.browser.watching import OpenPage, Race, ReadLanes, WaitForLanes, Watched, order, until
from tests.support.processes import Lecture, QuickLecture

pytestmark = pytest.mark.slow
_PORTS = 12  # the techniques' own, the plugin's, the page's, and a line for each


def free_ports() -> int:
    """Return the first of so many free ports in a row."""
    for _ in range(100):
        first = random.randrange(20_000, 30_000)
        with ExitStack() as stack:
            try:
                for port in range(first, first + _PORTS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    pytest.fail("there are no free ports in a row")


class Twice:
    """A lecture that can be ended and begun again, on the same ports."""

    def __init__(self) -> None:
        self._port = str(free_ports())
        self._now: Lecture | None = None
        self.begin()

    def begin(self) -> None:
        self._now = QuickLecture("--port", self._port)
        self.url, self.key = self._now.url, self._now.key

    def end(self) -> None:
        if self._now is not None:
            self._now.stop()
            self._now = None


@pytest.fixture(scope="module")
def lecture() -> Iterator[Twice]:
    twice = Twice()
    yield twice
    twice.end()


def word(page: Any, expected: str) -> None:
    page.wait_for_selector(f'#race .network[data-word="{expected}"]')


def reach(page: Any, slug: str, state: str) -> None:
    until(
        page,
        "import('/page/view_race.js').then(({ lanes }) => {"
        f" const lane = lanes.get('{slug}'); return lane && {state}; }})",
    )


def test_a_page_outlives_its_command(
    race: Race, lecturer: Watched, lecture: Twice, wait_for_lanes: WaitForLanes
) -> None:
    lecturer.may_be_cut = True
    page = race("burst")
    wait_for_lanes(page, lambda lane: lane["received"] >= 20)
    page.evaluate("location.hash = 'chat'")
    page.fill("#chat-name", "Ana")
    page.click("form.connect button")
    page.wait_for_selector("#chat-text:enabled")

    lecture.end()
    page.wait_for_selector("#notice:has-text('cannot be reached')")
    page.wait_for_selector("#chat-state:has-text('broken')")
    page.fill("#chat-text", "not lost")
    page.click("text=Send to all")
    page.wait_for_selector("#notice:has-text('was not sent')")
    assert page.input_value("#chat-text") == "not lost"
    page.evaluate("location.hash = 'race'")
    word(page, "lost")

    lecture.begin()
    # The old key fits no more, and the page does not pretend that it does.
    page.wait_for_selector("#role:has-text('Viewer')")
    page.wait_for_selector("#notice:has-text('new key')")
    word(page, "whole")
    page.goto(f"{lecture.url}#race?key={lecture.key}")
    page.wait_for_selector("#role:has-text('Lecturer')")
    # All, the plugin too, take the new command's messages, which are numbered anew.
    wait_for_lanes(page, lambda lane: lane["status"] == "open", 40)
    order(lecture, "burst", {"count": 50})
    wait_for_lanes(page, lambda lane: lane["received"] == 50 and lane["lost"] == 0)
    page.evaluate("location.hash = 'chat'")
    page.wait_for_selector("#chat-state:has-text('Connected')")
    page.fill("#chat-text", "here again")
    page.click("text=Send to all")
    page.wait_for_selector("#chat-list .text:has-text('here again')")


def test_a_plugin_goes_on_where_it_was(
    race: Race, lecturer: Watched, lecture: Twice, lanes: ReadLanes
) -> None:
    page = lecturer.page if lecturer.is_open else race("burst")  # where the other test left it
    room = "import('/page/room.js').then(({ room }) => "
    reach(page, "plugin_socket", "lane.received > 20")
    until(page, room + "room.events !== undefined)")
    # The event stream breaks off, as when a phone sleeps; the emulated plugin ends with it.
    page.evaluate(room + "{ room.events.close(); room.lose(); })")
    reach(page, "plugin_socket", "lane.status === 'broken'")
    heard = lanes(page)["web_socket"]["received"]
    order(lecture, "source", {"rate": 50})
    reach(page, "web_socket", f"lane.received > {heard} + 20")
    # On a busy machine much that a plugin reports overtakes the answer that names it.
    held = (
        "const post = room.post; const late = new Promise((tell) => { room.tell = tell; });"
        " room.post = async (...order) => { const told = await post.apply(room, order);"
        " if (order[0] === 'plugin') await late; return told; };"
    )
    page.evaluate(f"{room} {{ {held} }})")
    page.evaluate(room + "room.listen())")
    until(page, room + "room.unheard.length > 150)")
    page.evaluate(room + "room.tell())")
    reach(page, "plugin_socket", f"lane.status === 'open' && lane.received > {heard} + 200")
    order(lecture, "source", {"rate": 0})
    found = lanes(page)["plugin_socket"]
    assert found["lost"] == found["repeated"] == found["gaps"] == 0


def test_what_was_not_had_is_had_later(open_page: OpenPage) -> None:
    watched = open_page()
    watched.may_be_cut = True
    watched.page.route("**/lecture/clock", lambda route: route.fulfill(status=503), times=1)
    page = watched.open("timeline")
    # A page that is told no time asks again.
    page.wait_for_selector("#notice:has-text('cannot be reached')")
    page.wait_for_selector("#notice:empty", state="attached")
    watched.complaints = [words for words in watched.complaints if "503" not in words]
    # A view.
    page.route("**/view_chat.js", lambda route: route.abort())
    page.route(watched.lecture.url, lambda route: route.abort())
    page.click("nav a[href='#chat']")
    until(page, "location.hash === '#timeline'")  # the page's policy knows no eval()
    page.unroute("**/view_chat.js")
    page.unroute(watched.lecture.url)
    page.click("nav a[href='#chat']")
    page.wait_for_selector("section#chat:not([hidden])")
    # A lane.
    page.route("**/polling.js", lambda route: route.abort())  # however often asked
    page.click("nav a[href='#timeline']")
    page.click("[data-era=polling]")
    page.wait_for_selector("#timeline .state:has-text('broken')")
    page.unroute("**/polling.js")
    page.wait_for_selector("#timeline .state:empty", state="attached")
    page.frame_locator("#timeline .stage iframe").locator("#messages li").first.wait_for()

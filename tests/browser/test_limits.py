"""The limits lab in a real browser: the seventh waits, and closing one cures it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import USUAL
from tests.browser.watching import OpenPage, Watched, order, until
from tests.support.processes import Lecture
from tests.support.programs import need

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def visitor(browser: "Browser", lecture: Lecture) -> Iterator[Watched]:
    """Somebody in the lab, once for several tests."""
    context = browser.new_context(**USUAL)
    watched = Watched(context, lecture, has_key=False)
    watched.open("limits").wait_for_selector('#slots[data-ready="true"]')
    yield watched
    context.close()


@pytest.fixture
def lab(visitor: Watched) -> Iterator[Watched]:
    """The lab, where nothing is open."""
    visitor.page.click("#limits-all")
    visitor.page.wait_for_selector("text=0 WebSockets open, 0 opening.")
    yield visitor
    visitor.check()
    visitor.complaints.clear()
    visitor.may_be_cut = False


def test_the_seventh_waits_until_one_closes(lab: Watched) -> None:
    page = lab.page
    for count in range(1, 7):
        page.click("#limits-open")
        page.wait_for_function(
            "n => document.querySelectorAll('.slot.open').length === n", arg=count
        )
    page.click("#limits-open")
    page.wait_for_selector(".slot.over.waiting")
    page.wait_for_timeout(1500)
    assert page.locator(".slot.waiting").count() == 1
    assert "6 open, 1 waiting" in page.inner_text("#limits-said")
    # WebSockets have a pool of their own.
    page.click("#limits-ten-sockets")
    page.wait_for_selector("text=10 WebSockets open, 0 opening.")
    assert page.locator(".slot.waiting").count() == 1
    page.click("#limits-close")
    page.wait_for_function(
        "() => document.querySelectorAll('.slot.open').length === 6"
        " && document.querySelectorAll('.slot').length === 6"
    )
    page.click("#limits-all")


def test_closing_what_still_connects_is_quiet(lab: Watched) -> None:
    page = lab.page
    # Both orders at once: most of the sockets are still connecting when they shall close.
    page.evaluate(
        "() => { for (const one of ['ten-sockets', 'all'])"
        " document.getElementById(`limits-${one}`).click(); }"
    )
    page.wait_for_selector("text=0 WebSockets open, 0 opening.")
    page.wait_for_timeout(500)
    # The page's watcher finds no warning in the console.


def test_what_the_browser_refuses_is_told(lab: Watched) -> None:
    lab.may_be_cut = True  # the browser says each refusal, too
    page = lab.page
    for _ in range(3):
        page.click("#limits-hundred")
    page.wait_for_function(
        r"() => /\b0 opening/.test(document.getElementById('limits-sockets').textContent)",
        timeout=60_000,
    )
    told = page.inner_text("#limits-sockets")
    numbers = [int(word) for word in re.findall(r"\d+", told)]
    everything, opened, opening, refused = numbers
    assert everything == 300 == opened + refused
    assert opening == 0 < refused
    page.click("#limits-all")


def test_its_buttons_wait_for_its_line(open_page: OpenPage, lecture: Lecture) -> None:
    order(lecture, "link", {"delay_s": 0.5})
    page = open_page().open("limits")
    assert page.locator("#limits-open").is_disabled()
    page.wait_for_selector("#limits .heading >> text=loading")
    page.wait_for_selector("#limits-open:enabled")
    page.click("#limits-open")
    page.wait_for_selector(".slot.open")
    order(lecture, "link", {"delay_s": 0})


def test_it_is_opened_while_the_line_is_cut(open_page: OpenPage) -> None:
    lecturer = open_page(lecturer=True)
    lecturer.may_be_cut = True
    page = lecturer.open("room")
    page.wait_for_selector("#role:has-text('Lecturer')")
    room = "import('/page/room.js').then(({ room }) => room."
    page.evaluate(room + "control('cut', { seconds: 3 }))")
    page.evaluate("location.hash = 'limits'")
    page.wait_for_selector("#limits .heading >> text=loading")
    until(page, room + "state.link.down === false)")
    page.wait_for_selector("#limits-open:enabled")


def test_by_http_2_twenty_of_twenty_come_on_one_connection(open_page: OpenPage) -> None:
    need("haproxy")
    # Nobody clicks away the warning of a certificate here.
    page = open_page(lecturer=True, ignore_https_errors=True).open("limits")
    page.wait_for_selector("#limits-switch:enabled")
    with page.expect_popup() as opened:
        page.press("#limits-switch", "Enter")
    tab = opened.value
    page.wait_for_selector('#slots[data-ready="true"]')
    tools = page.context.new_cdp_session(tab)
    connections: set[int] = set()
    statuses: list[int] = []
    tools.on(
        "Network.responseReceived", lambda told: connections.add(told["response"]["connectionId"])
    )
    tools.on(
        "Network.webSocketHandshakeResponseReceived",
        lambda told: statuses.append(told["response"]["status"]),
    )
    tools.send("Network.enable")
    page.click("#limits-ten")
    page.click("#limits-ten")
    page.wait_for_function("() => document.querySelectorAll('.slot.open').length === 20")
    assert "20 open, 0 waiting: they are streams of one connection" in page.inner_text(
        "#limits-said"
    )
    page.click("#limits-socket")
    page.wait_for_selector("text=1 WebSockets open, 0 opening.")
    assert len(connections) == 1
    assert statuses == [200]  # RFC 8441: no 101, as nothing is switched
    assert "RFC 8441" in page.inner_text("#limits-front")
    page.click("#limits-switch")
    page.wait_for_selector("#limits-open:enabled")
    page.click("#limits-open")
    page.wait_for_selector(".slot.open")
    assert tab.is_closed()


def test_what_is_missing_is_told(lab: Watched) -> None:
    page = lab.page
    state = "state => import('/page/room.js').then(({ room }) => room.take({ state }))"
    whole = "import('/page/room.js').then(({ room }) => room.state)"
    until(page, whole)
    page.evaluate(state, {**page.evaluate(whole), "front": {"port": 0, "missing": "haproxy"}})
    page.wait_for_selector("#limits-front:has-text('apt install haproxy')")
    assert page.locator("#limits-switch").is_disabled()

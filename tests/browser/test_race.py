"""The race in a real browser: every technique delivers, and presets show what they say."""

import statistics
from typing import TYPE_CHECKING

import pytest

from servers.answering import written
from tests.browser.watching import MOVING, OpenPage, Race, WaitForLanes, until
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HELD = ("plugin_socket", "forever_frame", "sse", "web_socket", "fetch_stream")
ASKING = ("page_reload", "frame_reload", "polling")
# In a row on a phone: where the words of its name end, and where those of a number begin.
COVERED = """() => [...document.querySelectorAll('#race tbody tr')].filter((row) => {
  const words = (one) => { const all = document.createRange(); all.selectNodeContents(one);
    return [...all.getClientRects()]; };
  const ends = Math.max(...words(row.querySelector('.name')).map((one) => one.right));
  const numbers = [...row.querySelectorAll('.age, .mean')].filter((one) => one.offsetWidth);
  const label = (one) => parseFloat(getComputedStyle(one, '::before').width) || 0;
  return numbers.some((one) => words(one).some(({ left }) => left - label(one) < ends));
}).map((row) => row.dataset.technique)"""


@pytest.fixture
def race(open_page: OpenPage) -> Race:
    def open_race(preset: str) -> "Page":
        watched = open_page(lecturer=True)
        watched.may_be_cut = preset == "cut"
        page = watched.open(f"race?preset={preset}")
        page.wait_for_selector(f'button[data-preset="{preset}"][aria-pressed="true"]')
        return page

    return open_race


def test_each_technique_delivers(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("busy")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 50)
    assert set(lanes) == set(SLUGS)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    # Its sentence: one answer carries many, so polling is cheap in bytes, and pays in time.
    wait_for_lanes(page, lambda lane: lane["received"] >= 150)
    published = page.evaluate(
        "import('/page/room.js').then(async ({ room }) => {"
        " await room.control('source', { rate: 0 }); return room.state.source.published; })"
    )
    lanes = wait_for_lanes(page, lambda lane: lane["newest"] == published)
    cost = {slug: (lane["up"] + lane["down"]) / lane["received"] for slug, lane in lanes.items()}
    assert cost["polling"] < min(cost["sse"], cost["long_polling"])
    assert cost["polling"] < 1.25 * cost["web_socket"]
    assert lanes["polling"]["mean"] > lanes["web_socket"]["mean"]
    # What the table says is what the lanes know.
    page.click("text=Pause")
    shown = page.locator('tr[data-technique="sse"] td[data-column="messages"]').inner_text()
    assert int(shown.replace(",", "")) >= 50


def test_a_message_a_minute(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("minute")
    wait_for_lanes(page, lambda lane: lane["received"] == 1)
    page.evaluate("import('/page/view_race.js').then(({ reset }) => reset())")
    page.wait_for_timeout(4000)
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == 0)
    assert lanes["polling"]["requests"] >= 3
    assert all(lanes[slug]["requests"] == 0 for slug in HELD)
    # A sign of life every five seconds, of a few bytes.
    assert all(lanes[slug]["up"] + lanes[slug]["down"] <= 50 for slug in HELD)


def test_a_burst(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("burst")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == 50)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    for slug in ASKING:  # with one question, so all at once
        assert max(lanes[slug]["arrivals"]) - min(lanes[slug]["arrivals"]) < 100
    quickest = max(lanes[slug]["mean"] for slug in HELD)
    assert quickest < max(lanes[slug]["mean"] for slug in ASKING)


def test_half_a_second_away(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("half")
    lanes = wait_for_lanes(page, lambda lane: len(lane["latencies"]) >= 16, seconds=30)
    # Half a second there, and what this machine adds; polling adds half an interval of a second.
    typical = {slug: statistics.median(lanes[slug]["latencies"][2:]) for slug in lanes}
    assert min(typical.values()) > 490  # by clocks that were read over the network
    asked = statistics.mean(lanes["polling"]["latencies"][2:])
    assert 250 < asked - min(typical["web_socket"], typical["sse"]) < 1000


def test_a_cut_loses_nothing(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("cut")
    page.wait_for_selector('.network[data-word="cut"]')
    page.wait_for_selector('.network[data-word="whole"]')
    published = page.evaluate(
        "import('/page/room.js').then(({room}) => room.state.source.published)"
    )
    lanes = wait_for_lanes(
        page, lambda lane: lane["newest"] > published and lane["status"] == "open", seconds=25
    )
    for lane in lanes.values():
        assert lane["lost"] == lane["repeated"] == lane["gaps"] == 0
        assert max(lane["latencies"]) > 3000  # what was published meanwhile came late


def test_a_picture_of_which_the_next_race_has_nothing(
    race: Race, wait_for_lanes: WaitForLanes
) -> None:
    page = race("picture")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == 1, seconds=30)
    size = 591 * (591 * 3 + 3) // 1000  # kB, about
    assert lanes["web_socket"]["down"] / 1000 == pytest.approx(size, rel=0.02)
    for slug in ("sse", "long_polling", "forever_frame"):
        assert lanes[slug]["down"] / 1000 == pytest.approx(size * 4 / 3, rel=0.03)
    # What a line of 500 kB a second needs at least, and a third more.
    assert lanes["web_socket"]["latencies"][0] > 1.9 * size
    assert lanes["sse"]["latencies"][0] > 2.5 * size
    assert lanes["sse"]["latencies"][0] > lanes["web_socket"]["latencies"][0]
    page.click("[data-preset=half]")
    page.wait_for_selector("#line:has-text('500 ms')")
    lanes = wait_for_lanes(page, lambda lane: 6 <= lane["received"] < 100, seconds=30)
    # The reloads of before brought the picture again and again: a megabyte and more each time.
    assert all(lane["down"] < 100_000 for lane in lanes.values())
    # Once more is another run of the same, on another channel.
    channel = "import('/page/room.js').then(({ room }) => room.state.source.channel)"
    before = page.evaluate(channel)
    page.click("#again")
    until(page, channel, lambda now: now != before)
    wait_for_lanes(page, lambda lane: lane["received"] >= 1)


def test_a_restart_is_survived(open_page: OpenPage, wait_for_lanes: WaitForLanes) -> None:
    watched = open_page(lecturer=True)
    watched.may_be_cut = True
    page = watched.open("race")
    wait_for_lanes(page, lambda lane: lane["status"] == "open")
    page.evaluate(
        "import('/page/room.js').then(async ({ room }) => {"
        "await room.control('link', { delay_s: 0, bytes_per_s: null });"
        "await room.control('source', { rate: 5, size: 40 }); })"
    )
    wait_for_lanes(page, lambda lane: lane["received"] > 2)
    page.click("text=Restart")
    page.wait_for_selector('.network[data-word="restarting"]')
    page.wait_for_selector('.network[data-word="whole"]')
    # History is gone with the process: everybody is told of the gap, and goes on.
    newest = page.evaluate("import('/page/room.js').then(({room}) => room.state.source.published)")
    wait_for_lanes(page, lambda lane: lane["gaps"] >= 1 and lane["newest"] > newest, seconds=30)


def test_freeze_pause_and_step(open_page: OpenPage, wait_for_lanes: WaitForLanes) -> None:
    page = open_page(lecturer=True, **MOVING).open("race?preset=half")
    wait_for_lanes(page, lambda lane: lane["received"] > 2)
    page.keyboard.press("z")
    page.wait_for_selector('.network[data-word="frozen"]')
    page.keyboard.press("z")
    page.wait_for_selector('.network[data-word="whole"]')
    page.keyboard.press(" ")
    assert page.get_attribute("text=Go on", "aria-pressed") == "true"
    snapshot = "document.querySelector('tr[data-technique=sse] canvas').toDataURL()"
    before = ""
    for _ in range(20):  # what had passed is still told for a moment
        page.wait_for_timeout(400)
        if before == (before := page.evaluate(snapshot)):
            break
    else:
        pytest.fail("the picture never stands still")
    for _ in range(8):
        page.keyboard.press(".")
    page.wait_for_function(f"before => {snapshot} !== before", arg=before)
    page.keyboard.press(" ")
    page.wait_for_selector("text=Pause")


def test_viewers_watch_what_the_lecturer_chose(race: Race, open_page: OpenPage) -> None:
    page = open_page().open("race?preset=half")
    page.wait_for_selector("#notice:has-text('Only the lecturer')")
    assert page.inner_text("#role") == "Viewer"
    assert page.locator("#control-rate").is_disabled()
    assert page.locator("#presets button:enabled").count() == 0
    page.select_option("#control-poll", "0.5")  # their own
    race("picture")
    page.wait_for_selector('button[data-preset="picture"][aria-pressed="true"]')
    page.wait_for_selector("#sentence:has-text('picture of 1 MB')")
    assert page.input_value("#control-poll") == "2"
    # Who comes later sees it, too.
    later = open_page().open("race")
    later.wait_for_selector('button[data-preset="picture"][aria-pressed="true"]')


def test_a_slow_line_is_told_in_every_view_and_freed_by_a_click(open_page: OpenPage) -> None:
    lecturer, viewer = open_page(lecturer=True).open("race"), open_page().open("limits")
    lecturer.wait_for_selector("#control-delay:enabled")
    lecturer.select_option("#control-delay", "0.5")
    for view in ("timeline", "race", "chat", "wire", "limits", "room"):
        lecturer.evaluate("view => { location.hash = view; }", view)
        lecturer.wait_for_selector(f"section#{view}:not([hidden])")
        lecturer.wait_for_selector("#line:has-text('500 ms each way')")
    viewer.wait_for_selector("#line:has-text('500 ms each way')")
    assert not viewer.locator("#line button").is_visible()
    lecturer.click("#line button")
    for page in (lecturer, viewer):
        page.wait_for_selector("#line", state="hidden")
    link = lecturer.evaluate("import('/page/room.js').then(({ room }) => room.state.link)")
    assert (link["delay_s"], link["bytes_per_s"], link["down"]) == (0, None, False)


def test_an_answer_is_written_in_every_lane(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("answer")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 40)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    page.wait_for_function(
        "(count) => [...document.querySelectorAll('#race .words')]"
        ".filter((one) => one.textContent.length >= 160).length === count",
        arg=len(SLUGS),
    )
    text = written(0, 1000)
    for slug in SLUGS:
        words = page.locator(f'#race tr[data-technique="{slug}"] .words')
        assert words.is_visible()
        assert (words.text_content() or "") in text
    page.click("[data-preset=minute]")
    page.wait_for_selector("#race:not([data-words])")


def test_all_lanes_fit_and_so_does_what_explains_them(open_page: OpenPage) -> None:
    page = open_page(lecturer=True).open("race?preset=half")
    page.wait_for_selector("#line:has-text('500 ms')")
    page.wait_for_selector("#race td.down:not(:empty) >> nth=0")

    def fits(last: str) -> bool:
        box = page.locator(last).bounding_box()
        return box is not None and box["y"] + box["height"] <= 720

    assert fits("#race tbody tr >> nth=-1")
    assert fits(".legend summary")
    page.click(".legend summary")
    page.wait_for_selector(".legend dd:has-text('last half minute')")
    page.click(".legend summary")
    page.keyboard.press("+")
    page.click("#bare")
    assert fits("#race tbody tr >> nth=-1")


def test_a_phone_shows_more_than_two_lanes(race: Race, open_page: OpenPage) -> None:
    race("half").wait_for_selector("#line:has-text('500 ms')")
    page = open_page(viewport={"width": 390, "height": 844}).open("race")
    page.wait_for_selector("#line:has-text('500 ms')")
    page.wait_for_selector("#race td.down:not(:empty) >> nth=0")

    def whole() -> int:
        boxes = [row.bounding_box() for row in page.locator("#race tbody tr").all()]
        return sum(box is not None and box["y"] + box["height"] <= 844 for box in boxes)

    def covered() -> list[str]:
        """The techniques whose names run into the numbers beside them."""
        found: list[str] = page.evaluate(COVERED)
        return found

    assert whole() >= 4
    assert not covered()
    page.click("#bare")
    assert whole() == len(SLUGS)
    page.click("#large")
    assert whole() == len(SLUGS)
    assert not covered()


def test_a_phone_shows_which_preset_is_on(open_page: OpenPage) -> None:
    page = open_page(lecturer=True, viewport={"width": 390, "height": 844}).open("race?preset=busy")
    button = page.wait_for_selector('[data-preset="busy"][aria-pressed="true"]')
    box = button and button.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


def test_a_preset_leaves_nothing_to_the_next(race: Race) -> None:
    page = race("cut")
    page.wait_for_timeout(1000)
    page.click("[data-preset=minute]")
    page.evaluate(
        "() => { const one = document.querySelector('#race .network');"
        " window.words = [one.dataset.word];"
        " new MutationObserver(() => window.words.push(one.dataset.word))"
        ".observe(one, { attributes: true }); }"
    )
    page.wait_for_timeout(4000)  # the cut of the first was due three seconds after it began
    assert "cut" not in page.evaluate("window.words")


def test_two_servers_without_a_common_log_and_with_one(
    open_page: OpenPage, wait_for_lanes: WaitForLanes
) -> None:
    watched = open_page(lecturer=True)
    watched.may_be_cut = True
    page = watched.open("race?preset=apart")
    # Whatever server a lane is at, others are told the rest; what a lane misses, nothing tells.
    lanes = wait_for_lanes(page, lambda lane: lane["lost"] > 1 and lane["received"] > 1, seconds=60)
    assert all(lane["status"] == "open" for lane in lanes.values())
    page.wait_for_selector("#line:has-text('2 servers, each by itself')")
    page.click("[data-preset=together]")
    page.wait_for_selector("#line:has-text('2 servers, one log')")
    preset = "import('/page/room.js').then(({ room }) => room.state.source.preset)"
    until(page, preset, lambda now: now == "together")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] > 8, seconds=30)
    assert {lane["lost"] for lane in lanes.values()} == {0}
    page.click("#line button")
    page.wait_for_selector("#line:not(:visible)", state="attached")
    wait_for_lanes(page, lambda lane: lane["status"] == "open")

"""The race in a real browser: every technique delivers, and presets show what they say."""

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from servers.answering import written
from tests.browser.conftest import USUAL
from tests.browser.watching import OpenPage, Race, WaitForLanes, Watched, until
from tests.support.processes import Lecture
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HELD = ("plugin_socket", "forever_frame", "sse", "web_socket", "fetch_stream")
ASKING = ("page_reload", "frame_reload", "polling")
SOURCE = "import('/page/room.js').then(({ room }) => room.state?.source)"
# In a row on a phone: where the words of its name end, and where those of a number begin.
COVERED = """() => [...document.querySelectorAll('#race tbody tr')].filter((row) => {
  const words = (one) => { const all = document.createRange(); all.selectNodeContents(one);
    return [...all.getClientRects()]; };
  const ends = Math.max(...words(row.querySelector('.name')).map((one) => one.right));
  const numbers = [...row.querySelectorAll('.age, .mean')].filter((one) => one.offsetWidth);
  const label = (one) => parseFloat(getComputedStyle(one, '::before').width) || 0;
  return numbers.some((one) => words(one).some(({ left }) => left - label(one) < ends));
}).map((row) => row.dataset.technique)"""


@pytest.fixture(scope="module")
def lecturer(browser: "Browser", lecture: Lecture) -> Iterator[Watched]:
    """The lecturer's page for all races: to open nine lanes is dear, and presets begin anew."""
    context = browser.new_context(**USUAL)
    yield Watched(context, lecture, has_key=True)
    context.close()


@pytest.fixture
def race(lecturer: Watched) -> Iterator[Race]:
    """Begins races of a preset, each on a channel of its own, or stays in the one that is on."""

    def begin(preset: str, anew: bool = True) -> "Page":
        page = lecturer.page
        if not lecturer.requests:
            lecturer.open(f"race?preset={preset}")
            until(page, SOURCE, lambda now: now and now["preset"] == preset)
        elif anew or page.evaluate(SOURCE)["preset"] != preset:
            before = page.evaluate(SOURCE)["channel"]
            page.click(f"[data-preset={preset}]")
            until(page, SOURCE, lambda now: now["channel"] != before)
        page.wait_for_selector(f'button[data-preset="{preset}"][aria-pressed="true"]')
        return page

    lecturer.may_be_cut = False
    yield begin
    lecturer.check()
    lecturer.complaints.clear()


def test_each_technique_delivers(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("busy")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 100)
    assert set(lanes) == set(SLUGS)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    # Its sentence: one answer carries many, so polling is cheap in bytes, and pays in time.
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
    page.click("text=Go on")


def test_a_message_a_minute_to_which_a_cut_leaves_nothing(
    race: Race, wait_for_lanes: WaitForLanes
) -> None:
    page = race("cut")
    until(page, SOURCE, lambda now: now["rate"] > 0)  # from then on it is three seconds to the cut
    race("minute")
    page.evaluate(
        "() => { const one = document.querySelector('#race .network');"
        " window.words = [one.dataset.word];"
        " new MutationObserver(() => window.words.push(one.dataset.word))"
        ".observe(one, { attributes: true }); }"
    )
    wait_for_lanes(page, lambda lane: lane["received"] == 1)
    page.evaluate("import('/page/view_race.js').then(({ reset }) => reset())")
    page.wait_for_timeout(4000)
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == 0)
    assert lanes["polling"]["requests"] >= 3
    assert all(lanes[slug]["requests"] == 0 for slug in HELD)
    # A sign of life every five seconds, of a few bytes.
    assert all(lanes[slug]["up"] + lanes[slug]["down"] <= 50 for slug in HELD)
    assert "cut" not in page.evaluate("window.words")


def test_a_burst(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("burst")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == 50)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    for slug in ASKING:  # with one question, so all at once
        assert max(lanes[slug]["arrivals"]) - min(lanes[slug]["arrivals"]) < 100
    quickest = max(lanes[slug]["mean"] for slug in HELD)
    assert quickest < max(lanes[slug]["mean"] for slug in ASKING)


def test_a_picture_of_which_half_a_second_away_nothing_is_left(
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
    assert page.input_value("#control-poll") == "2"
    race("half")
    page.wait_for_selector("#line:has-text('500 ms')")
    lanes = wait_for_lanes(page, lambda lane: len(lane["latencies"]) >= 16, seconds=30)
    # The reloads of before brought the picture again and again: a megabyte and more each time.
    assert all(lane["down"] < 100_000 for lane in lanes.values())
    # Half a second there, and what this machine adds; polling adds half an interval of a second.
    typical = {slug: statistics.median(lanes[slug]["latencies"][2:]) for slug in lanes}
    assert min(typical.values()) > 490  # by clocks that were read over the network
    asked = statistics.mean(lanes["polling"]["latencies"][2:])
    assert 250 < asked - min(typical["web_socket"], typical["sse"]) < 1000


def test_once_more_freeze_pause_and_step(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("half", anew=False)
    # Once more is another run of the same, on another channel.
    before = page.evaluate(SOURCE)["channel"]
    page.click("#again")
    until(page, SOURCE, lambda now: now["channel"] != before)
    wait_for_lanes(page, lambda lane: lane["received"] > 2)
    page.evaluate("document.activeElement.blur()")  # else Space presses what has the focus
    page.emulate_media(reduced_motion="no-preference")
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
    page.emulate_media(reduced_motion="reduce")


def test_viewers_watch_what_the_lecturer_chose_and_are_told_of_a_slow_line(
    race: Race, open_page: OpenPage
) -> None:
    viewer = open_page().open("race?preset=half")
    viewer.wait_for_selector("#notice:has-text('Only the lecturer')")
    assert viewer.inner_text("#role") == "Viewer"
    assert viewer.locator("#control-rate").is_disabled()
    assert viewer.locator("#presets button:enabled").count() == 0
    viewer.select_option("#control-poll", "0.5")  # their own
    lecturer = race("minute")
    viewer.wait_for_selector('button[data-preset="minute"][aria-pressed="true"]')
    viewer.wait_for_selector("#sentence:has-text('Polling asks sixty times')")
    assert viewer.input_value("#control-poll") == "1"
    # The line is told in every view, and freed by a click.
    viewer.evaluate("location.hash = 'limits'")
    lecturer.select_option("#control-delay", "0.5")
    for view in ("timeline", "chat", "wire", "limits", "room", "race"):
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


def test_an_answer_is_written_in_every_lane_and_leaves_their_room_to_the_next(
    race: Race, wait_for_lanes: WaitForLanes
) -> None:
    page = race("answer")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 40)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    page.wait_for_function(
        "(count) => [...document.querySelectorAll('#race .words')]"
        ".filter((one) => one.textContent.length >= 160).length === count",
        arg=len(SLUGS),
        polling=250,
    )
    text = written(0, 1000)
    for slug in SLUGS:
        words = page.locator(f'#race tr[data-technique="{slug}"] .words')
        assert words.is_visible()
        assert (words.text_content() or "") in text
    race("half")
    page.wait_for_selector("#race:not([data-words])")


def test_all_lanes_fit_and_so_does_what_explains_them(race: Race) -> None:
    page = race("half", anew=False)
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
    page.click("#bare")
    page.keyboard.press("+")


def test_a_phone_shows_more_than_two_lanes_and_which_preset_is_on(
    race: Race, open_page: OpenPage
) -> None:
    race("half", anew=False).wait_for_selector("#line:has-text('500 ms')")
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

    def is_in_sight(preset: str) -> bool:
        box = page.locator(f'[data-preset="{preset}"][aria-pressed="true"]').bounding_box()
        return box is not None and 0 <= box["x"] <= 390 - box["width"]

    assert is_in_sight("half")  # by who came later, too
    assert whole() >= 4
    assert not covered()
    page.click("#bare")
    assert whole() == len(SLUGS)
    page.click("#large")
    assert whole() == len(SLUGS)
    assert not covered()
    page.click("#bare")
    race("busy")
    assert is_in_sight("busy")


def test_a_cut_loses_nothing_and_a_restart_is_survived(
    race: Race, lecturer: Watched, wait_for_lanes: WaitForLanes
) -> None:
    lecturer.may_be_cut = True
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
    page.click("text=Restart")
    page.wait_for_selector('.network[data-word="restarting"]')
    page.wait_for_selector('.network[data-word="whole"]')
    # History is gone with the process: everybody is told of the gap, and goes on.
    newest = page.evaluate("import('/page/room.js').then(({room}) => room.state.source.published)")
    wait_for_lanes(page, lambda lane: lane["gaps"] >= 1 and lane["newest"] > newest, seconds=30)


def test_two_servers_without_a_common_log_and_with_one(
    race: Race, lecturer: Watched, wait_for_lanes: WaitForLanes
) -> None:
    lecturer.may_be_cut = True
    page = race("apart")
    # Whatever server a lane is at, others are told the rest; what a lane misses, nothing tells.
    lanes = wait_for_lanes(page, lambda lane: lane["lost"] > 1 and lane["received"] > 1, seconds=60)
    assert all(lane["status"] == "open" for lane in lanes.values())
    page.wait_for_selector("#line:has-text('2 servers, each by itself')")
    race("together")
    page.wait_for_selector("#line:has-text('2 servers, one log')")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] > 8, seconds=30)
    assert {lane["lost"] for lane in lanes.values()} == {0}
    page.click("#line button")
    page.wait_for_selector("#line:not(:visible)", state="attached")
    wait_for_lanes(page, lambda lane: lane["status"] == "open")

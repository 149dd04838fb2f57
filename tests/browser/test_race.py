"""The race in a real browser: presets show what they say, on screens of all sizes."""

import statistics
from typing import TYPE_CHECKING

import pytest

from servers.answering import written
from tests.browser.watching import HELD, OpenPage, Race, WaitForLanes, until
from tests.support.axe import findings
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LATE = "import('/page/view_race.js').then(({ lanes }) => lanes.get('polling').messages.length)"
# What is read in the lanes.
WORDS = """[...document.querySelectorAll('#race .words')].filter((one) => one.checkVisibility())
  .map((one) => one.textContent)"""
# How many are blank; each is read in a copy, as a browser warns of a canvas that is read again.
BLANK = """() => [...document.querySelectorAll("#race canvas:not([hidden])")].filter((one) => {
  const copy = new OffscreenCanvas(one.width, one.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(one, 0, 0);
  return !pen.getImageData(0, 0, one.width, one.height).data.some(Boolean);
}).length"""
# In a row on a phone: where the words of its name end, and where those of a number begin.
COVERED = """() => [...document.querySelectorAll('#race tbody tr')].filter((row) => {
  const words = (one) => { const all = document.createRange(); all.selectNodeContents(one);
    return [...all.getClientRects()]; };
  const ends = Math.max(...words(row.querySelector('.name')).map((one) => one.right));
  const numbers = [...row.querySelectorAll('.age, .mean')].filter((one) => one.offsetWidth);
  const label = (one) => parseFloat(getComputedStyle(one, '::before').width) || 0;
  return numbers.some((one) => words(one).some(({ left }) => left - label(one) < ends));
}).map((row) => row.dataset.technique)"""


def test_an_answer_is_written_in_every_lane_and_leaves_their_room_to_the_next(
    race: Race, wait_for_lanes: WaitForLanes
) -> None:
    page = race("answer")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 40)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in lanes.values())
    text = written(0, 1000)
    words = until(page, WORDS, lambda all: min(map(len, all), default=0) >= 160)
    assert len(words) == len(SLUGS)
    assert all(one in text for one in words)
    race("picture")
    page.wait_for_selector("#race:not([data-words])")


def test_a_picture_of_which_half_a_second_away_nothing_is_left(
    race: Race, wait_for_lanes: WaitForLanes
) -> None:
    page = race("picture", anew=False)
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
    lanes = wait_for_lanes(page, lambda lane: len(lane["latencies"]) >= 12, seconds=30)
    # The reloads of before brought the picture again and again: a megabyte and more each time.
    assert all(lane["down"] < 100_000 for lane in lanes.values())
    # Half a second there, and what this machine adds; polling adds half an interval of a second.
    typical = {slug: statistics.median(lanes[slug]["latencies"][2:]) for slug in lanes}
    assert min(typical.values()) > 490  # by clocks that were read over the network
    asked = statistics.mean(lanes["polling"]["latencies"][2:])
    assert 250 < asked - min(typical["web_socket"], typical["sse"]) < 1000


def test_freeze_pause_and_step(race: Race, wait_for_lanes: WaitForLanes) -> None:
    page = race("half", anew=False)
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


def test_another_size_leaves_no_diagram_blank_and_type_grows_with_a_projectors(race: Race) -> None:
    page = race("half", anew=False)  # drawn once a second only
    page.wait_for_function(f"() => ({BLANK})() === 0")
    measures = {}
    for width, height in ((1280, 720), (1920, 1080)):
        resized(page, width, height)
        measures[width] = page.evaluate(
            "() => [parseFloat(getComputedStyle(document.documentElement).fontSize),"
            " document.querySelector('#race canvas').getContext('2d').getTransform().a"
            " / devicePixelRatio]"
        )
        # All lanes are seen at once, without scrolling.
        last = page.locator("#race tbody tr").last.bounding_box()
        assert last is not None
        assert last["y"] + last["height"] <= height
    assert measures[1280] == [17, 1]
    assert measures[1920][0] >= 22
    assert measures[1920][1] == pytest.approx(measures[1920][0] / 17)
    for width in (1200, 1100, 1000, 900, 1280):
        resized(page, width, 720)
        assert page.evaluate(BLANK) == 0


def resized(page: "Page", width: int, height: int) -> None:
    """Give a page another size, and wait until it has drawn in it."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(
        "() => new Promise((resolve) =>"
        " requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )


def take_part_and_vote(lecturer: "Page", phone: "Page") -> None:
    """The result of a vote stands beside the measurement."""
    phone.click("[data-part=web_socket]")
    phone.wait_for_selector("#part-standing:has-text('You are number 1, by WebSocket')")
    lecturer.keyboard.press("6")
    lecturer.select_option("#hall-question", "half")
    lecturer.click("#hall-ask")
    phone.click("#asked .choices button:has-text('500 ms')")
    phone.click("#asked .choices button:has-text('1.00 s')")  # another mind, the same vote
    lecturer.wait_for_selector("#asked:has-text('Votes: 1')")
    # Each latency is at least the half second of the line, by the phone's clock and the server's.
    lecturer.wait_for_selector(".histograms [data-technique=web_socket] b:not(:has-text('–'))")
    told = lecturer.evaluate("fetch('/lecture/audience').then((answer) => answer.json())")
    assert [row[:3] for row in told["people"]] == [[1, "web_socket", "open"]]
    assert told["techniques"]["web_socket"]["typical_ms"] > 490
    until(lecturer, LATE, lambda messages: messages > 5)
    lecturer.click("#asked-show")
    phone.wait_for_selector("#asked .fit:has-text('1.00 s'):has-text('your choice')")
    assert "old" in phone.inner_text("#asked .found")
    for page in (lecturer, phone):
        assert not findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # A reload is the same person; who leaves is gone.
    phone.reload()
    phone.click("[data-part=polling]")
    phone.wait_for_selector("#part-standing:has-text('You are number 1, by Polling')")
    phone.click("[data-part=polling]")
    phone.wait_for_selector("#part-standing:has-text('You only watch')")
    lecturer.wait_for_selector("#hall-picture:has-text('Nobody takes part yet')")
    lecturer.click("#asked-end")
    phone.wait_for_selector("#asked", state="hidden")


def is_in_sight(phone: "Page", preset: str) -> bool:
    """Whether a preset is shown to be on, without rolling."""
    box = phone.locator(f'[data-preset="{preset}"][aria-pressed="true"]').bounding_box()
    return box is not None and 0 <= box["x"] <= 390 - box["width"]


def watch_more_than_two_lanes(phone: "Page") -> None:
    """Who comes to the race sees what the lecturer chose, and can change nothing of it."""
    phone.evaluate("location.hash = 'race?preset=busy'")
    phone.wait_for_selector("#now", state="hidden")  # it is where the lecturer is
    phone.wait_for_selector("#notice:has-text('Only the lecturer')")
    assert phone.inner_text("#role") == "Viewer"
    assert phone.locator("#control-rate").is_disabled()
    assert phone.locator("#presets button:enabled").count() == 0
    phone.wait_for_selector("#line:has-text('500 ms')")
    phone.wait_for_selector("#race td.down:not(:empty) >> nth=0")

    def whole() -> int:
        ends = "row => row.checkVisibility() && row.getBoundingClientRect().bottom <= innerHeight"
        rows = "[...document.querySelectorAll('#race tbody tr')]"
        return int(phone.evaluate(f"{rows}.filter({ends}).length"))

    def covered() -> list[str]:
        """The techniques whose names run into the numbers beside them."""
        found: list[str] = phone.evaluate(COVERED)
        return found

    assert is_in_sight(phone, "half")  # by who came later, too
    assert whole() >= 4
    assert not covered()
    phone.click("#bare")
    assert whole() == len(SLUGS)
    phone.click("#large")
    assert whole() == len(SLUGS)
    assert not covered()
    phone.click("#bare")


def test_a_phone_takes_part_and_watches_what_the_lecturer_chose_and_a_message_a_minute(
    race: Race, open_page: OpenPage, wait_for_lanes: WaitForLanes
) -> None:
    lecturer = race("half", anew=False)
    wait_for_lanes(lecturer, lambda lane: lane["received"] > 0)
    phone = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark").open("room")
    take_part_and_vote(lecturer, phone)
    race("half", anew=False)
    watch_more_than_two_lanes(phone)
    phone.select_option("#control-poll", "0.5")  # their own
    race("minute")
    wait_for_lanes(lecturer, lambda lane: lane["received"] == 1)
    lecturer.evaluate("import('/page/view_race.js').then(({ reset }) => reset())")
    phone.wait_for_selector('button[data-preset="minute"][aria-pressed="true"]')
    phone.wait_for_selector("#sentence:has-text('Polling asks sixty times')")
    assert phone.input_value("#control-poll") == "1"
    assert is_in_sight(phone, "minute")
    lecturer.wait_for_timeout(4000)
    lanes = wait_for_lanes(lecturer, lambda lane: lane["received"] == 0)
    assert lanes["polling"]["requests"] >= 3
    assert all(lanes[slug]["requests"] == 0 for slug in HELD)
    # A sign of life every five seconds, of a few bytes.
    assert all(lanes[slug]["up"] + lanes[slug]["down"] <= 50 for slug in HELD)
    # The line is told in every view, and freed by a click.
    phone.evaluate("location.hash = 'limits'")
    lecturer.select_option("#control-delay", "0.5")
    for view in ("timeline", "chat", "wire", "limits", "room", "race"):
        lecturer.evaluate("view => { location.hash = view; }", view)
        lecturer.wait_for_selector(f"section#{view}:not([hidden])")
        lecturer.wait_for_selector("#line:has-text('500 ms each way')")
    phone.wait_for_selector("#line:has-text('500 ms each way')")
    assert not phone.locator("#line button").is_visible()
    lecturer.click("#line button")
    for page in (lecturer, phone):
        page.wait_for_selector("#line", state="hidden")
    link = lecturer.evaluate("import('/page/room.js').then(({ room }) => room.state.link)")
    assert (link["delay_s"], link["bytes_per_s"], link["down"]) == (0, None, False)

"""Looking again: a race from any moment, slowly, beside another one, and saved."""

import csv
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.watching import OpenPage, WaitForLanes, until
from tests.support.axe import findings
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
FIELDS = [
    *["race", "technique", "message", "sent_ms"],
    *["published_ms", "arrived_ms", "latency_ms", "bytes"],
]
PLACE = "Number(document.getElementById('replay-scrub').value)"
BURST = 50


def shown(page: "Page", slug: str, column: str) -> str:
    """Read a counter as it is drawn next."""
    page.wait_for_timeout(800)
    cell = page.locator(f"tr[data-technique={slug}] td[data-column={column}]")
    return str(cell.text_content())


def saved(page: "Page", kind: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.click(f"#replay-{kind}")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_race_is_looked_at_again_beside_another_and_saved(
    open_page: OpenPage, wait_for_lanes: WaitForLanes, tmp_path: Path
) -> None:
    page = open_page(lecturer=True).open("race?preset=busy")
    wait_for_lanes(page, lambda lane: lane["received"] > 20)
    page.click("[data-preset=burst]")
    page.wait_for_selector("[data-preset=burst][aria-pressed=true]")
    lanes = wait_for_lanes(page, lambda lane: lane["received"] == BURST)
    page.wait_for_timeout(300)  # a recording ends a moment ago, as what is drawn
    page.click("#replay-open")
    page.wait_for_selector("#replay")
    until(page, PLACE, lambda place: place > 0)  # it plays
    # From any moment: at its beginning nothing had come, at its end all had.
    page.focus("#replay-scrub")
    page.keyboard.press("Home")
    assert shown(page, "sse", "messages") == "0"
    assert shown(page, "sse", "age") == "–"
    page.keyboard.press("End")
    assert shown(page, "sse", "messages") == str(BURST)
    until(page, PLACE, lambda place: place > 0)
    # Slowly: a tenth of what passes at the clock.
    page.keyboard.press("Home")
    page.select_option("#replay-speed", "0.1")
    page.emulate_media(reduced_motion="no-preference")
    before = page.evaluate("performance.now()")
    page.click("#replay-play")
    until(page, PLACE, lambda place: place >= 50)
    place, now = page.evaluate(f"[{PLACE}, performance.now()]")
    assert 0 < place <= (now - before) / 10 + 50  # a step of the bar
    page.click("#replay-play")
    page.emulate_media(reduced_motion="reduce")
    # Beside another race, each with its own counters.
    page.select_option("#replay-beside", "busy")
    page.wait_for_selector(".which:has-text('Fifty a second')")
    page.focus("#replay-scrub")
    page.keyboard.press("End")
    assert page.locator("canvas:visible").count() == 2 * len(SLUGS)
    left, right = shown(page, "web_socket", "messages").split("\n")
    assert left == str(BURST)
    assert int(right) > 20
    for size in ((1280, 720), (390, 844)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert not findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Saved: every message of both races, and a picture as wide as two.
    with saved(page, "csv", tmp_path).open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == FIELDS
    for slug in SLUGS:
        ages = [
            float(row["latency_ms"])
            for row in table
            if (row["race"], row["technique"]) == ("burst", slug)
        ]
        assert len(ages) == BURST
        assert sum(ages) / BURST == pytest.approx(lanes[slug]["mean"], abs=1)
    assert {row["race"] for row in table} == {"burst", "busy"}
    picture = saved(page, "png", tmp_path).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">I", picture[16:20])[0] > 3200
    # And back: the race had gone on.
    page.click("#replay-end")
    assert page.locator("canvas:visible").count() == len(SLUGS)
    page.evaluate(
        "import('/page/room.js').then(({ room }) => room.control('burst', { count: 10 }))"
    )
    wait_for_lanes(page, lambda lane: lane["received"] == BURST + 10)

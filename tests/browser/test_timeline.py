"""The timeline in a real browser: its living examples show what they say."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.watching import OpenPage
from tests.support.processes import Lecture

pytestmark = pytest.mark.slow
# The messages whose lines are seen in a reloaded document, without rolling it.
SEEN = """() => [...document.querySelectorAll("main li")].filter((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}).map((one) => one.value)"""


def ask(url: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", path)
    told: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return told


@pytest.mark.parametrize("slug", ["page_reload", "frame_reload"])
def test_a_reloaded_document_shows_what_is_new(open_page: OpenPage, slug: str) -> None:
    page = open_page().open(f"timeline?era={slug}")
    seen: set[int] = set()
    for _ in range(150):
        # More than the frame has lines for.
        if len(seen) >= 12:
            break
        page.wait_for_timeout(250)
        for frame in page.frames:
            if urlsplit(frame.url).path == f"/{slug}":
                try:
                    seen |= set(frame.evaluate(SEEN))
                except Exception:  # it is being loaded again
                    continue
    assert len(seen) >= 12


def test_the_clock_has_no_beat_that_a_timer_could_fall_into(lecture: Lecture) -> None:
    cursor = ask(lecture.direct, "/polling?channel=clock")["cursor"]
    times: list[int] = []
    while len(times) < 9:
        told = ask(lecture.direct, f"/long_polling?channel=clock&after={cursor}")
        cursor = told["cursor"]
        times += [message["published_ns"] for message in told["messages"]]
    # Of evenly spread moments nine stand within a quarter of the second once in ten thousand runs.
    phases = sorted(time % 10**9 / 1e9 for time in times)
    gaps = [b - a for a, b in zip(phases, [*phases[1:], phases[0] + 1], strict=True)]
    assert 1 - max(gaps) > 0.25


def test_motion_is_calm_where_that_is_wanted(open_page: OpenPage) -> None:
    page = open_page(lecturer=True).open("timeline?era=sse")
    page.wait_for_selector("canvas")
    page.evaluate(
        "() => { window.drawn = 0; const clear = CanvasRenderingContext2D.prototype.clearRect;"
        "CanvasRenderingContext2D.prototype.clearRect = function (...all) {"
        " window.drawn += 1; return clear.apply(this, all); }; }"
    )
    page.wait_for_timeout(2500)
    assert 1 <= page.evaluate("window.drawn") <= 4


def test_whoever_asks_somebody_else_is_found_out(open_page: OpenPage) -> None:
    """All pages of these tests are watched so."""
    watched = open_page()
    page = watched.open("timeline")
    page.evaluate("fetch('http://somebody.example/').catch(() => 0)")
    with pytest.raises(AssertionError, match=r"http://somebody\.example/"):
        watched.check()
    watched.complaints.clear()

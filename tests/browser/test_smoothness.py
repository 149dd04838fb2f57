"""The page stays smooth: all lanes at 50 messages a second, memory flat, no long tasks.

Five seconds by default; ``DUPLEX_SMOOTH_SECONDS=600`` for the ten minutes.
"""

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.watching import OpenPage, WaitForLanes
from tests.support import chromium
from tests.support.depth import amount

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = amount("DUPLEX_SMOOTH_SECONDS", usual=5, full=600)
LONG_MS = 100
WINDOW_S = 5
MOST_WINDOWS = 8
WARM_UP_S = 35 if SECONDS > 60 else 3


@pytest.fixture(scope="module")
def browser(browser: "Browser") -> Iterator["Browser"]:
    """One that compiles and draws as people's do."""
    with browser.browser_type.launch(executable_path=chromium.PROGRAM) as usual:
        yield usual


def reading(session: Any) -> dict[str, float]:
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    found = {one["name"]: one["value"] for one in metrics}
    return {"nodes": found["Nodes"], "heap": found["JSHeapUsedSize"]}


def test_the_page_stays_smooth(open_page: OpenPage, wait_for_lanes: WaitForLanes) -> None:
    page = open_page(lecturer=True).open("race?preset=busy")
    wait_for_lanes(page, lambda lane: lane["received"] > 20)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    # In a long watch all rings are full then, or nearly; in a short one what is kept still grows,
    # by a quarter of what is allowed below. Without motion: nobody looks.
    page.wait_for_timeout(WARM_UP_S * 1000)
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_timeout(1000)
    before = reading(session)
    page.evaluate(
        "window.long = []; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.long.push(one.duration); }).observe({ type: 'longtask' });"
    )
    worst: list[float] = []
    while len(worst) < SECONDS / WINDOW_S or (min(worst) > LONG_MS and len(worst) < MOST_WINDOWS):
        page.wait_for_timeout(WINDOW_S * 1000)
        worst.append(max(page.evaluate("window.long.splice(0)"), default=0))
    after = reading(session)
    lanes = wait_for_lanes(page, lambda lane: lane["status"] == "open")
    print(f"{before} -> {after}; longest task of each {WINDOW_S} s: {worst} ms")
    assert all(lane["lost"] == 0 for lane in lanes.values())
    # Pages that were just replaced are still there now and then.
    assert after["nodes"] < before["nodes"] + 2000
    assert after["heap"] < before["heap"] * 1.25 + 2e6
    # What others do on this machine can only add to a task's time.
    assert min(worst) <= LONG_MS
    if len(worst) > 10:
        assert statistics.quantiles(worst, n=10)[-2] <= LONG_MS

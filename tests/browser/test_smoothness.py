"""The page stays smooth: all lanes at 50 messages a second, memory flat, no long tasks.

Twenty seconds by default; ``DUPLEX_SMOOTH_SECONDS=600`` for the ten minutes.
"""

import os
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SECONDS = int(os.environ.get("DUPLEX_SMOOTH_SECONDS", "20"))
WARM_UP_S = 35 if SECONDS > 60 else 12


def reading(session: Any) -> dict[str, float]:
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    found = {one["name"]: one["value"] for one in metrics}
    return {"nodes": found["Nodes"], "heap": found["JSHeapUsedSize"]}


def test_the_page_stays_smooth(open_page, wait_for_lanes) -> None:
    page = open_page(lecturer=True).open("race?preset=busy")
    wait_for_lanes(page, lambda lane: lane["received"] > 20)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.wait_for_timeout(WARM_UP_S * 1000)  # until all rings are full, or nearly
    before = reading(session)
    page.evaluate(
        "window.long = []; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.long.push(one.duration); }).observe({ type: 'longtask' });"
    )
    page.wait_for_timeout(SECONDS * 1000)
    long = page.evaluate("window.long")
    after = reading(session)
    lanes = wait_for_lanes(page, lambda lane: lane["status"] == "open")
    print(f"{SECONDS} s: {before} -> {after}, long tasks {[round(one) for one in long]}")
    assert all(lane["lost"] == 0 for lane in lanes.values())
    assert after["nodes"] < before["nodes"] + 500
    assert after["heap"] < before["heap"] * 1.25 + 2e6
    assert [one for one in long if one > 100] == []

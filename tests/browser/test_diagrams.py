"""The diagrams in a real browser: drawn when they should be, and as large as is wanted."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.watching import OpenPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow
# How many are blank; each is read in a copy, as a browser warns of a canvas that is read again.
BLANK = """() => [...document.querySelectorAll("#race canvas:not([hidden])")].filter((one) => {
  const copy = new OffscreenCanvas(one.width, one.height);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(one, 0, 0);
  return !pen.getImageData(0, 0, one.width, one.height).data.some(Boolean);
}).length"""


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


def test_another_size_leaves_no_diagram_blank_and_type_grows_with_a_projectors(
    open_page: OpenPage,
) -> None:
    page = open_page().open("race")  # drawn once a second only
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
    for width in (1200, 1100, 1000, 900):
        resized(page, width, 720)
        assert page.evaluate(BLANK) == 0


def resized(page: "Page", width: int, height: int) -> None:
    """Give a page another size, and wait until it has drawn in it."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(
        "() => new Promise((resolve) =>"
        " requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )

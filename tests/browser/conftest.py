"""A lecture in a process of its own, and pages of a real browser that are watched for errors."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.watching import (
    LANES,
    SOURCE,
    Lane,
    Lanes,
    OpenPage,
    Race,
    ReadLanes,
    WaitForLanes,
    Watched,
    until,
)
from tests.support.processes import Lecture, QuickLecture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

USUAL: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def lecture() -> Iterator[Lecture]:
    lecture = QuickLecture()
    yield lecture
    lecture.stop()


@pytest.fixture
def open_page(browser: "Browser", lecture: Lecture) -> Iterator[OpenPage]:
    """Makes pages, each of a person of their own; the lecturer has the key.

    Who does not look at motion does without: drawing it takes a quarter of all time of the browser.
    """
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def make(lecturer: bool = False, **options: Any) -> Watched:
        context = browser.new_context(**{**USUAL, **options})
        contexts.append(context)
        watched.append(Watched(context, lecture, lecturer))
        return watched[-1]

    yield make
    for one in watched:
        one.check()
    for context in contexts:
        context.close()


@pytest.fixture
def lanes() -> ReadLanes:
    def read(page: "Page") -> Lanes:
        # As text: Playwright looks at each of a thousand numbers, in the page and here.
        found: Lanes = json.loads(page.evaluate(f"async () => JSON.stringify(await ({LANES})())"))
        return found

    return read


@pytest.fixture
def wait_for_lanes(lanes: ReadLanes) -> WaitForLanes:
    """Wait until every lane fits; the last reading is returned or told."""

    def wait(page: "Page", fits: Callable[[Lane], bool], seconds: float = 20) -> Lanes:
        for _ in range(round(seconds * 4)):
            found = lanes(page)
            if found and all(fits(lane) for lane in found.values()):
                return found
            page.wait_for_timeout(250)
        unfit = {
            slug: {name: value for name, value in lane.items() if not isinstance(value, list)}
            for slug, lane in found.items()
            if not fits(lane)
        }
        pytest.fail(f"in {seconds} s not: {unfit}")

    return wait


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
        if not lecturer.is_open:
            lecturer.open(f"race?preset={preset}")
            until(page, SOURCE, lambda now: now and now["preset"] == preset)
            anew = False
        page.evaluate("location.hash.startsWith('#race') || (location.hash = 'race')")
        if anew or page.evaluate(SOURCE)["preset"] != preset:
            before = page.evaluate(SOURCE)["channel"]
            page.click(f"[data-preset={preset}]")
            until(page, SOURCE, lambda now: now["channel"] != before)
        page.wait_for_selector(f'button[data-preset="{preset}"][aria-pressed="true"]')
        return page

    lecturer.may_be_cut = False
    yield begin
    lecturer.check()
    lecturer.complaints.clear()

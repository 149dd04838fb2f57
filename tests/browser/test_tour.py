"""The tour: a script beside the page, a speaker's window that leads, and a screen that follows."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from servers.lecture.files import FOLDER
from tests.browser.test_page import LANGUAGES, VIEWS
from tests.browser.watching import OpenPage
from tests.support.axe import findings
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOTES = ("say", "do", "ask", "expect")
STEPS = "import('/page/script/steps.js').then(({ STEPS }) => STEPS)"
PRESETS = "import('/page/presets.js').then(({ PRESETS }) => Object.keys(PRESETS))"
QUESTIONS = "import('/page/hall/questions.js').then(({ QUESTIONS }) => Object.keys(QUESTIONS))"


def notes(language: str) -> dict[str, str]:
    text = (FOLDER / "page" / "words" / f"script_{language}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  "([\w.-]+)": "(.*)",$', text, re.M))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_script_is_whole_in_each_language(language: str) -> None:
    found = notes(language)
    assert found.keys() == notes("en").keys()
    assert all(len(text) > 10 for text in found.values())


def at(page: "Page", step: str) -> None:
    page.wait_for_url(lambda url: urlsplit(url).fragment.startswith(step))


def check_script(page: "Page") -> None:
    """It passes through everything, in ninety minutes."""
    steps: list[dict[str, Any]] = page.evaluate(STEPS)
    assert sum(step["minutes"] for step in steps) == 90
    wanted = {f"{step['name']}.{note}" for step in steps for note in NOTES}
    assert wanted | {"start.say", "start.do"} == notes("en").keys()
    places = {step["at"] for step in steps}
    assert {f"timeline?era={slug}" for slug in SLUGS} <= places
    assert {f"race?preset={name}" for name in page.evaluate(PRESETS)} <= places
    assert {place.split("?")[0] for place in places} == set(VIEWS)
    asked = {step["question"] for step in steps if step.get("question")}
    assert asked == set(page.evaluate(QUESTIONS))


@pytest.mark.slow
def test_one_key_leads_through_everything_and_all_that_shows_goes_along(
    open_page: OpenPage,
) -> None:
    lecturer = open_page(lecturer=True).open("timeline")
    check_script(lecturer)
    speaker = open_page(lecturer=True, viewport={"width": 390, "height": 844}).open("speaker")
    screen = open_page().open("timeline?screen=1")
    viewer = open_page(locale="ro").open("timeline")
    speaker.wait_for_selector(".speaker h1:has-text('Ready')")
    lecturer.wait_for_selector("#role:has-text('Lecturer')")
    lecturer.keyboard.press("n")
    at(lecturer, "room")
    at(screen, "room")
    viewer.wait_for_selector("#now:has-text('Sală')")
    speaker.wait_for_selector(".speaker:has-text('Step 1 of 23')")
    lecturer.keyboard.press("PageDown")  # a presenter's remote control
    at(screen, "timeline?era=page_reload")
    for name in ("frame_reload", "polling"):
        speaker.click("#tour-next")
        at(lecturer, f"timeline?era={name}")
        at(screen, f"timeline?era={name}")
    viewer.click("#now a[href='#timeline?era=polling']")
    viewer.wait_for_selector("#now", state="hidden")
    lecturer.keyboard.press("p")
    for page in (lecturer, screen):
        at(page, "timeline?era=frame_reload")
    lecturer.keyboard.press("5")  # by hand, and the screen goes along
    at(screen, "limits")
    assert not screen.is_visible("header nav")
    assert not findings(screen)
    screen.close()
    # The race is last, and on as few pages as may be: where it was opened, all lanes go on racing.
    speaker.click("#tour-next")
    at(lecturer, "timeline?era=polling")
    speaker.click("#tour-next")  # it plays the preset, though it shows no race
    at(lecturer, "race")
    lecturer.wait_for_selector("[data-preset=minute][aria-pressed=true]")
    viewer.wait_for_selector("#now:has-text('Cursă')")
    speaker.click("#tour-ask")
    viewer.wait_for_selector("#asked .choices button")
    speaker.wait_for_selector(".clocks:has-text('/ 5:00')")
    lecturer.evaluate("location.hash = 'race?screen=1'")  # the same page as a screen
    lecturer.wait_for_selector("#presets", state="hidden")
    assert not lecturer.is_visible("header nav")
    assert not findings(speaker)
    for page in (speaker, lecturer):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    speaker.click("#asked-end")
    viewer.wait_for_selector("#asked", state="hidden")
    speaker.click("#tour-end")
    speaker.wait_for_selector(".speaker h1:has-text('Ready')")
    assert speaker.locator("#tour-end").is_hidden()
    viewer.evaluate("location.hash = 'speaker'")
    viewer.wait_for_selector(".note:has-text('nevoie de cheia')")

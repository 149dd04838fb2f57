"""The page: words, colours, weight, keys, and that everybody can use it."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from servers.lecture.files import FOLDER
from tests.browser.conftest import USUAL
from tests.browser.watching import OpenPage, Watched
from tests.support.axe import findings
from tests.support.processes import Lecture, QuickLecture
from wire.techniques import TECHNIQUES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = FOLDER / "page"
VIEWS = ("timeline", "race", "chat", "wire", "limits", "room")
LANGUAGES = ("en", "es", "ro")
# Chooses a view and waits until it is shown.
SHOW = """async (view) => {
  location.hash = view;
  while (document.getElementById(view)?.hidden !== false) {
    await new Promise((done) => setTimeout(done, 20));
  }
}"""
SPEAK = """language => {
  const select = document.getElementById('language');
  select.value = language;
  select.dispatchEvent(new Event('change'));
}"""
_WORDS = re.compile(r'^  "([\w.-]+)": "(.*)",$', re.M)


@pytest.fixture(scope="module")
def lecture() -> Iterator[Lecture]:
    """A lecture that is known by a name, too."""
    lecture = QuickLecture("--allow-host", "lecture.test")
    yield lecture
    lecture.stop()


@pytest.fixture(scope="module")
def visitor(browser: "Browser", lecture: Lecture) -> Iterator[Watched]:
    """Somebody who looks at all views, and who is the lecturer once they open one by the key.

    To open the race, with its lanes, costs more than to look at all of a page.
    """
    context = browser.new_context(**USUAL, color_scheme="light")
    watched = Watched(context, lecture, has_key=True)
    watched.page.goto(f"{lecture.url}#race")
    yield watched
    watched.check()
    context.close()


def sticks_out(page: "Page") -> bool:
    """Whether something sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def words(language: str) -> dict[str, str]:
    return dict(_WORDS.findall((PAGE / "words" / f"{language}.js").read_text(encoding="utf-8")))


def test_languages_have_the_same_keys_and_values() -> None:
    english = words("en")
    assert len(english) > 150
    for language in LANGUAGES[1:]:
        other = words(language)
        assert other.keys() == english.keys()
        for key, text in english.items():
            names = set(re.findall(r"\{\w+\}", text))
            assert set(re.findall(r"\{\w+\}", other[key])) == names, (language, key)
            assert other[key].strip()


def test_every_word_that_is_used_exists() -> None:
    known = words("en")
    used = set()
    for path in [*FOLDER.rglob("*.js"), PAGE / "index.html"]:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:say|label|hint|placeholder): "([\w.-]+)"', text))
        used |= set(re.findall(r'\bsay\("([\w.-]+)"', text))
        used |= set(re.findall(r'data-say[a-z-]*="([\w.-]+)"', text))
    assert used
    assert used <= known.keys()


def test_english_names_are_the_registrys() -> None:
    english = words("en")
    assert [english[f"technique.{one.slug}"] for one in TECHNIQUES] == [
        one.title for one in TECHNIQUES
    ]


@pytest.mark.slow
def test_the_page_knows_the_techniques_by_the_registry(visitor: Watched) -> None:
    page = visitor.page
    page.evaluate(SHOW, "race")
    assert page.evaluate("import('/page/techniques.js').then((all) => all.TECHNIQUES)") == [
        asdict(one) for one in TECHNIQUES
    ]
    shown = page.locator("#race tbody .marker")
    assert [mark.get_attribute("fill") for mark in shown.all()] == [one.color for one in TECHNIQUES]


def test_the_page_weighs_little() -> None:
    files = [path for path in FOLDER.rglob("*") if path.suffix in (".js", ".css", ".html")]
    assert sum(path.stat().st_size for path in files) < 350_000


@pytest.mark.slow
def test_the_first_view_is_there_within_a_second(open_page: OpenPage) -> None:
    page = open_page().open("timeline")
    page.wait_for_selector(".era dd:not(:empty)")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    weight = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    assert paint < 1000
    assert weight < 300_000


@pytest.mark.slow
def test_nothing_sticks_out_in_a_narrow_window(visitor: Watched) -> None:
    page = visitor.page
    for language, widths in (("ro", (320, 800, 960)), ("es", (320,)), ("en", (320,))):
        page.evaluate(SPEAK, language)
        page.wait_for_selector(f"html[lang={language}]")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            for view in VIEWS:
                page.evaluate(SHOW, view)
                if view == "wire":
                    page.wait_for_selector("#hs-verdict:not(:empty)")
                assert not sticks_out(page), (language, width, view)
                if view == "race":  # all counters are seen
                    page.wait_for_selector("#race td.down:not(:empty)")
                    lanes = page.locator(".lanes")
                    assert lanes.evaluate("one => one.scrollWidth <= one.clientWidth")
    page.set_viewport_size(USUAL["viewport"])


@pytest.mark.slow
def test_views_have_no_serious_findings(visitor: Watched) -> None:
    """Each on a screen; in the dark, where colours alone differ; on a phone, where they do not."""
    for view in VIEWS:
        page = visitor.open(view)
        assert not findings(page), view
        assert not sticks_out(page), view
        page.emulate_media(color_scheme="dark")
        assert not findings(page, others=False), f"{view} in the dark"
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": 844})
        assert not findings(page, colors=False), f"{view} on a phone"
        assert not sticks_out(page), f"{view} on a phone"
        page.set_viewport_size(USUAL["viewport"])


@pytest.mark.slow
def test_everything_by_keyboard(visitor: Watched) -> None:
    page = visitor.open("timeline")
    for number, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(number))
        page.wait_for_selector(f"section#{view}:not([hidden])")
        page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    page.wait_for_selector("section#timeline:not([hidden])")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector('a[data-era="frame_reload"][aria-current]')
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    page.click("#help")
    page.uncheck("#keys-on")
    page.click("dialog button")
    page.keyboard.press("+")
    assert not page.evaluate("'large' in document.documentElement.dataset")
    page.click("#help")
    page.check("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("+")
    assert page.evaluate("'large' in document.documentElement.dataset")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    # Space presses the button that has the focus, and pauses the race where none has it.
    page.keyboard.press("2")
    page.wait_for_selector("section#race:not([hidden])")
    page.wait_for_selector("[data-preset=minute]:enabled")
    page.focus("[data-preset=minute]")
    page.keyboard.press("Space")
    page.wait_for_selector('[data-preset=minute][aria-pressed="true"]')
    pause = page.get_by_role("button", name="Pause")
    assert pause.get_attribute("aria-pressed") != "true"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_selector("#race button[aria-pressed=true]:has-text('Go on')")
    page.keyboard.press("Space")
    pause.wait_for()
    # The focus is visible wherever it goes.
    seen: set[str] = set()
    wanted = {"skip", "Timeline", "Pause", "control-delay"}
    for _ in range(80):
        if wanted <= seen:
            break
        page.keyboard.press("Tab")
        name, outline, is_round = page.evaluate(
            "() => { const one = document.activeElement; const style = getComputedStyle(one);"
            "return [one.id || one.textContent.trim().slice(0, 30), style.outlineStyle,"
            " one === document.body]; }"
        )
        seen.add(name)
        if is_round:
            continue  # the end of the page
        assert outline != "none", name
    assert wanted <= seen


@pytest.mark.slow
def test_links_lead_deep_and_the_key_disappears(open_page: OpenPage) -> None:
    watched = open_page(lecturer=True)
    page = watched.open("timeline?era=sse")
    page.wait_for_selector('a[data-era="sse"][aria-current]')
    page.wait_for_url(lambda url: "key" not in url)
    assert page.evaluate("location.hash") == "#timeline?era=sse"
    page.wait_for_selector("#role:has-text('Lecturer')")
    page.goto(f"{watched.lecture.url}#help")
    page.wait_for_selector("dialog[open]")


@pytest.mark.slow
def test_a_key_that_does_not_fit_is_told_until_one_does(open_page: OpenPage) -> None:
    watched = open_page()
    page = watched.page
    page.goto(f"{watched.lecture.url}#chat?key=wrong")
    page.wait_for_selector("#notice:has-text('does not fit')")
    page.wait_for_selector("#role:has-text('Viewer')")
    page.click("#notice button")  # it stays until it is closed, and hides nothing then
    page.wait_for_selector("#notice:empty", state="attached")
    page.goto(f"{watched.lecture.url}#key={watched.lecture.key}")
    page.wait_for_selector("#role:has-text('Lecturer')")
    page.wait_for_selector("#notice:empty", state="attached")
    watched.complaints = [text for text in watched.complaints if "403" not in text]


@pytest.mark.slow
def test_only_who_sits_there_is_told_what_listens_there(
    browser: "Browser", lecture: Lecture
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        afar = lecture.url.replace("127.0.0.1", "lecture.test")
        for url, is_own in ((lecture.url, True), (afar, False)):
            page.goto(f"{url}#room")
            page.wait_for_selector("#room p:has-text('Open pages:')")
            assert ("127.0.0.1" in page.inner_text("main")) == is_own
            page.goto("about:blank")
    finally:
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "thousand"), [("en", "1,234.5"), ("es", "1234,5"), ("ro", "1.234,5")]
)
def test_three_languages(open_page: OpenPage, language: str, thousand: str) -> None:
    page = open_page(locale=language).open("limits")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.inner_text("#limits h1") == words(language)["limits.title"]
    number = page.evaluate("import('/page/i18n.js').then(({ number }) => number(1234.5, 1))")
    assert number == thousand
    page.select_option("#language", "en")
    page.wait_for_selector("#limits h1:has-text('Six')")


def _contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_graphics_that_tell_something_are_seen() -> None:
    """WCAG 2.2, 1.4.11: edges of controls, life lines and held streams against what is behind."""
    style = (PAGE / "style.css").read_text(encoding="utf-8")
    named = [
        dict(re.findall(r"--(paper|card|faint|held|request): (#\w+)", block))
        for block in re.findall(r"--paper: [^}]*", style)
    ]
    assert len(named) == 3  # light, and dark twice
    for colors in named:
        for name in ("faint", "held", "request"):
            for ground in ("paper", "card"):
                ground_color = colors[ground].replace("#fff", "#ffffff")[:7]
                assert _contrast(colors[name], ground_color) >= 3, (name, ground)

"""The chat in a real browser: everybody with everybody, and text that stays text."""

import base64
from typing import Any

import pytest

from tests.browser.watching import OpenPage
from wire.techniques import BY_SLUG, SLUGS

pytestmark = pytest.mark.slow
MARKUP = "<img src=x onerror='top.pwned=1'><script>top.pwned=1</script><b>&amp;"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def join(page: Any, slug: str) -> None:
    page.fill("#chat-name", slug)
    page.select_option("#chat-technique", slug)
    page.click("form.connect button")
    page.wait_for_selector("#chat-text:enabled")


def say(page: Any, text: str) -> None:
    page.fill("#chat-text", text)
    page.click("text=Send to all")


def test_everybody_hears_everybody_and_markup_stays_text(open_page: OpenPage) -> None:
    pages = {slug: open_page().open("chat") for slug in SLUGS}
    for slug, page in pages.items():
        join(page, slug)
    for slug, page in pages.items():
        said = page.locator("#chat-state").inner_text()
        assert BY_SLUG[slug].title.split()[0] in said
    for slug, page in pages.items():
        say(page, f"{MARKUP} {slug}")
    for page in pages.values():
        for slug in SLUGS:
            page.wait_for_function(
                "text => [...document.querySelectorAll('#chat-list .text')]"
                ".some((one) => one.textContent === text)",
                arg=f"{MARKUP} {slug}",
            )
        for frame in page.frames:
            assert frame.evaluate("window.pwned === undefined && top.length >= 0")
        assert page.locator("#chat-list img, #chat-list script").count() == 0
        shown = page.locator("#chat-list .text").count()
        assert shown == len(SLUGS)  # each once


@pytest.mark.parametrize("slug", ["web_socket", "sse", "plugin_socket"])
def test_a_picture_goes_around_and_its_cost_is_told(open_page: OpenPage, slug: str) -> None:
    here, there = open_page().open("chat"), open_page().open("chat")
    join(here, slug)
    join(there, "polling")
    picture = PIXEL + bytes(30_000)
    here.set_input_files(
        "#chat-file", {"name": "a.png", "mimeType": "image/png", "buffer": picture}
    )
    for page in (here, there):
        page.wait_for_selector("#chat-list .picture img")
        size = page.inner_text("#chat-list .picture a")
        assert size.startswith("30.1 kB")
    here.wait_for_selector("#chat-cost:not(:empty)")
    told = here.inner_text("#chat-cost")
    assert ("binary frames" in told) == (slug == "web_socket")


def test_notices_echo_and_coming_back(open_page: OpenPage) -> None:
    here, there = open_page().open("chat"), open_page().open("chat")
    join(here, "web_socket")
    join(there, "sse")
    here.wait_for_selector("text=sse joined by Server-Sent Events.")
    here.fill("#chat-text", "only me")
    here.click("text=Echo to myself")
    here.wait_for_selector("#chat-list li.echo >> text=only me")
    there.click("form.connect button")
    here.wait_for_selector("text=sse left (Server-Sent Events).")
    there.click("form.connect button")
    there.wait_for_selector("#chat-text:enabled")
    say(here, "again")
    there.wait_for_selector("#chat-list >> text=again")
    assert there.locator("text=only me").count() == 0


@pytest.mark.parametrize("slug", SLUGS)
def test_who_joins_is_announced_by_the_technique_in_use(open_page: OpenPage, slug: str) -> None:
    here, there = open_page().open("chat"), open_page().open("chat")
    join(here, "web_socket")
    there.fill("#chat-name", f"Ana {slug}")
    there.select_option("#chat-technique", slug)
    there.click("form.connect button")
    there.wait_for_selector("#chat-text:enabled")
    say(there, "here I am")
    here.wait_for_selector("#chat-list .text:has-text('here I am')")
    notices = here.locator(f"#chat-list .notice:has-text('Ana {slug}')").all_inner_texts()
    assert notices == [f"Ana {slug} joined by {BY_SLUG[slug].title}."]


def test_a_direction_turns_nothing_else_around(open_page: OpenPage) -> None:
    page = open_page().open("chat")
    page.fill("#chat-name", "\u05d3\u05e0\u05d4")
    page.click("form.connect button")
    page.wait_for_selector("#chat-text:enabled")
    say(page, "\u0645\u0631\u062d\u0628\u0627 \u202e(1)")
    page.wait_for_selector("#chat-list li .text")
    # What stands in a line stays in its order: number, name, text, time.
    lefts = page.evaluate(
        "() => [...document.querySelector('#chat-list li .text').parentElement.children]"
        ".map((one) => one.getBoundingClientRect().left)"
    )
    assert lefts == sorted(lefts)
    assert (
        page.eval_on_selector(
            "#chat-list li small", "one => getComputedStyle(one.previousElementSibling).unicodeBidi"
        )
        == "isolate"
    )
    # What the lane says follows the language.
    page.select_option("#language", "es")
    page.wait_for_selector("#chat-state:has-text('Conectado')")

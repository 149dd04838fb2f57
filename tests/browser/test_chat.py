"""The chat in a real browser: everybody with everybody, and text that stays text."""

import base64
import os
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import USUAL
from tests.browser.watching import Watched, order
from tests.support.processes import Lecture
from wire.techniques import BY_SLUG, SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
# What an earlier test left on a page.
AFRESH = """() => {
  for (const id of ['chat-list', 'chat-cost', 'notice']) {
    document.getElementById(id).replaceChildren();
  }
  document.getElementById('chat-text').value = '';
}"""
OFTEN_MS = 200  # for questions that are dear to answer: else a page is asked at each frame
MARKUP = "<img src=x onerror='top.pwned=1'><script>top.pwned=1</script><b>&amp;"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


# What people do with the mouse and the keys, in one go: each of both costs as much as what it does.
JOIN = """([name, slug]) => {
  document.getElementById('chat-name').value = name;
  document.getElementById('chat-technique').value = slug;
  document.querySelector('form.connect').requestSubmit();
}"""
LEAVE = "document.querySelector('form.connect').requestSubmit()"
SAY = """text => {
  const field = document.getElementById('chat-text');
  field.value = text;
  field.form.requestSubmit();
}"""
# How far the bar was, and what was told of the cost by then.
WATCH_PROGRESS = """() => {
  const bar = document.getElementById('chat-progress');
  const cost = document.getElementById('chat-cost');
  window.progress = [];
  window.watcher?.disconnect();
  window.watcher = new MutationObserver(() => {
    if (!bar.hidden) window.progress.push([bar.value / bar.max, cost.textContent]);
  });
  window.watcher.observe(bar, { attributes: true });
}"""
SLOW = {"bytes_per_s": 200_000}
CREEPING = {"bytes_per_s": 50_000}  # all that is done to a file is done long before it is there
FREE = {"bytes_per_s": None, "delay_s": 0}


@pytest.fixture(scope="module")
def pair(browser: "Browser", lecture: Lecture) -> Iterator[list[Watched]]:
    """Two people for all tests: to open a page is dearer than most of what is done in it."""
    contexts = [browser.new_context(**USUAL) for _ in range(2)]
    yield [Watched(context, lecture, has_key=False) for context in contexts]
    for context in contexts:
        context.close()


@pytest.fixture
def people(pair: list[Watched]) -> Iterator[list[Watched]]:
    """The two, none of them in the chat, and nothing in their lists."""
    for one in pair:
        one.may_be_cut = False
        if not one.is_open:
            one.open("chat")
        if one.page.locator("#chat-name").is_disabled():
            leave(one.page)
        one.page.evaluate(AFRESH)
    yield pair
    for one in pair:
        one.check()
        one.complaints.clear()


@pytest.fixture
def here(people: list[Watched]) -> "Page":
    return people[0].page


@pytest.fixture
def there(people: list[Watched]) -> "Page":
    return people[1].page


@pytest.fixture
def line(lecture: Lecture) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Changes everybody's line, until the end of the test."""
    yield lambda state: order(lecture, "link", state)
    order(lecture, "link", FREE)


def give(page: Any, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.set_input_files("#chat-file", file)


def join(page: Any, slug: str, name: str = "") -> None:
    page.evaluate(JOIN, [name or slug, slug])
    page.wait_for_selector("#chat-text:enabled")


def leave(page: Any) -> None:
    page.evaluate(LEAVE)
    page.wait_for_selector("#chat-text:disabled")


def say(page: Any, text: str) -> None:
    page.evaluate(SAY, text)


def heard(page: Any, texts: list[str]) -> None:
    page.wait_for_function(
        "texts => { const all = [...document.querySelectorAll('#chat-list .text')];"
        " return texts.every((text) => all.some((one) => one.textContent === text)); }",
        arg=texts,
        polling=OFTEN_MS,
    )


@pytest.mark.attack("have what people wrote run as script", "on")
def test_all_hear_each_other_and_markup_stays_text(here: "Page", there: "Page") -> None:
    """By each technique somebody joins, is heard, and hears who is there by another one."""
    join(here, "web_socket")
    for slug in SLUGS:
        join(there, slug, f"Ana {slug}")
        said = there.locator("#chat-state").inner_text()
        assert BY_SLUG[slug].title.split()[0] in said
        say(there, f"{MARKUP} by {slug}")
        say(here, f"{MARKUP} to {slug}")
        for page in (here, there):
            heard(page, [f"{MARKUP} by {slug}", f"{MARKUP} to {slug}"])
        notices = here.locator(f"#chat-list .notice:has-text('Ana {slug} joined')")
        assert notices.all_inner_texts() == [f"Ana {slug} joined by {BY_SLUG[slug].title}."]
        leave(there)
    for page in (here, there):
        assert page.evaluate("window.pwned === undefined")  # of the top, whichever frame it is in
        assert page.locator("#chat-list img, #chat-list script").count() == 0
        shown = page.locator("#chat-list .text").count()
        assert shown == 2 * len(SLUGS)  # each once


def test_a_picture_goes_around_and_its_cost_is_told(here: "Page", there: "Page") -> None:
    join(there, "polling")
    for shown, slug in enumerate(["web_socket", "sse", "plugin_socket"]):
        join(here, slug)
        picture = PIXEL + bytes(30_000)
        here.set_input_files(
            "#chat-file", {"name": "a.png", "mimeType": "image/png", "buffer": picture}
        )
        for page in (here, there):
            picture_there = page.locator("#chat-list .picture").nth(shown)
            picture_there.locator("img").wait_for()
            assert picture_there.locator("a").inner_text().startswith("30.1 kB")
        here.wait_for_selector("#chat-cost:not(:empty)")
        told = here.inner_text("#chat-cost")
        assert ("binary frames" in told) == (slug == "web_socket")
        leave(here)


def test_notices_echo_and_coming_back(here: "Page", there: "Page") -> None:
    """Done as people do it, by the mouse and the keys."""
    here.fill("#chat-name", "ana")
    here.select_option("#chat-technique", "web_socket")
    here.click("form.connect button")
    here.wait_for_selector("#chat-text:enabled")
    join(there, "sse")
    here.wait_for_selector("text=sse joined by Server-Sent Events.")
    here.fill("#chat-text", "only me")
    here.click("text=Echo to myself")
    here.wait_for_selector("#chat-list li.echo >> text=only me")
    there.click("form.connect button")
    here.wait_for_selector("text=sse left (Server-Sent Events).")
    there.click("form.connect button")
    there.wait_for_selector("#chat-text:enabled")
    here.fill("#chat-text", "again")
    here.click("text=Send to all")
    there.wait_for_selector("#chat-list >> text=again")
    assert there.locator("text=only me").count() == 0


@pytest.mark.parametrize("slug", ["web_socket", "plugin_socket", "sse"])
def test_a_file_on_a_slow_line(
    people: list[Watched], lecture: Lecture, line: Callable[[dict[str, Any]], None], slug: str
) -> None:
    """Who leaves while it goes can send again; how far it is and its cost are told; so is a cut."""
    page = people[0].page
    join(page, slug)
    line(CREEPING)
    give(page, "left.bin", bytes(300_000))
    page.wait_for_selector("#chat-progress:visible")
    page.evaluate("location.hash = 'room'")  # what is under way goes on
    page.wait_for_selector("section#room:not([hidden])")
    page.evaluate("location.hash = 'chat'")
    leave(page)
    page.wait_for_selector("#chat-cost:has-text('left.bin did not arrive')")
    assert page.locator("#chat-progress").is_hidden()

    line(FREE)
    join(page, slug)
    line(SLOW)
    page.evaluate(WATCH_PROGRESS)
    give(page, "two words.bin", bytes(100_000))
    page.wait_for_selector("#chat-cost:has-text('% more')")
    more = float(page.inner_text("#chat-cost").rsplit(",", 1)[1].split("%")[0])
    assert 0 <= more < 1 if slug == "web_socket" else 33 <= more < 35
    shown = page.locator("#chat-list a:has-text('two words.bin')")
    shown.wait_for()
    assert shown.get_attribute("download") == "two words.bin"
    page.wait_for_selector("#chat-file:enabled", state="attached")
    told = [cost for part, cost in page.evaluate("window.progress") if 0.1 < part < 0.9]
    assert told
    assert not any(told)  # the cost is told not before the last byte has passed

    people[0].check()
    people[0].may_be_cut = True
    line(CREEPING)
    give(page, "lost.bin", bytes(300_000))
    page.wait_for_selector("#chat-progress:visible")
    order(lecture, "cut", {"seconds": 1})
    page.wait_for_selector("#chat-cost:has-text('lost.bin did not arrive')")
    page.wait_for_selector("#notice:not(:empty)")
    page.wait_for_selector("#chat-file:enabled", state="attached")
    order(lecture, "cut", {"seconds": 0})  # heals at once


def test_nothing_that_was_not_sent_is_lost(
    here: "Page", line: Callable[[dict[str, Any]], None]
) -> None:
    page = here
    join(page, "web_socket")
    line({"delay_s": 1})
    for text in ("one", "two"):
        page.fill("#chat-text", text)
        page.click("text=Send to all")
    page.fill("#chat-text", "three")
    page.click("text=Echo to myself")
    page.fill("#chat-text", "four")
    page.click("form.connect button")
    page.wait_for_function(
        "() => document.getElementById('chat-text').value.split(' ').sort().join()"
        " === 'four,one,three,two'",
        polling=OFTEN_MS,
    )


def test_the_list_follows_pictures_too(here: "Page") -> None:
    page = here
    join(page, "web_socket")
    page.evaluate(
        "async () => { const { lanes } = await import('/page/view_chat.js');"
        " for (let n = 0; n < 25; n += 1) await lanes.get('chat').send({ text: `line ${n}` }); }"
    )
    heard(page, ["line 24"])
    give(page, "wide.bmp", bitmap(200, bytes(200 * 200 * 3)))
    page.wait_for_function(
        "() => document.querySelector('.picture img')?.complete", polling=OFTEN_MS
    )
    hidden = (
        "() => { const list = document.querySelector('.following').getBoundingClientRect();"
        " const last = document.querySelector('#chat-list li:last-child').getBoundingClientRect();"
        " return last.bottom - list.bottom; }"
    )
    page.wait_for_timeout(300)
    assert page.evaluate(hidden) <= 0
    say(page, "the last")
    page.wait_for_selector("#chat-list .text:has-text('the last')")
    assert page.evaluate(hidden) <= 0
    # Who reads further up is left there.
    page.evaluate("document.querySelector('.following').scrollBy(0, -400)")
    say(page, "not now")
    page.wait_for_selector("#chat-list .text:has-text('not now')")
    assert page.evaluate(hidden) > 0


def test_who_is_there_is_told_to_who_comes(here: "Page", there: "Page") -> None:
    join(here, "polling", "Ioana")
    here.wait_for_selector("#chat-present:has-text('Ioana (Polling)')")
    join(there, "sse", "Radu")
    there.wait_for_selector("#chat-present:has-text('Ioana (Polling)')")
    for page in (here, there):
        page.wait_for_selector("#chat-present:has-text('Radu (Server-Sent Events)')")
    there.click("form.connect button")
    here.wait_for_selector("#chat-present:not(:has-text('Radu'))")
    there.wait_for_selector("#chat-present", state="hidden")


def test_a_photo_that_is_too_large_is_made_smaller(here: "Page") -> None:
    page = here
    join(page, "web_socket")
    give(page, "IMG_1.bmp", bitmap(720, os.urandom(720 * 720 * 3)))
    page.wait_for_selector("#chat-list .picture a:has-text('IMG_1.jpg')")
    assert "made smaller, from 1.6 MB" in page.inner_text("#chat-cost")
    give(page, "film.mp4", bytes(1_500_001))
    page.wait_for_selector("#notice:has-text('At most 1.5 MB')")


def bitmap(side: int, pixels: bytes) -> bytes:
    """Write a square picture as a BMP; a row of it is a multiple of four bytes."""
    head = struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
    return head + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0) + pixels


def test_a_direction_turns_nothing_else_around(here: "Page") -> None:
    page = here
    join(page, "web_socket", "\u05d3\u05e0\u05d4")
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
    page.select_option("#language", "en")


def test_what_the_server_refuses_is_told_and_given_back(people: list[Watched]) -> None:
    page = people[0].page
    too_long = 2 * 2**20 + 1
    for slug in ("page_reload", "frame_reload", "sse"):
        page.evaluate(AFRESH)
        join(page, slug)
        # Out of sight, for to draw so long a text is dear.
        page.evaluate(
            "length => { const field = document.getElementById('chat-text');"
            " field.removeAttribute('maxlength'); field.style.display = 'none';"
            " field.value = 'x'.repeat(length); }",
            too_long,
        )
        page.evaluate("document.getElementById('chat-text').form.requestSubmit()")
        page.wait_for_function(
            "size => document.getElementById('notice').innerText.includes('at most 2097152 bytes')"
            " && document.getElementById('chat-text').value.length === size",
            arg=too_long,
            polling=OFTEN_MS,
        )
        page.evaluate(
            "() => { const field = document.getElementById('chat-text');"
            " field.value = ''; field.style.display = ''; }"
        )
        say(page, "short")
        heard(page, ["short"])
        leave(page)
    people[0].complaints.clear()  # the browser's own log tells of the refusal, too

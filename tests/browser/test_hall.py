"""A room full of phones takes part, and the lecturer sees it live; test_race has what one does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.browser.watching import MOVING, OpenPage, until
from tests.support.processes import ROOT, Lecture
from tests.support.waiting import eventually
from wire.techniques import SLUGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PHONES = 100
LONG_MS = 100  # as in test_hard_races
FEW_S = 2
SHARES = "fetch('/lecture/audience').then((answer) => answer.json())"
PEOPLE = "import('/page/room.js').then(({ room }) => room.state?.people)"


@contextmanager
def phones(lecture: Lecture, count: int) -> Iterator[IO[str]]:
    """So many phones, which end with the block; what is written tells them something."""
    words = [sys.executable, "-m", "tests.browser.phones", lecture.url, str(count)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "taking part\n"
            yield child.stdin
        finally:
            child.kill()


def audience(page: "Page") -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate(SHARES)
    return told


def states(page: "Page") -> set[str]:
    return {row[2] for row in audience(page)["people"]}


def test_a_hundred_phones_stay_smooth(open_page: OpenPage, lecture: Lecture) -> None:
    page = open_page(lecturer=True, **MOVING).open("room")
    with phones(lecture, PHONES) as tell:
        until(page, PEOPLE, lambda people: people == PHONES)
        page.evaluate(
            "import('/page/room.js').then(({ room }) => room.control('source', { rate: 2 }))"
        )
        page.wait_for_selector(f".people li:nth-child({PHONES})")
        for slug in SLUGS:
            page.wait_for_selector(f".histograms [data-technique={slug}] b:not(:has-text('–'))")
        page.evaluate(
            "window.long = []; new PerformanceObserver((list) => { for (const one of"
            " list.getEntries()) window.long.push(one.duration); }).observe({ type: 'longtask' });"
        )
        worst: list[float] = []
        while not worst or (min(worst) > LONG_MS and len(worst) < 6):
            page.wait_for_timeout(FEW_S * 1000)
            worst.append(max(page.evaluate("window.long.splice(0)"), default=0))
        assert min(worst) <= LONG_MS, worst
        eventually(lambda: states(page) == {"open"}, "all phones hear")
        told = audience(page)
        techniques = told["techniques"]
        assert set(techniques) == set(SLUGS)
        print({slug: one["typical_ms"] for slug, one in techniques.items()}, worst)
        # Asking on a timer is later than any stream, on a hundred phones as on one.
        assert techniques["polling"]["typical_ms"] > techniques["web_socket"]["typical_ms"]
        tell.write("drop 10\n")
        tell.flush()
        until(page, PEOPLE, lambda people: people == PHONES - 10)
        page.wait_for_selector(".people li[data-state=away]:nth-child(10)")
        page.evaluate(
            "import('/page/room.js').then(({ room }) => room.control('source', { rate: 0 }))"
        )

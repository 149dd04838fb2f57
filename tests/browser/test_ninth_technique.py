"""A technique that was added by four files and a row has its lane, its era and its words."""

from collections.abc import Iterator

import pytest

from tests.browser.watching import OpenPage, WaitForLanes, order
from tests.support.ninth import COLOR, SLUG, TITLE, add_technique
from tests.support.processes import Lecture
from wire.techniques import SLUGS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lecture]:
    class CopysLecture(Lecture):
        folder = tmp_path_factory.mktemp("copy") / "house"

    add_technique(CopysLecture.folder)
    lecture = CopysLecture()
    yield lecture
    lecture.stop()


def test_it_races_with_the_others_and_its_era_is_told_in_the_registrys_words(
    open_page: OpenPage, lecture: Lecture, wait_for_lanes: WaitForLanes
) -> None:
    order(lecture, "source", {"rate": 4})
    watched = open_page()
    page = watched.open("race")
    row = page.locator(f'#race tr[data-technique="{SLUG}"]')
    assert TITLE in row.locator("th").inner_text()
    assert row.locator(".marker").get_attribute("fill") == COLOR

    watched.open(f"timeline?era={SLUG}")
    page.wait_for_selector(f'a[data-era="{SLUG}"][aria-current]')
    told = page.locator(".era article").inner_text()
    assert TITLE in told
    assert "a test of the registry" in told
    assert page.locator(".era dt:visible").count() == 3  # nobody wrote what it could not do

    lanes = wait_for_lanes(page, lambda lane: lane["received"] >= 3)
    assert list(lanes) == [*SLUGS, SLUG]

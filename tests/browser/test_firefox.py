"""The same page in a second engine: its lanes receive in Firefox what they receive in Chromium."""

from collections.abc import Iterator

import pytest

from tests.browser.watching import LANES, Lanes, order
from tests.support.firefox import MISSING, PROGRAM, Firefox
from tests.support.processes import Lecture
from wire.techniques import SLUGS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(PROGRAM is None, reason=MISSING),
]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with Firefox(tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


def lanes_when(firefox: Firefox, fits: str) -> Lanes:
    """Return what the lanes know once each fits; the page asks itself, a few times a second."""
    found: Lanes = firefox.evaluate(f"""(async () => {{
      for (;;) {{
        const lanes = await ({LANES})();
        const all = Object.values(lanes);
        if (all.length && all.every((lane) => {fits})) return lanes;
        await new Promise((done) => setTimeout(done, 250));
      }}
    }})()""")
    return found


def test_each_technique_delivers_what_was_said_while_the_line_was_cut_too(
    firefox: Firefox, lecture: Lecture
) -> None:
    """Each module's coming back, by its cursor, is this engine's too."""
    order(lecture, "source", {"rate": 4})
    firefox.goto(f"{lecture.url}#race")
    firefox.evaluate("location.hash = 'timeline'")  # lanes go on, and nobody draws them
    found = lanes_when(firefox, "lane.received >= 5")
    assert set(found) == set(SLUGS)
    assert all(lane["lost"] == lane["repeated"] == 0 for lane in found.values())

    order(lecture, "source", {"rate": 0})
    seen = max(lane["newest"] for lane in firefox.evaluate(f"({LANES})()").values())
    order(lecture, "cut", {"seconds": 1})
    order(lecture, "burst", {"count": 6})
    found = lanes_when(firefox, f"lane.newest >= {seen + 6}")
    assert all(lane["lost"] == lane["repeated"] == lane["gaps"] == 0 for lane in found.values())

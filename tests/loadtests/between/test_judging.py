"""From what was seen to one word."""

import pytest

from loadtests.between.judging import Seen, judge
from loadtests.between.ways import Origin, Way

WAY = Way("it", "push", "in front", "http://a", Origin("http://b", 1), "c", 2, "http")
CAME = (1.0, 2.0, 3.0)


def seen(stage: str, latencies_ms: tuple[float, ...] = CAME, **more: object) -> Seen:
    told = {"went_up": True, **more}
    return Seen(3, str(told.pop("slug", "sse")), stage, latencies_ms, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (seen("end"), "passes"),
        (seen("open", (), status=426, error="no"), "refused (426)"),
        (seen("open", (), error="closed"), "refused"),
        (seen("open", (), said_nothing=True, error="nothing"), "held"),
        (seen("flow", (1.0,)), "held"),
        (seen("flow", (), status=504, error="too late"), "refused (504)"),
        (seen("flow", (1.0,), after_s=15.0, error="cut"), "cut after 15 s of use"),
        (seen("up", went_up=False), "half"),
        (seen("up", went_up=False, status=413, error="too long"), "half (413)"),
        (seen("end", (209.0, 210.0, 900.0)), "late by 208 ms"),
        (seen("end", (1.0, 210.0, 900.0)), "late by 208 ms"),  # one had luck
        (seen("end", (2.0, 3.0, 900.0)), "passes"),
        (seen("silence", after_s=60.2, error="cut"), "cut after 60 s"),
        (seen("silence", after_s=60.2, status=504, error="cut"), "cut after 60 s"),
        (
            seen("silence", (210.0,) * 3, after_s=50.0, error="cut"),
            "late by 208 ms, cut after 50 s",
        ),
        (seen("end", (200.0, 210.0, 300.0), slug="polling"), "passes"),  # a tick is not late
        (seen("end", (800.0, 810.0, 900.0), slug="polling"), "late by 808 ms"),
    ],
)
def test_what_was_seen_has_a_word(found: Seen, text: str) -> None:
    assert judge(WAY, found, seen("end"), len(CAME)).text == text

"""What a cell that takes long says meanwhile, and where it says nothing."""

from notebooks.course.progress import Progress, planned_s, what_runs


def test_outside_of_a_kernel_nothing_is_shown() -> None:
    with Progress().line("feed", 3) as tick:
        tick({})


def test_what_runs_is_said_in_a_few_words() -> None:
    assert what_runs("nagle", 0, {}) == "nagle"
    assert what_runs("feed", 25, {"technique": "sse"}) == "feed (sse, 25 ms away)"
    assert what_runs("feed", 0, {"technique": ["sse", "polling"]}) == "feed (2 techniques)"


def test_how_long_it_will_take_is_said_as_far_as_it_was_asked() -> None:
    assert planned_s({"rate": 20, "count": 60}) == 3
    assert planned_s({"seconds": 6.0, "rate": 50}) == 6
    assert planned_s({"count": 60}) == 0

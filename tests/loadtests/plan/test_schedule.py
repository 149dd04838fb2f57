"""The schedule is pure: the same pace gives the same times, and as many as the rate says."""

import statistics
from itertools import islice, pairwise
from typing import Any

import pytest

from loadtests.plan.schedule import (
    SPIKE_FROM_S,
    SPIKE_TIMES,
    SPIKE_UNTIL_S,
    STEP_S,
    Pace,
    due_times,
    due_within,
    rate_at,
)


def test_constant_times_are_multiples_of_the_interval() -> None:
    assert due_within(Pace(20), 0.2) == [0.0, 0.05, 0.1, 0.15]


def test_a_constant_pace_does_not_drift() -> None:
    millionth = next(islice(due_times(Pace(3)), 3_000_000, None))
    assert millionth == 1_000_000.0


def test_a_poisson_pace_is_repeated_by_its_seed_and_no_other() -> None:
    first = due_within(Pace(50, "poisson", seed=1), 10)
    assert first == due_within(Pace(50, "poisson", seed=1), 10)
    assert first != due_within(Pace(50, "poisson", seed=2), 10)


def test_poisson_intervals_have_the_mean_and_the_spread_of_chance() -> None:
    times = list(islice(due_times(Pace(50, "poisson", seed=1)), 20_000))
    gaps = [b - a for a, b in pairwise(times)]
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.03)


def test_times_never_go_back() -> None:
    for arrivals in ("constant", "poisson"):
        for shape in ("steady", "steps", "spike"):
            times = due_within(Pace(20, arrivals, shape), 30)
            assert times == sorted(times)


def test_steps_add_the_rate_again_and_again() -> None:
    pace = Pace(10, shape="steps")
    assert [rate_at(pace, t) for t in (0, STEP_S - 0.1, STEP_S, 2 * STEP_S)] == [10, 10, 20, 30]
    assert len(due_within(pace, 2 * STEP_S)) == pytest.approx(10 * STEP_S + 20 * STEP_S, abs=2)


def test_a_spike_is_tenfold_and_passes() -> None:
    pace = Pace(10, shape="spike")
    assert rate_at(pace, SPIKE_FROM_S - 0.1) == 10
    assert rate_at(pace, SPIKE_FROM_S) == 10 * SPIKE_TIMES
    assert rate_at(pace, SPIKE_UNTIL_S) == 10


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"rate": 1, "arrivals": "sometimes"}, {"rate": 1, "shape": "round"}]
)
def test_an_impossible_pace_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rate|arrivals|shape"):
        Pace(**wrong)

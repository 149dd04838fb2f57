"""A tally counts exactly like the HdrHistogram that it becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.measures.tally import Tally
from results.record.histogram import HIGHEST_NS, new_histogram, record_ns

TIMES = st.lists(st.integers(0, 2 * HIGHEST_NS), max_size=50)


@given(TIMES)
def test_the_counts_are_those_of_a_histogram(times: list[int]) -> None:
    tally, histogram = Tally(), new_histogram()
    for nanoseconds in times:
        tally.record(nanoseconds)
        record_ns(histogram, nanoseconds)
    made = tally.histogram()
    assert bytes(made.counts) == bytes(histogram.counts)
    assert made.get_total_count() == len(times) == tally.count


@given(TIMES, TIMES)
def test_merging_is_counting_together(first: list[int], second: list[int]) -> None:
    one, two, both = Tally(), Tally(), Tally()
    for tally, times in ((one, first), (two, second), (both, first + second)):
        for nanoseconds in times:
            tally.record(nanoseconds)
    one.merge(two.items())
    assert one == both


def test_a_time_below_none_is_no_time() -> None:
    with pytest.raises(ValueError, match="-1 ns"):
        Tally().record(-1)


def test_three_digits_are_kept() -> None:
    tally = Tally()
    tally.record(123_456_789)
    (bin_edge,) = tally
    assert 0 <= 123_456_789 - bin_edge < 123_456_789 / 1000

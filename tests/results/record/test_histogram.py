"""Histograms keep three digits, drop nothing, and merge exactly."""

import math

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from results.errors import ResultsError
from results.record.histogram import (
    HIGHEST_NS,
    curve,
    decode,
    encode,
    mean_ms,
    merge,
    new_histogram,
    percentiles_ms,
    range_ms,
    record_ns,
    recorded,
)

TIMES = st.lists(st.integers(0, HIGHEST_NS), min_size=1, max_size=50)


def of(times: list[int]) -> HdrHistogram:
    histogram = new_histogram()
    for time in times:
        record_ns(histogram, time)
    return histogram


@settings(max_examples=40, deadline=None)
@given(TIMES, TIMES)
def test_merging_equals_recording_all(a: list[int], b: list[int]) -> None:
    merged = merge([decode(encode(of(a))), decode(encode(of(b)))])
    assert [*recorded(merged)] == [*recorded(of(a + b))]
    assert merged.get_total_count() == len(a) + len(b)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, HIGHEST_NS), max_size=3), max_size=4))
def test_merging_keeps_the_range_whatever_is_empty(parts: list[list[int]]) -> None:
    """A repeat that lost everything has an empty histogram: no value, not even 0."""
    merged = merge(map(of, parts))
    times = [time for part in parts for time in part]
    assert merged.get_total_count() == len(times)
    assert range_ms(merged) == pytest.approx(range_ms(of(times)), nan_ok=True)
    assert mean_ms(merged) == pytest.approx(mean_ms(of(times)), nan_ok=True)


@pytest.mark.parametrize("time", [1_000, 1_234, 987_654, 25_000_000, 99_999_999_999, HIGHEST_NS])
def test_three_digits_from_a_microsecond_on(time: int) -> None:
    assert percentiles_ms(of([time]), 50) == pytest.approx([time / 1e6], rel=1e-3)


def test_nothing_is_dropped() -> None:
    histogram = of([-5, 0, HIGHEST_NS * 7])
    assert histogram.get_total_count() == 3
    assert percentiles_ms(histogram, 100) == pytest.approx([HIGHEST_NS / 1e6], rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(TIMES)
def test_curve_is_the_distribution(times: list[int]) -> None:
    values, shares = curve(of(times))
    assert values == sorted(values)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    for value, share in zip(values, shares, strict=True):
        below = sum(time / 1e6 <= value for time in times)
        assert share == pytest.approx(below / len(times))


def test_curve_of_nothing_is_empty() -> None:
    assert curve(new_histogram()) == ([], [])


def test_rubbish_is_refused() -> None:
    with pytest.raises(ResultsError, match="not an encoded HdrHistogram"):
        decode("rubbish")


@settings(max_examples=40, deadline=None)
@given(TIMES, st.sampled_from([1, 29, 50, 90, 99, 99.9, 100]))
def test_percentile_is_the_nearest_rank(times: list[int], percent: float) -> None:
    rank = max(math.ceil(len(times) * percent / 100 - 1e-9), 1)
    expected = sorted(times)[rank - 1] / 1e6
    assert percentiles_ms(of(times), percent) == pytest.approx([expected], rel=1e-3, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(TIMES)
def test_mean(times: list[int]) -> None:
    expected = sum(times) / len(times) / 1e6
    assert mean_ms(of(times)) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_nothing_measured_is_not_zero() -> None:
    nothing = new_histogram()
    values = [*percentiles_ms(nothing, 50, 99), mean_ms(nothing), *range_ms(nothing)]
    assert all(math.isnan(value) for value in values)

"""Quantiles of a few values."""

from results.record.quantiles import quantile, worst_tenth


def test_the_worst_tenth_is_never_the_single_worst() -> None:
    assert worst_tenth([]) == worst_tenth([7.0]) == 0
    assert worst_tenth([1.0, 2.0, 104.0]) == 2
    assert worst_tenth([1.0] * 8 + [180.0] * 2) == 180
    assert worst_tenth([1.0] * 28 + [9.0, 8.0]) == 1


def test_quantile() -> None:
    assert quantile([], 0.5) == 0
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([4, 1, 2, 3], 0.5) == 2.5
    assert quantile(list(range(10)), 0.9) == 9

"""The statistics of pairs, on values that stand in every table of them."""

import math

import numpy as np
import pytest

from results.paired import exceeds_p, holm, interval, middle, pairs_needed


def test_p_of_pairs_that_all_agree_is_two_of_all_signs() -> None:
    assert exceeds_p([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == pytest.approx(2 / 64)
    assert exceeds_p([-1.0, -2.0, -3.0, -4.0, -5.0]) == pytest.approx(2 / 32)


def test_p_of_a_known_example() -> None:
    # Ranks 1 to 8 with 3 against: W = 3 has 5 of 256 ways (0, 1, 2, 3, 1+2).
    assert exceeds_p([1, 2, -3, 4, 5, 6, 7, 8]) == pytest.approx(2 * 5 / 256)


def test_nothing_and_ties_are_no_difference() -> None:
    assert exceeds_p([]) == exceeds_p([0.0, 0.0]) == 1.0
    assert exceeds_p([1.0, -1.0, 1.0, -1.0]) == 1.0


def test_a_margin_asks_whether_it_is_exceeded() -> None:
    values = [0.11, 0.12, 0.09, 0.13, 0.10, 0.14, 0.08]
    assert exceeds_p(values) < 0.05
    assert exceeds_p(values, margin=0.05) < 0.05
    assert exceeds_p(values, margin=0.11) > 0.5
    assert exceeds_p([-value for value in values], margin=0.05) == exceeds_p(values, margin=0.05)


def test_the_interval_holds_the_middle_and_needs_six() -> None:
    assert all(map(math.isnan, interval([1.0, 2.0, 3.0, 4.0, 5.0])))
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == (1.0, 6.0)
    assert middle([1.0, 2.0, 9.0]) == 3.5  # of 1, 1.5, 2, 5, 5.5, 9
    assert math.isnan(middle([]))


def test_the_interval_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        low, high = interval(list(random.normal(3.0, 1.0, 8)))
        hits += low <= 3.0 <= high
    assert hits >= 275  # of 300; 95 % are 285


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.9]) == [1.0, 1.0]


def test_so_many_pairs_can_be_significant_and_one_less_cannot() -> None:
    for tests in (1, 2, 8, 32):
        n = pairs_needed(tests)
        assert 2 / 2**n * tests <= 0.05 < 2 / 2 ** (n - 1) * tests

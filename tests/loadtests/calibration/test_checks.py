"""A check passes at its tolerance and fails beyond."""

from loadtests.calibration.checks import at_most, exactly, within, within_share


def test_exactly_allows_nothing() -> None:
    assert exactly("heads", 6, 6, "bytes").passed
    assert not exactly("heads", 6, 7, "bytes").passed


def test_within_allows_both_sides() -> None:
    assert within("loss", 0.5, 0.55, 0.0501, "share").passed
    assert not within("loss", 0.5, 0.44, 0.05, "share").passed


def test_a_share_of_what_is_expected() -> None:
    check = within_share("mean", 525, 570, 0.1, "ms")
    assert check.passed
    assert check.tolerance == 52.5
    assert not within_share("mean", 525, 580, 0.1, "ms").passed


def test_a_limit_has_one_side() -> None:
    assert at_most("worst", 75, 1, 10, "ms").passed
    assert at_most("worst", 75, 85, 10, "ms").passed
    assert not at_most("worst", 75, 85.1, 10, "ms").passed

"""A wrong number is told where it was given, in words; a right one is taken as it is."""

from argparse import ArgumentTypeError

import pytest

from loadtests.plan.amounts import AT_LEAST_ONE, POSITIVE, Amount


def test_numbers_come_back_in_their_kind() -> None:
    assert AT_LEAST_ONE("3") == 3
    assert isinstance(AT_LEAST_ONE("3"), int)
    assert POSITIVE("0.25") == 0.25


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "", "ten"])
def test_a_refusal_says_what_is_accepted(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="is not a finite number greater than 0"):
        POSITIVE(text)


def test_a_limit_on_both_sides_is_named() -> None:
    port = Amount(int, most=65_535)
    assert port("65535") == 65_535
    with pytest.raises(ArgumentTypeError, match="a whole number from 0 to 65,535"):
        port("65536")


def test_what_may_be_negative_is_still_a_finite_number() -> None:
    seed = Amount(int, least=None)
    assert seed("-7") == -7
    with pytest.raises(ArgumentTypeError, match=r"'inf' is not a whole number$"):
        seed("inf")

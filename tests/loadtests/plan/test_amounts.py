"""A wrong number is told where it was given, in words; a right one is taken as it is."""

from argparse import ArgumentTypeError

import pytest

from loadtests.plan.amounts import AMOUNTS, AT_LEAST_ONE, POSITIVE, complaint


def test_numbers_come_back_in_their_kind():
    assert AT_LEAST_ONE("3") == 3
    assert isinstance(AT_LEAST_ONE("3"), int)
    assert POSITIVE("0.25") == 0.25


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "", "ten"])
def test_a_refusal_says_what_is_accepted(text):
    with pytest.raises(ArgumentTypeError, match="is not a finite number greater than 0"):
        POSITIVE(text)


def test_a_limit_on_both_sides_is_named():
    assert AMOUNTS["size"]("4000000") == 4_000_000
    with pytest.raises(ArgumentTypeError, match="a whole number from 0 to 4,000,000"):
        AMOUNTS["size"]("4000001")


def test_a_form_is_judged_by_the_names_of_the_settings():
    assert complaint({"rate": "20", "scenario": "feed", "host": ""}) == ""
    assert complaint({"poll_interval": ""}).startswith("Poll interval: ")
    assert "greater than 0" in complaint({"rate": "0"})

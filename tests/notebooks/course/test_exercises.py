"""What the notebooks say to the reader."""

from fractions import Fraction

import numpy as np
import pytest

from notebooks.course.errors import LabError
from notebooks.course.exercises import beside, check, questions, reveal, show


def test_what_a_machine_measures_may_be_missed_by_a_share() -> None:
    said = reveal(100, 105, "ms", within=0.25)
    assert repr(said) == "you said 100; measured: 105 ms: well predicted"
    assert "2 times too high" in reveal(200, 100, within=0.25)
    assert "4 times too low" in reveal(25, 100, within=0.25)
    assert "40 too high" in reveal(140, 100, within=0.25)
    assert "not that way round" in reveal(-3, 5, within=0.25)


@pytest.mark.parametrize(
    ("guess", "found", "verdict"),
    [
        (17, 17, "right"),
        (17.0, 17, "right"),
        (20, 17, "3 too high"),
        (7, 8, "1 too low"),
        (3, 0, "3 too high"),
        (0, 0, "right"),
        (697, 696.8, "right"),
        (696.8, 696.8, "right"),
        (700, 696.8, "3.2 too high"),
        (665, 696.8, "31.8 too low"),
        (3.8, 3.76, "right"),
        (3.7, 3.76, "0.06 too low"),
    ],
)
def test_what_is_counted_is_right_or_not(guess: float, found: float, verdict: str) -> None:
    assert reveal(guess, found).endswith(f": {verdict}")


@pytest.mark.parametrize("yes", [True, 1, "yes", "Yes ", "true"])
def test_a_question_for_yes_or_no_says_right_or_wrong(yes: object) -> None:
    assert reveal(yes, True) == "you said yes; measured: yes: right"
    assert reveal(yes, False) == "you said yes; measured: no: wrong"
    assert reveal("no", False).endswith("right")
    assert "True or False here, not 0.5" in reveal(0.5, True)
    assert "no prediction" in reveal(..., True)


def test_no_prediction_and_no_number_get_a_word() -> None:
    assert "no prediction" in reveal(..., 5)
    assert "a number, not 'x'" in reveal("x", 5)
    assert "a number, not nan" in reveal(float("nan"), 5.5)


@pytest.mark.parametrize(
    ("guess", "found", "unit", "other"),
    [
        (0.044, 44.2, "ms", "seconds"),
        (44_000, 44.2, "ms", "microseconds"),
        (52, 0.521, "a share from 0 to 1", "percent"),
        (1229, 1.2, "KiB of the server's", "bytes"),
    ],
)
def test_a_slip_of_units_gets_its_hint(guess: float, found: float, unit: str, other: str) -> None:
    said = reveal(guess, found, unit, within=0.25)
    assert f"That looks like {other}; asked for was {unit.split(' of')[0]}." in said


def test_exercises_know_slips_of_units_and_near_misses() -> None:
    assert "looks like seconds" in check("00.1", 0.08).text
    assert "worked out exactly" in check("00.1", 81).text


def test_an_arithmetic_answer_has_to_be_exact() -> None:
    for key, question in questions().items():
        if question["kind"] == "number" and "within" not in question:
            assert check(key, question["right"]).passed, key
            assert not check(key, question["right"] * 1.001).passed, key


def test_the_order_of_choices_tells_nothing() -> None:
    places = []
    for key, question in questions().items():
        if question["kind"] == "choice":
            listed = check(key, "what?").text.partition("one of ")[2].rstrip(".").split(", ")
            assert set(listed) == set(map(repr, question["choices"])), key
            assert check(key, "what?") == check(key, "again"), key
            places.append(listed.index(repr(question["right"])))
    assert all(places.count(place) <= len(places) / 2 for place in range(4))
    assert set(places) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("06.4", 1002),
        ("06.4", 1002.0),
        ("00.4", "WebSocket"),
        ("01.4", "T+R"),
        ("12.1", " Polling"),
    ],
)
def test_a_right_choice_is_understood_however_it_is_written(key: str, answer: object) -> None:
    assert check(key, answer).passed


def test_a_wrong_choice_is_understood_as_a_number_too() -> None:
    assert check("07.3", 50).text == check("07.3", "50").text
    assert "Choose one" in check("07.3", True).text
    assert "in quotes" in check("06.1", 42).text


def test_an_unknown_question_is_named() -> None:
    with pytest.raises(LabError, match=r"no question '99\.9'"):
        check("99.9", 1)


def test_a_function_that_is_none_gets_a_word() -> None:
    assert "The answer is a function" in check("01.5", 225).text
    assert "returned nothing" in check("01.5", lambda interval, delay: None).text
    assert "expected is 225" in check("01.5", lambda interval, delay: 1).text


@pytest.mark.parametrize("silly", [10**400, float("nan"), float("inf"), 1j, None, "80 ms", b"80"])
def test_what_is_no_number_gets_a_word(silly: object) -> None:
    assert "The answer is a number" in check("00.1", silly).text
    assert "a prediction is a number" in str(reveal(silly, 3))
    assert not check("00.3", silly).passed


def test_numbers_of_every_library_are_numbers() -> None:
    for given in (np.int64(80), np.float32(80), Fraction(160, 2)):
        assert check("00.1", given).passed
        assert str(reveal(given, 80)).endswith("right")


def test_what_nobody_has_filled_in_is_open_and_not_wrong() -> None:
    def begun(interval: float, delay: float) -> object:
        return ...

    answer = check("01.5", begun)
    assert not answer.answered
    assert "not answered yet" in answer.text


def test_what_is_shown_beside_a_prediction_hides_no_mark() -> None:
    shown = reveal(2, 2, "messages", also=[1, 3])
    assert str(shown).endswith(": right · [1, 3]")
    assert "duplex-right" in shown._repr_html_()  # type: ignore[attr-defined]


def test_nothing_hides_in_shown_bytes() -> None:
    assert show(b"a\r\nb\0\xff\t") == "a\\r\\n\nb\\0[ff]\\t"
    assert show(bytes(5), 2) == "\\0\\0 … (5 bytes in all)"


def test_measured_and_model_stand_side_by_side() -> None:
    text = beside("ms", mean=({"mean": 45.3, "low": 42.0, "high": 48.0}, 43.3), worst=(78, 75))
    first, second = text.split("\n")
    assert first.split() == ["mean", "measured", "45.3", "(42", "to", "48)", "model", "43.3", "ms"]
    assert second.split() == ["worst", "measured", "78", "model", "75", "ms"]

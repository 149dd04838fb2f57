"""What the notebooks say to the reader."""

import pytest

from notebooks.course.exercises import beside, check, reveal, show
from results.errors import ResultsError


def test_a_prediction_is_set_beside_the_measurement() -> None:
    assert repr(reveal(100, 105, "ms")) == "you said 100; measured: 105 ms: well predicted"
    assert "2 times too high" in reveal(200, 100)
    assert "4 times too low" in reveal(25, 100)
    assert "no prediction" in reveal(..., 5)
    assert "a number, not 'x'" in reveal("x", 5)
    assert "you said 3; measured: 0" in reveal(3, 0)
    assert "not that way round" in reveal(-3, 5)


def test_a_measured_question_takes_its_right_answer_from_the_machine() -> None:
    assert check("00.1", 55, measured=55.5).passed
    assert not check("00.1", 80, measured=55.5).passed


def test_an_unknown_question_is_named() -> None:
    with pytest.raises(ResultsError, match=r"no question '99\.9'"):
        check("99.9", 1)


def test_a_function_that_is_none_gets_a_word() -> None:
    assert "The answer is a function" in check("01.5", 225).text
    assert "returned nothing" in check("01.5", lambda interval, delay: None).text
    assert "expected is 225" in check("01.5", lambda interval, delay: 1).text


def test_nothing_hides_in_shown_bytes() -> None:
    assert show(b"a\r\nb\0\xff\t") == "a\\r\\n\nb\\0[ff]\\t"
    assert show(bytes(5), 2) == "\\0\\0 … (5 bytes in all)"


def test_measured_and_model_stand_side_by_side() -> None:
    text = beside("ms", mean=({"mean": 45.3, "low": 42.0, "high": 48.0}, 43.3), worst=(78, 75))
    first, second = text.split("\n")
    assert first.split() == ["mean", "measured", "45.3", "(42", "to", "48)", "model", "43.3", "ms"]
    assert second.split() == ["worst", "measured", "78", "model", "75", "ms"]

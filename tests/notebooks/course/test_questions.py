"""Each exercise can be solved, tells typical mistakes apart, and is not solved untouched."""

import linecache
from typing import Any

import pytest

from notebooks.course.exercises import Answer, check, questions
from tests.notebooks import programs
from tests.notebooks.books import exercises, solve
from tests.notebooks.solutions import SOLUTIONS, WRONG

EXERCISES = exercises()
IS_SERVED = ("14.3",)  # by a process, under a load of another
SOLVED = {**SOLUTIONS, **programs.SOLUTIONS}
MISTAKEN = {**WRONG, **programs.WRONG}


def run(text: str) -> Answer:
    """Run an exercise's cell by itself and return what its check said."""
    said: list[Answer] = []

    def hear(key: str, *answer: Any) -> None:
        said.append(check(key, *answer))

    # As a kernel does, so that a program's lines can be read.
    name = f"<cell {text[-40:]}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), {"check": hear})
    assert len(said) == 1
    return said[0]


def test_every_question_has_an_exercise_and_a_solution() -> None:
    assert set(EXERCISES) == set(questions()) == set(SOLVED) == set(MISTAKEN)


@pytest.mark.parametrize("key", EXERCISES)
def test_untouched_does_not_pass(key: str) -> None:
    answer = run(EXERCISES[key])
    assert not answer.passed
    assert key in answer.text


@pytest.mark.parametrize("key", [key for key in SOLVED if key not in IS_SERVED])
def test_solution_passes(key: str) -> None:
    """Those of what is served pass where their notebook is executed."""
    answer = run(solve(EXERCISES[key], SOLVED[key]))
    assert answer.passed, answer.text
    assert "right" in answer.text


@pytest.mark.parametrize(
    ("key", "wrong", "hint"),
    [
        pytest.param(key, wrong, hint, marks=[pytest.mark.slow] * ("under load" in hint))
        for key, cases in MISTAKEN.items()
        for wrong, hint in cases
    ],
)
def test_typical_mistake_gets_its_hint(key: str, wrong: str, hint: str) -> None:
    answer = run(solve(EXERCISES[key], wrong))
    assert not answer.passed
    assert hint in answer.text


def test_every_hint_is_reachable() -> None:
    # A hint whose value is within the tolerance of the right answer could never be said.
    for key, question in questions().items():
        for hint in question.get("hints", ()):
            assert not check(key, hint["value"]).passed, key
            assert hint["says"] in check(key, hint["value"]).text, key

"""Judges of answers, by the kind of question: each says what is wrong, or nothing.

Questions are data: ``notebooks/course/questions.toml``, by notebook and number.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any
from zlib import crc32

from notebooks.course.building import PROGRAMS
from notebooks.course.units import slip
from notebooks.course.words import say
from results.errors import ResultsError

QUESTIONS = Path(__file__).with_name("questions.toml")
_CLOSE = 0.05


@cache
def questions() -> dict[str, dict[str, Any]]:
    """Return all questions by their number, ``"01.1"`` for the first of notebook 01."""
    found = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    for key, question in found.items():
        if question.get("kind") not in (*_JUDGES, "program") or not question.get("why"):
            kinds = ", ".join((*_JUDGES, "program"))
            raise ResultsError(f"question {key} needs a kind ({kinds}) and a why")
    return found


def judge(key: str, answer: Any) -> tuple[str, str]:
    """Say what is wrong with an answer to a question, or which typical mistake; "" if nothing.

    The second is what was found besides, of an answer that is right.
    """
    question = questions()[key]
    if question["kind"] == "program":
        if not isinstance(answer, type):
            asked = "The answer is a class, such as the one that is begun here, not {answer!r}."
            return say(asked, answer=answer), ""
        return PROGRAMS[question["program"]](answer)
    return _JUDGES[question["kind"]](question, answer), ""


def choices(key: str) -> dict[str, str]:
    """Return the choices of a question in the reader's words, in an order that tells nothing."""
    return {one: say(one) for one in _shuffled(questions()[key].get("choices", ()))}


def _judge_number(question: dict[str, Any], answer: Any) -> str:
    unit = question.get("unit", "no unit")
    given = answer
    if (answer := number(given)) is None:
        return say("The answer is a number ({unit}), not {answer!r}.", unit=say(unit), answer=given)
    right, within = question["right"], question.get("within", 0)
    if _near(answer, right, within):
        return ""
    for hint in question.get("hints", ()):
        if _near(answer, hint["value"], within):
            return say(hint["says"])
    if said := slip(answer, right, unit, within):
        return said
    if _near(answer, right, _CLOSE):
        if within:
            return say("Round less.")
        return say("Close, but this can be worked out exactly.")
    if "hint" in question:
        return say(question["hint"])
    if answer > right:
        return say("Too high: look at the formula above again.")
    return say("Too low: look at the formula above again.")


def number(answer: Any) -> float | None:
    """Return what somebody gave as a number, of whatever library; nothing if it is none."""
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return None
    try:
        found = float(answer)
    except OverflowError:
        return None
    return found if isfinite(found) else None


def _near(answer: float, right: float, within: float) -> bool:
    return abs(answer - right) <= (within + 1e-9) * abs(right)


def _judge_choice(question: dict[str, Any], answer: Any) -> str:
    choices = question["choices"]
    # Chosen in the reader's language, a word is as good as the one in the code.
    named = {_letters(say(choice)): choice for choice in choices}
    named |= {_letters(choice): choice for choice in choices}
    chosen = named.get(_letters(answer))
    if chosen is None:
        return say("Choose one of {these}.", these=", ".join(map(repr, _shuffled(choices))))
    return "" if chosen == question["right"] else say(choices[chosen])


def _shuffled(choices: Iterable[str]) -> list[str]:
    """Return choices in an order that tells nothing, and is the same each time."""
    return sorted(choices, key=lambda one: crc32(f"{one} of {len(one)}".encode()))


def _letters(answer: Any) -> str:
    """Return a choice without spaces and capitals; a number is as good as its text."""
    if (given := number(answer)) is not None:
        answer = f"{given:g}"
    return re.sub(r"[\s_]", "", answer).lower() if isinstance(answer, str) else ""


def _judge_text(question: dict[str, Any], answer: Any) -> str:
    if not isinstance(answer, str):
        return say("The answer is a text, in quotes, not {answer!r}.", answer=answer)
    if answer.strip() == question["right"]:
        return ""
    for hint in question["hints"]:
        if answer.strip() == hint["value"]:
            return say(hint["says"])
    return say(question["hint"])


def _judge_function(question: dict[str, Any], answer: Any) -> str:
    if not callable(answer):
        asked = "The answer is a function, such as the one that is begun here, not {answer!r}."
        return say(asked, answer=answer)
    for case in question["cases"]:
        given = [_value(item) for item in case["given"]]
        try:
            got = answer(*given)
        except Exception as error:  # the reader's own code: whatever it raises is an answer
            name = type(error).__name__
            raised = "For {given} it raised {name}: {error}."
            return say(raised, given=_call(given), name=name, error=error)
        if got is ... or got is None:
            nothing = "For {given} it returned nothing: is the dots' place filled?"
            return say(nothing, given=_call(given))
        expected = _value(case["gives"])
        if _same(got, expected, question.get("within", 1e-9)):
            continue
        for hint in case.get("hints", ()):
            if _same(got, _value(hint["value"]), question.get("within", 1e-9)):
                return say(hint["says"])
        other = "For {given} it returned {got!r}; expected is {expected!r}."
        return say(other, given=_call(given), got=got, expected=expected)
    return ""


def _value(item: Any) -> Any:
    """Bytes are written ``{hex = "..."}`` in the questions."""
    if isinstance(item, dict) and set(item) == {"hex"}:
        return bytes.fromhex(item["hex"])
    return [_value(one) for one in item] if isinstance(item, list) else item


def _same(got: Any, expected: Any, within: float) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return got is expected
    if isinstance(expected, (int, float)) and isinstance(got, (int, float)):
        return abs(got - expected) <= within * max(abs(expected), 1e-9)
    if isinstance(expected, list) and isinstance(got, (list, tuple)):
        return len(got) == len(expected) and all(
            _same(one, other, within) for one, other in zip(got, expected, strict=True)
        )
    return bool(got == expected)


def _call(given: list[Any]) -> str:
    return ", ".join(repr(item) for item in given)


_JUDGES: dict[str, Callable[[dict[str, Any], Any], str]] = {
    "number": _judge_number,
    "choice": _judge_choice,
    "text": _judge_text,
    "function": _judge_function,
}

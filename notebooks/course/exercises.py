"""What the notebooks say to the reader: predictions revealed, exercises checked.

``reveal`` sets a prediction beside what was measured; ``check`` looks at the answer to one
exercise and says what is right, or what the typical mistake behind a wrong answer is. Questions
are data: ``notebooks/course/questions.toml``, by notebook and number. Nothing here raises because
of a wrong answer, so that a notebook runs through untouched.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from results.errors import ResultsError

QUESTIONS = Path(__file__).with_name("questions.toml")
_KINDS = ("number", "choice", "text", "function")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an answer: ``passed``, and ``text`` for the reader."""

    passed: bool
    text: str

    def __repr__(self) -> str:
        """Show the text as the cell's result."""
        return self.text


@cache
def questions() -> dict[str, dict[str, Any]]:
    """Return all questions by their number, ``"01.1"`` for the first of notebook 01."""
    found = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    for key, question in found.items():
        if question.get("kind") not in _KINDS or not question.get("why"):
            raise ResultsError(f"question {key} needs a kind ({', '.join(_KINDS)}) and a why")
    return found


def check(key: str, answer: Any, measured: float | None = None) -> Answer:
    """Check the answer to question ``key``.

    ``measured`` is the right value of a question whose answer is what this machine just measured.
    Raises :class:`~results.errors.ResultsError` for a question that does not exist.
    """
    if key not in questions():
        raise ResultsError(f"there is no question {key!r}; there are {', '.join(questions())}")
    question = questions()[key]
    if answer is ...:
        return Answer(
            False, f"{key}: not answered yet. Put your answer in place of the dots (...)."
        )
    judge: dict[str, Callable[[dict[str, Any], Any, float | None], str]] = {
        "number": _judge_number,
        "choice": _judge_choice,
        "text": _judge_text,
        "function": _judge_function,
    }
    wrong = judge[question["kind"]](question, answer, measured)
    if wrong:
        return Answer(False, f"{key}: not yet. {wrong}")
    return Answer(True, f"{key}: right. {question['why']}")


def reveal(guess: Any, measured: float, unit: str = "") -> str:
    """Set a prediction beside the measured value; a guess of ``...`` counts as none."""
    said = f"measured: {_short(measured)} {unit}".rstrip()
    if guess is ...:
        return _Text(f"{said} (you made no prediction: try one before you look)")
    if not isinstance(guess, (int, float)) or isinstance(guess, bool):
        return _Text(f"{said} (a prediction is a number, not {guess!r})")
    if measured == 0:
        return _Text(f"you said {_short(guess)}; {said}")
    ratio = guess / measured
    if 0.8 <= ratio <= 1.25:
        verdict = "well predicted"
    elif ratio > 0:
        verdict = f"{_short(max(ratio, 1 / ratio))} times too {'high' if ratio > 1 else 'low'}"
    else:
        verdict = "not that way round"
    return _Text(f"you said {_short(guess)}; {said}: {verdict}")


def show(data: bytes, most: int = 1200) -> str:
    r"""Return bytes as text in which nothing hides: ``\r``, ``\n``, ``\0``, others as ``[hex]``."""
    marks = {0: "\\0", 9: "\\t", 10: "\\n\n", 13: "\\r"}
    shown = "".join(
        marks.get(byte, chr(byte) if 32 <= byte < 127 else f"[{byte:02x}]") for byte in data[:most]
    )
    return _Text(shown + (f" … ({len(data):,} bytes in all)" if len(data) > most else ""))


def beside(unit: str, **pairs: tuple[Any, float]) -> str:
    """Set measured values beside their models: ``beside("ms", mean=(measured, model))``.

    A measured value may be a summary with ``mean``, ``low`` and ``high``.
    """
    lines = []
    for name, (measured, model) in pairs.items():
        if isinstance(measured, dict):
            low, high = _short(measured["low"]), _short(measured["high"])
            said = f"{_short(measured['mean'])} ({low} to {high})"
        else:
            said = _short(measured)
        lines.append(f"{name:10} measured {said:24} model {_short(model)} {unit}")
    return _Text("\n".join(lines))


class _Text(str):
    """A string that a notebook shows without its quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _judge_number(question: dict[str, Any], answer: Any, measured: float | None) -> str:
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return f"The answer is a number ({question.get('unit', 'no unit')}), not {answer!r}."
    right = question["right"] if measured is None else measured
    within = question.get("within", 0.02)
    if abs(answer - right) <= within * abs(right) + 1e-12:
        return ""
    for hint in question.get("hints", ()):
        if abs(answer - hint["value"]) <= within * abs(hint["value"]) + 1e-12:
            return str(hint["says"])
    return str(question.get("hint", "")) or (
        "Too " + ("high" if answer > right else "low") + ": look at the formula above again."
    )


def _judge_choice(question: dict[str, Any], answer: Any, _: float | None) -> str:
    choices = question["choices"]
    if not isinstance(answer, str) or answer.strip().lower() not in choices:
        return f"Choose one of {', '.join(map(repr, choices))}."
    chosen = answer.strip().lower()
    return "" if chosen == question["right"] else str(choices[chosen])


def _judge_text(question: dict[str, Any], answer: Any, _: float | None) -> str:
    if not isinstance(answer, str):
        return f"The answer is a text, not {answer!r}."
    if answer.strip() == question["right"]:
        return ""
    for hint in question["hints"]:
        if answer.strip() == hint["value"]:
            return str(hint["says"])
    return str(question["hint"])


def _judge_function(question: dict[str, Any], answer: Any, _: float | None) -> str:
    if not callable(answer):
        return f"The answer is a function, such as the one that is begun here, not {answer!r}."
    for case in question["cases"]:
        given = [_value(item) for item in case["given"]]
        try:
            got = answer(*given)
        except Exception as error:  # the reader's own code: whatever it raises is an answer
            return f"For {_call(given)} it raised {type(error).__name__}: {error}."
        if got is ... or got is None:
            return f"For {_call(given)} it returned nothing: is the dots' place filled?"
        expected = _value(case["gives"])
        if _same(got, expected, question.get("within", 1e-9)):
            continue
        for hint in case.get("hints", ()):
            if _same(got, _value(hint["value"]), question.get("within", 1e-9)):
                return str(hint["says"])
        return f"For {_call(given)} it returned {got!r}; expected is {expected!r}."
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

"""What the notebooks say to the reader: predictions revealed, exercises checked.

``reveal`` sets a prediction beside what was measured; ``check`` looks at the answer to one
exercise and says what is right, or what the typical mistake behind a wrong answer is. Questions
are data: ``notebooks/course/questions.toml``, by notebook and number. Nothing here raises because
of a wrong answer, so that a notebook runs through untouched.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import isclose, isfinite
from pathlib import Path
from typing import Any
from zlib import crc32

from notebooks.course.errors import LabError
from notebooks.course.units import slip
from notebooks.course.words import say
from results.errors import ResultsError

QUESTIONS = Path(__file__).with_name("questions.toml")
_KINDS = ("number", "choice", "text", "function")
_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CLOSE = 0.05
_NO_GUESS = "you made no prediction: try one before you look"


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


def check(key: str, answer: Any) -> Answer:
    """Check the answer to question ``key``; a question that does not exist is an error."""
    if key not in questions():
        raise LabError(f"there is no question {key!r}; there are {', '.join(questions())}")
    question = questions()[key]
    if answer is ...:
        waits = say("not answered yet. Put your answer in place of the dots (...).")
        return Answer(False, f"{key}: {waits}")
    judge: dict[str, Callable[[dict[str, Any], Any], str]] = {
        "number": _judge_number,
        "choice": _judge_choice,
        "text": _judge_text,
        "function": _judge_function,
    }
    wrong = judge[question["kind"]](question, answer)
    if wrong:
        return Answer(False, f"{key}: {say('not yet.')} {wrong}")
    return Answer(True, f"{key}: {say('right')}. {say(question['why'])}")


def reveal(guess: Any, found: float, unit: str = "", *, within: float | None = None) -> str:
    """Set a prediction beside what was found; a guess of ``...`` counts as none.

    What is counted or computed is right or not, rounded to the places that the guess has. Only
    what a machine measures (times, memory, chance) may be missed by a share: ``within``. If
    ``found`` is true or false, so is the guess: ``True``, ``"yes"``, 1 or the opposite.
    """
    if isinstance(found, bool):
        return _Text(_reveal_yes_or_no(guess, found))
    said = say("measured: {found} {unit}", found=_short(found), unit=say(unit)).rstrip()
    if guess is ...:
        return _Text(f"{said} ({say(_NO_GUESS)})")
    if not isinstance(guess, (int, float)) or isinstance(guess, bool) or not isfinite(guess):
        return _Text(f"{said} ({say('a prediction is a number, not {guess!r}', guess=guess)})")
    if within is None:
        near, praise = _rounds_to(guess, found), say("right")
    else:
        near, praise = abs(guess - found) <= within * abs(found), say("well predicted")
    verdict = praise if near else slip(guess, found, unit, within or 0) or _missed(guess, found)
    return _Text(f"{say('you said {guess}', guess=_short(guess))}; {said}: {verdict}")


def _reveal_yes_or_no(guess: Any, found: bool) -> str:
    yes, no = say("yes"), say("no")
    said = say("measured: {found} {unit}", found=yes if found else no, unit="").rstrip()
    if guess is ...:
        return f"{said} ({say(_NO_GUESS)})"
    meant = {**_YES_OR_NO, yes: True, no: False}.get(str(guess).strip().lower())
    if meant is None:
        asked = say("a prediction is True or False here, not {guess!r}", guess=guess)
        return f"{said} ({asked})"
    guessed = say("you said {guess}", guess=yes if meant else no)
    return f"{guessed}; {said}: {say('right') if meant == found else say('wrong')}"


def _rounds_to(guess: float, found: float) -> bool:
    """Whether ``found``, rounded to the places that were given, is the guess."""
    if found == int(found):
        return guess == found
    digits = Decimal(repr(float(guess))).normalize()
    places = max(-int(digits.as_tuple().exponent), 0)
    return isclose(guess, found) or abs(guess - found) <= 0.5 / 10**places


def _missed(guess: float, found: float) -> str:
    """Say by how much a prediction is off: by which factor if it is far, else by how many."""
    ratio = guess / found if found else 0
    if ratio < 0:
        return say("not that way round")
    high = guess > found
    if ratio and not 0.5 < ratio < 2:
        times = _short(max(ratio, 1 / ratio))
        if high:
            return say("{times} times too high", times=times)
        return say("{times} times too low", times=times)
    more = _short(abs(guess - found))
    return say("{more} too high", more=more) if high else say("{more} too low", more=more)


def show(data: bytes, most: int = 1200) -> str:
    r"""Return bytes as text in which nothing hides: ``\r``, ``\n``, ``\0``, others as ``[hex]``."""
    marks = {0: "\\0", 9: "\\t", 10: "\\n\n", 13: "\\r"}
    shown = "".join(
        marks.get(byte, chr(byte) if 32 <= byte < 127 else f"[{byte:02x}]") for byte in data[:most]
    )
    rest = " … (" + say("{count:,} bytes in all", count=len(data)) + ")"
    return _Text(shown + (rest if len(data) > most else ""))


def beside(unit: str, **pairs: tuple[Any, float]) -> str:
    """Set measured values beside their models: ``beside("ms", mean=(measured, model))``.

    A measured value may be a summary with ``mean``, ``low`` and ``high``.
    """
    lines = []
    for name, (measured, model) in pairs.items():
        if isinstance(measured, dict):
            low, high = _short(measured["low"]), _short(measured["high"])
            span = say("{low} to {high}", low=low, high=high)
            said = f"{_short(measured['mean'])} ({span})"
        else:
            said = _short(measured)
        line = f"{say('measured')} {said:24} {say('model')} {_short(model)} {say(unit)}"
        lines.append(f"{name:10} {line}")
    return _Text("\n".join(lines))


class _Text(str):
    """A string that a notebook shows without its quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _judge_number(question: dict[str, Any], answer: Any) -> str:
    unit = question.get("unit", "no unit")
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        return say(
            "The answer is a number ({unit}), not {answer!r}.", unit=say(unit), answer=answer
        )
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
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        answer = f"{answer:g}"
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

"""What the notebooks say to the reader: predictions revealed, exercises checked.

``reveal`` sets a prediction beside what was measured; ``check`` looks at the answer to one
exercise and says what is right, or what the typical mistake behind a wrong answer is. Questions
are data: ``notebooks/course/questions.toml``, by notebook and number. Nothing here raises because
of a wrong answer, so that a notebook runs through untouched.
"""

import inspect
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from math import isclose
from pathlib import Path
from typing import Any

from notebooks.course.building import program
from notebooks.course.errors import LabError
from notebooks.course.judging import choices, judge, number, questions
from notebooks.course.marks.pages import Done, renew
from notebooks.course.marks.record import record, submission
from notebooks.course.marks.shown import OPEN, RIGHT, WRONG, choice_buttons, marked
from notebooks.course.progress import cell_id, shell
from notebooks.course.units import slip
from notebooks.course.words import say

__all__ = ["Answer", "beside", "check", "done", "questions", "reveal", "show", "submit"]
_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# A line of a function or class that nobody has filled in.
_BEGUN = re.compile(r"^\s*return \.\.\.\s*$", re.MULTILINE)
_NO_GUESS = "you made no prediction: try one before you look"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an answer: ``passed``, and ``text`` for the reader.

    ``key`` is the exercise's; ``answered`` is false where the dots still stand.
    """

    passed: bool
    text: str
    key: str = ""
    answered: bool = True

    def __repr__(self) -> str:
        """Show the text as the cell's result."""
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show it marked; where there is something to choose, with a button for each choice."""
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self.html()}
        offered = choices(self.key) if self.key else {}
        if offered and not self.passed and shell() is not None:
            buttons = choice_buttons(offered, self.html(), self._choose)
            bundle = {**buttons._repr_mimebundle_(), **bundle}  # its own words stay the text
        return bundle

    def html(self) -> str:
        """Return the text with its colour and its sign."""
        state = RIGHT if self.passed else WRONG if self.answered else OPEN
        return marked(state, self.text)

    def _choose(self, choice: str) -> tuple[bool, str]:
        answer = check(self.key, choice)
        return answer.passed, answer.html()


def check(key: str, answer: Any) -> Answer:
    """Check the answer to question ``key``; a question that does not exist is an error."""
    if key not in questions():
        raise LabError(f"there is no question {key!r}; there are {', '.join(questions())}")
    written = _written(answer)
    if answer is ... or (callable(answer) and _BEGUN.search(written)):
        waits = say("not answered yet. Put your answer in place of the dots (...).")
        return Answer(False, f"{key}: {waits}", key, False)
    wrong, told = judge(key, answer)
    record().answer(key, written, not wrong)
    renew(record())
    if wrong:
        return Answer(False, f"{key}: {say('not yet.')} {wrong}", key)
    why = say(questions()[key]["why"])
    return Answer(True, f"{key}: {say('right')}. {why} {told}".rstrip(), key)


def _written(answer: Any) -> str:
    """Return an answer as text: a program by its lines, everything else as Python writes it."""
    try:
        if isinstance(answer, type):
            return program(answer)
        return inspect.getsource(answer) if callable(answer) else repr(answer)
    except (OSError, TypeError):
        return repr(answer)


def reveal(
    guess: Any, found: float, unit: str = "", *, within: float | None = None, also: Any = None
) -> str:
    """Set a prediction beside what was found; a guess of ``...`` counts as none.

    What is counted or computed is right or not, rounded to the places that the guess has. Only
    what a machine measures (times, memory, chance) may be missed by a share: ``within``. If
    ``found`` is true or false, so is the guess: ``True``, ``"yes"``, 1 or the opposite. ``also`` is
    something else to show, at the end.
    """
    if isinstance(found, bool):
        state, text = _reveal_yes_or_no(guess, found)
    else:
        state, text = _reveal_number(guess, found, unit, within)
    if state != OPEN and (cell := cell_id()):
        record().predict(cell, repr(guess), text, state == RIGHT)
        renew(record())
    return _Revealed.of(state, text if also is None else f"{text} · {also}")


def _reveal_number(guess: Any, found: float, unit: str, within: float | None) -> tuple[str, str]:
    said = say("measured: {found} {unit}", found=_short(found), unit=say(unit)).rstrip()
    if guess is ...:
        return OPEN, f"{said} ({say(_NO_GUESS)})"
    given = guess
    if (guess := number(given)) is None:
        return OPEN, f"{said} ({say('a prediction is a number, not {guess!r}', guess=given)})"
    if within is None:
        near, praise = _rounds_to(guess, found), say("right")
    else:
        near, praise = abs(guess - found) <= within * abs(found), say("well predicted")
    verdict = praise if near else slip(guess, found, unit, within or 0) or _missed(guess, found)
    guessed = say("you said {guess}", guess=_short(guess))
    return (RIGHT if near else WRONG), f"{guessed}; {said}: {verdict}"


def _reveal_yes_or_no(guess: Any, found: bool) -> tuple[str, str]:
    yes, no = say("yes"), say("no")
    said = say("measured: {found} {unit}", found=yes if found else no, unit="").rstrip()
    if guess is ...:
        return OPEN, f"{said} ({say(_NO_GUESS)})"
    meant = {**_YES_OR_NO, yes: True, no: False}.get(str(guess).strip().lower())
    if meant is None:
        asked = say("a prediction is True or False here, not {guess!r}", guess=guess)
        return OPEN, f"{said} ({asked})"
    guessed = say("you said {guess}", guess=yes if meant else no)
    verdict = say("right") if meant == found else say("wrong")
    return (RIGHT if meant == found else WRONG), f"{guessed}; {said}: {verdict}"


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

    def __repr__(self) -> str:
        return str(self)


class _Revealed(_Text):
    """A prediction beside what was found, which a notebook shows marked."""

    state: str

    @classmethod
    def of(cls, state: str, text: str) -> "_Revealed":
        """Make one."""
        made = cls(text)
        made.state = state
        return made

    def _repr_html_(self) -> str:
        return marked(self.state, self)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def done(notebook: str) -> Done:
    """Show how the exercises of a notebook stand, and what comes next."""
    record().read()
    return Done(notebook, record())


def submit(name: str) -> str:
    """Write what was answered into a file for the teacher, and say which."""
    record().read()
    if record().path is None:
        raise LabError(say("there is nothing to hand in here: open the course by lab.py notebooks"))
    letters = re.sub(r"\W+", "-", name.strip().lower()).strip("-")
    if not letters:
        raise LabError(say('say who you are: submit("Ada Lovelace")'))
    path = Path.cwd() / f"submission-{letters}.json"
    text = json.dumps(submission(record(), name.strip()), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return _Text(say("written: {name}", name=path.name))

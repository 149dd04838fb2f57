"""The ballot: the lecturer asks the room, the room votes, and the result is shown beside what
was measured.

What a question says is the page's; here it is a name and a number of choices. How the votes fall
is told to nobody before the lecturer shows it: who sees the others' choice does not predict.
"""

import math
import re
from typing import Any, Final

from servers.front.problems import Problem

MOST_CHOICES: Final = 6
_NAME: Final = re.compile(r"[a-z_]{1,20}")


class Ballot:
    """One question at a time, and one vote for a person."""

    def __init__(self) -> None:
        self._question: str | None = None
        self._choices = 0
        self._votes: dict[str, int] = {}
        self._shown: dict[str, Any] | None = None
        self._round = 0

    def ask(self, order: dict[str, Any]) -> None:
        """Ask ``question`` anew, with so many ``choices``; a question ``null`` ends the last."""
        question, choices = order.get("question"), order.get("choices")
        if question is None:
            choices = 0
        elif not (isinstance(question, str) and _NAME.fullmatch(question)):
            raise Problem(400, "question is a name of up to 20 letters a-z and _, or null")
        elif not _is_whole(choices, 2, MOST_CHOICES):
            raise Problem(400, f"choices is a number from 2 to {MOST_CHOICES}")
        self._question, self._choices = question, int(choices or 0)
        self._votes, self._shown = {}, None
        self._round += 1

    def show(self, order: dict[str, Any]) -> None:
        """End the vote; show it beside what was ``measured``, and the choice that ``fits``."""
        if self._question is None:
            raise Problem(400, "nothing was asked")
        measured, fits = order.get("measured"), order.get("fits")
        if measured is not None and not (
            isinstance(measured, int | float)
            and not isinstance(measured, bool)
            and math.isfinite(measured)
        ):
            raise Problem(400, "measured is a number, or null")
        if fits is not None and not _is_whole(fits, 0, self._choices - 1):
            raise Problem(400, f"fits is a choice from 0 to {self._choices - 1}, or null")
        self._shown = {"measured": measured, "fits": fits}

    def check(self, order: dict[str, Any]) -> int:
        """Read a vote, and return its choice. Raises a problem where it cannot count."""
        if self._question is None or order.get("question") != self._question or self._shown:
            raise Problem(409, "this is not asked, or not any more")
        choice = order.get("choice")
        if not _is_whole(choice, 0, self._choices - 1):
            raise Problem(400, f"choice is a number from 0 to {self._choices - 1}")
        assert isinstance(choice, int)
        return choice

    def vote(self, who: str, choice: int) -> None:
        """Count a choice that was checked; another one of the same person takes its place."""
        self._votes[who] = choice

    def forget(self, who: str) -> None:
        """Forget a person's vote."""
        self._votes.pop(who, None)

    def state(self) -> dict[str, Any] | None:
        """Describe what is asked: how many voted, and how only once it is shown."""
        if self._question is None:
            return None
        told: dict[str, Any] = {
            "question": self._question,
            "round": self._round,
            "choices": self._choices,
            "votes": len(self._votes),
        }
        if self._shown is not None:
            counts = [0] * self._choices
            for choice in self._votes.values():
                counts[choice] += 1
            told |= {"counts": counts, **self._shown}
        return told


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

"""What a reader has answered and predicted: remembered in a copy of the course.

``my-progress.json`` stands beside the notebooks of a copy, which is how a copy is known. Anywhere
else (the executed notebooks for reading, a test) it is remembered only as long as the kernel lives.
"""

import json
import os
import time
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

NAME = "my-progress.json"
_LONGEST = 4000  # signs of an answer that are kept: one may be a program


class Given(TypedDict):
    """The last answer to an exercise, whether it was right, and how many there were."""

    answer: str
    passed: bool
    tries: int


class Predicted(TypedDict):
    """A prediction beside what was found."""

    guess: str
    said: str
    right: bool


class Record:
    """Answers by exercise, predictions by notebook and cell; in a file if ``path`` exists."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None and path.exists() else None
        self.answers: dict[str, Given] = {}
        self.predictions: dict[str, Predicted] = {}
        self.read()

    def read(self) -> None:
        """Read the file anew: other notebooks' kernels write into it, too."""
        if self.path is None:
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8") or "{}")
        except (OSError, ValueError):  # torn by hand: what comes is remembered all the same
            return
        if isinstance(found, dict):
            self.answers = found.get("answers", {})
            self.predictions = found.get("predictions", {})

    def answer(self, key: str, answer: str, passed: bool) -> None:
        """Remember an answer; once it was right, later slips do not take that away."""
        self.read()
        before = self.answers.get(key)
        if before is not None and before["passed"] and not passed:
            return
        tries = (before["tries"] if before else 0) + 1
        self.answers[key] = Given(answer=answer[:_LONGEST], passed=passed, tries=tries)
        self._write()

    def predict(self, key: str, guess: str, said: str, right: bool) -> None:
        """Remember the first prediction of each: the second knows what was found."""
        self.read()
        if key not in self.predictions:
            self.predictions[key] = Predicted(guess=guess[:_LONGEST], said=said, right=right)
            self._write()

    def passed(self, notebook: str) -> set[str]:
        """Return the exercises of a notebook that were answered rightly."""
        start = f"{notebook}."
        return {key for key, one in self.answers.items() if key.startswith(start) and one["passed"]}

    def as_json(self) -> dict[str, Any]:
        """Return all of it, as it is kept."""
        return {"format": 1, "answers": self.answers, "predictions": self.predictions}

    def _write(self) -> None:
        if self.path is None:
            return
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        draft.write_text(json.dumps(self.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.path)


@cache
def record() -> Record:
    """Return the record of this kernel, whose folder is its notebook's."""
    return Record(Path.cwd() / NAME)


def submission(record: Record, name: str) -> dict[str, Any]:
    """Return what is handed in: the record, whose it is, and when."""
    return {**record.as_json(), "name": name, "handed_in": time.strftime("%Y-%m-%d %H:%M")}

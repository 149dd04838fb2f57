"""``python3 lab.py course grades FILES``: the submissions of a class, as tables.

Answers are judged anew, here, by the same questions; what a submission says of itself counts only
where the answer is a program, which is shown and not run.
"""

import argparse
import ast
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebooks.course.judging import judge, questions
from results.errors import ResultsError


@dataclass(frozen=True, slots=True)
class Submission:
    """Whose it is, which exercises are right, and what was answered wrongly to the others."""

    name: str
    right: frozenset[str]
    wrong: Mapping[str, str]
    predictions: tuple[int, int]  # right, all


def read(path: Path) -> Submission:
    """Read one submission; raises :class:`~results.errors.ResultsError` for what is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        answers = {key: one for key, one in found["answers"].items() if key in questions()}
        predictions = [bool(one["right"]) for one in found["predictions"].values()]
        right = frozenset(key for key, one in answers.items() if is_right(key, one))
        wrong = {key: str(one["answer"]) for key, one in answers.items() if key not in right}
        name = str(found.get("name") or path.stem)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ResultsError(f"{path} is no submission: {error!r}") from error
    return Submission(name, right, wrong, (sum(predictions), len(predictions)))


def is_right(key: str, given: Mapping[str, Any]) -> bool:
    """Judge one answer anew; a program by what was found when it ran."""
    if questions()[key]["kind"] in ("function", "program"):
        return given["passed"] is True
    try:
        return not judge(key, ast.literal_eval(given["answer"]))[0]
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def table(submissions: Iterable[Submission]) -> list[list[str]]:
    """Return a row for each of the class: name, right by notebook, together, predictions."""
    numbers = sorted({key[:2] for key in questions()})
    rows = [["name", *numbers, "exercises", "predictions"]]
    for one in sorted(submissions, key=lambda one: one.name.casefold()):
        each = [str(sum(key.startswith(number) for key in one.right)) for number in numbers]
        well, all_of_them = one.predictions
        together = f"{len(one.right)} of {len(questions())}"
        rows.append([one.name, *each, together, f"{well} of {all_of_them}"])
    return rows


def hardest(submissions: Sequence[Submission], most: int = 10) -> list[list[str]]:
    """Return what most got wrong: exercise, wrong and right ones, the wrong answer most given."""
    rows = []
    for key in questions():
        wrong = Counter(one.wrong[key] for one in submissions if key in one.wrong)
        right = sum(key in one.right for one in submissions)
        if wrong:
            often, times = wrong.most_common(1)[0]
            said = f"{' '.join(often.split())[:50]} ({times})"
            rows.append([key, str(wrong.total()), str(right), said])
    rows.sort(key=lambda row: (-int(row[1]), row[0]))
    return [["exercise", "wrong", "right", "most given wrong answer"], *rows[:most]]


def written(rows: Sequence[Sequence[str]]) -> str:
    """Write a table for a terminal."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Print a class' results, and what most got wrong."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m notebooks.course") + " grades",
        description="Read the submissions of a class.",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, help="files, or folders of submission-*.json"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the first table there")
    asked = parser.parse_args(arguments)
    files = [
        file
        for path in asked.paths
        for file in (sorted(path.glob("submission-*.json")) if path.is_dir() else [path])
    ]
    submissions = []
    for file in files:
        try:
            submissions.append(read(file))
        except ResultsError as error:  # the others' are read all the same
            print(error, file=sys.stderr)
    if not submissions:
        print("there is no submission among these", file=sys.stderr)
        return 1
    rows = table(submissions)
    print(f"{written(rows)}\n\n{written(hardest(submissions))}")
    if asked.csv:
        with asked.csv.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(rows)
    return 0 if len(submissions) == len(files) else 1

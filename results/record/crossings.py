"""What became of each technique behind each thing that stands in between: one matrix, on disk.

A folder holds ``between.json`` (where, when and with which programs) and ``crossings.csv``, a row
for each technique on each way through each set-up of each intermediary.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from results.errors import FormatError
from results.record.files import check_readable, write_text

FORMAT = 1
HEAD, TABLE = "between.json", "crossings.csv"
DISTRIBUTED, PUSH = "distributed", "push"
NOTHING = "nothing"  # the intermediary that is none


class Word(StrEnum):
    """What became of a technique, the best first."""

    PASSES = "passes"
    LATE = "late"
    CUT = "cut"
    HALF = "half"
    HELD = "held"
    REFUSED = "refused"


MEANINGS = {
    Word.PASSES: "as with nothing in between",
    Word.LATE: "every message comes, so much later",
    Word.CUT: "the connection was ended, after so many seconds of silence",
    Word.HALF: "what comes down comes, what goes up does not arrive",
    Word.HELD: "nothing comes, though nobody says no: something keeps it back",
    Word.REFUSED: "it never opens; the status, where one was told",
}


@dataclass(frozen=True, slots=True)
class Crossing:
    """One technique on one ``way`` through one ``setup`` of an ``intermediary``.

    ``word`` is the worst that happened. ``status`` is the HTTP status of a refusal or a cut,
    ``late_ms`` the median's delay beyond that with nothing in between, ``cut_s`` the seconds of
    silence (or, ``busy``, of use) after which it was ended, ``detail`` the client's own words.
    """

    intermediary: str
    setup: str
    way: str
    technique: str
    word: Word
    status: int | None = None
    late_ms: float | None = None
    cut_s: float | None = None
    busy: bool = False
    detail: str = ""

    @property
    def text(self) -> str:
        """Say it in a few words: ``late by 208 ms, cut after 50 s``."""
        if self.word in (Word.REFUSED, Word.HELD, Word.HALF):
            return f"{self.word} ({self.status})" if self.status else str(self.word)
        said = []
        if self.late_ms is not None:
            said.append(f"late by {self.late_ms:.0f} ms")
        if self.cut_s is not None:
            said.append(f"cut after {self.cut_s:.0f} s{' of use' if self.busy else ''}")
        return ", ".join(said) or str(self.word)


@dataclass(frozen=True)
class Matrix:
    """All of a run: its ``head`` and its rows."""

    head: dict[str, Any]
    crossings: tuple[Crossing, ...]

    @property
    def titles(self) -> dict[str, str]:
        """Name and title of each intermediary, in order."""
        return {one["name"]: one["title"] for one in self.head["intermediaries"]}

    @property
    def silence_s(self) -> float:
        """How long nothing was said, to see who cuts what is silent; 0 where that was not tried."""
        return float(self.head["silence_s"])

    def ways(self) -> list[tuple[str, str, str]]:
        """Return each (intermediary, setup, way), in order."""
        return list(dict.fromkeys((one.intermediary, one.setup, one.way) for one in self.crossings))

    def at(self, intermediary: str, setup: str, way: str) -> dict[str, Crossing]:
        """Return what became of each technique there."""
        there = (intermediary, setup, way)
        return {
            one.technique: one
            for one in self.crossings
            if (one.intermediary, one.setup, one.way) == there
        }


def write_matrix(folder: Path, head: dict[str, Any], crossings: Iterable[Crossing]) -> None:
    """Write a matrix. Raises :class:`~results.errors.ResultsError` and ``OSError``."""
    names = [field.name for field in fields(Crossing)]
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(names)
    for one in crossings:
        values = [getattr(one, name) for name in names]
        table.writerow(["" if value is None else value for value in values])
    write_text(folder, TABLE, text=out.getvalue())
    text = json.dumps({"format": FORMAT, **head}, indent=1, ensure_ascii=False) + "\n"
    write_text(folder, HEAD, text=text)


def read_matrix(folder: Path | str) -> Matrix:
    """Read a matrix. Raises :class:`~results.errors.FormatError`."""
    folder = Path(folder)
    try:
        for name in (HEAD, TABLE):
            check_readable(folder / name)
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        table = (folder / TABLE).read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(table, newline="")))
        if head["format"] != FORMAT:
            raise FormatError(
                f"{folder / HEAD} has format {head['format']!r}", head["format"], (FORMAT,)
            )
        return Matrix(head, tuple(map(_crossing, rows)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{folder} holds no matrix that can be read: {error}") from error


def _crossing(row: dict[str, str]) -> Crossing:
    return Crossing(
        intermediary=row["intermediary"],
        setup=row["setup"],
        way=row["way"],
        technique=row["technique"],
        word=Word(row["word"]),
        status=int(row["status"]) if row["status"] else None,
        late_ms=float(row["late_ms"]) if row["late_ms"] else None,
        cut_s=float(row["cut_s"]) if row["cut_s"] else None,
        busy=row["busy"] == "True",
        detail=row["detail"],
    )


def unlike(first: Matrix, second: Matrix) -> list[str]:
    """Return where two matrices do not agree, a line each: other words, or times far apart.

    Times agree within 3 s or a tenth, delays within 60 ms: what a busy machine adds.
    """
    before = {_key(one): one for one in first.crossings}
    after = {_key(one): one for one in second.crossings}
    lines = [f"{' '.join(key)}: only in one" for key in before.keys() ^ after.keys()]
    for key in before.keys() & after.keys():
        one, other = before[key], after[key]
        same = (
            (one.word, one.status) == (other.word, other.status)
            and _near(one.cut_s, other.cut_s, 3.0)
            and _near(one.late_ms, other.late_ms, 60.0)
        )
        if not same:
            lines.append(f"{' '.join(key)}: {one.text}, {other.text}")
    return sorted(lines)


def _key(one: Crossing) -> tuple[str, str, str, str]:
    return one.intermediary, one.setup, one.way, one.technique


def _near(one: float | None, other: float | None, apart: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= max(apart, 0.1 * abs(one))


def worst(words: Sequence[Word]) -> Word:
    """Return the worst of some words."""
    return max(words, key=list(Word).index)

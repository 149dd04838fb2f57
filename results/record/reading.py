"""Reading runs: tables as pandas DataFrames, histograms on demand.

The format version is checked before anything else is believed, and runs that differ in what
must be equal are not pooled.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, get_type_hints

import pandas as pd
from hdrh.histogram import HdrHistogram

from results.errors import FormatError, ResultsError, UnlikeRunsError
from results.record.histogram import decode, merge
from results.record.rows import (
    FORMAT,
    BytesRow,
    Cell,
    CheckRow,
    HistogramRow,
    LatencyRow,
    LedgerRow,
    Row,
    TraceRow,
    columns,
)
from results.record.verdicts import Judgement, Verdict

ACCEPTED = (FORMAT,)
# In the order of the fields of Run.
_TABLES: tuple[type[Row], ...] = (LatencyRow, LedgerRow, BytesRow, CheckRow, TraceRow, HistogramRow)
# What may differ between runs that are pooled, and what cannot change a measured value.
_FREE_IN_PLAN = frozenset({"seed", "repeat", "repeats", "out"})


@dataclass(frozen=True, eq=False)
class Run:
    """One recorded run.

    ``head`` is ``run.json``; ``cells`` what was measured completely; the tables are tidy
    DataFrames with the columns of ``results/README.md``, empty where nothing was recorded.
    """

    folder: Path
    head: dict[str, Any]
    cells: tuple[Cell, ...]
    latency: pd.DataFrame
    ledger: pd.DataFrame
    bytes: pd.DataFrame
    checks: pd.DataFrame
    traces: pd.DataFrame
    histograms: pd.DataFrame

    @property
    def kind(self) -> str:
        """``compare``, ``calibrate``, ..."""
        return str(self.head.get("kind", ""))

    @property
    def finished(self) -> bool:
        """False when the run was interrupted; its cells are complete all the same."""
        return bool(self.head.get("finished"))

    @property
    def judgement(self) -> Judgement:
        """The verdict of the whole run."""
        found = self.head["verdict"]
        return Judgement(Verdict(found["verdict"]), found["reason"])

    def histogram(self, cell: Cell | str, metric: str = "delivery") -> HdrHistogram:
        """Return one cell's histogram of ``metric``, in ns."""
        key = cell if isinstance(cell, str) else cell.key
        try:
            return decode(self._encoded[key, metric])
        except KeyError:
            raise ResultsError(f"{self.folder.name} has no {metric!r} histogram of {key}") from None

    def merged(self, cells: Iterable[Cell], metric: str = "delivery") -> HdrHistogram:
        """Return the exact sum of the histograms of those of ``cells`` that have ``metric``."""
        found = [cell for cell in cells if (cell.key, metric) in self._encoded]
        return merge(self.histogram(cell, metric) for cell in found)

    @cached_property
    def _encoded(self) -> dict[tuple[str, str], str]:
        table = self.histograms
        return dict(
            zip(zip(table["cell"], table["metric"], strict=True), table["encoded"], strict=True)
        )


def read_run(folder: Path | str) -> Run:
    """Read a run folder.

    Raises :class:`~results.errors.FormatError` for a folder that is no run, a broken one, or
    another format version.
    """
    folder = Path(folder)
    head = _read_head(folder)
    try:
        cells = tuple(_read_cell(entry) for entry in head["cells"])
    except KeyError as error:
        raise FormatError(f"{folder}/run.json lists a cell without {error}") from None
    except (TypeError, ValueError) as error:
        raise FormatError(f"{folder}/run.json lists cells that cannot be read: {error}") from None
    keys = {cell.key for cell in cells}
    return Run(folder, head, cells, *(_read_table(folder, row_type, keys) for row_type in _TABLES))


def differences(a: Run, b: Run) -> dict[str, list[str]]:
    """Say what differs between two runs' ``kind``, ``plan``, ``host``, ``versions``, ``commit``.

    One line for each difference, under the part in which it lies; no part without differences.
    """
    found = {}
    for part in ("kind", "plan", "host", "clock", "versions", "commit"):
        ours, theirs = a.head.get(part), b.head.get(part)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            lines = [
                f"{name}: {ours.get(name)} / {theirs.get(name)}"
                for name in {**ours, **theirs}
                if ours.get(name) != theirs.get(name)
                and not (part == "plan" and name in _FREE_IN_PLAN)
            ]
        else:
            lines = [f"{ours} / {theirs}"] if ours != theirs else []
        if lines:
            found[part] = lines
    return found


def pool(runs: Sequence[Run]) -> Run:
    """Put the repeats of like runs into one, numbered on; the first run's ``head`` stays.

    Raises :class:`~results.errors.UnlikeRunsError` when kind, plan, host, clock, versions or
    commit differ.
    """
    if not runs:
        raise ResultsError("there is no run to pool")
    first = runs[0]
    for other in runs[1:]:
        lines = [f"{k}: {line}" for k, v in differences(first, other).items() for line in v]
        if lines:
            raise UnlikeRunsError(
                f"{first.folder.name} and {other.folder.name} are not alike: {'; '.join(lines)}",
                tuple(lines),
            )
    cells: list[Cell] = []
    tables: dict[str, list[pd.DataFrame]] = {}
    for run in runs:
        step = max((cell.repeat for cell in cells), default=0)
        renamed = {cell.key: replace(cell, repeat=cell.repeat + step) for cell in run.cells}
        cells += renamed.values()
        for row_type in _TABLES:
            table = getattr(run, row_type.table).copy()
            table["repeat"] = table["repeat"] + step
            table["cell"] = [renamed[key].key for key in table["cell"]]
            tables.setdefault(row_type.table, []).append(table)
    joined: dict[str, Any] = {
        name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()
    }
    return replace(first, cells=tuple(cells), **joined)


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{folder} is not a run: it has no run.json") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    found = head.get("format") if isinstance(head, dict) else None
    if found not in ACCEPTED:
        listed = ", ".join(map(str, ACCEPTED))
        raise FormatError(
            f"{path} has format version {found!r}; this version reads {listed}", found, ACCEPTED
        )
    missing = [name for name in ("cells", "verdict", "host", "plan") if name not in head]
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}")
    for name in ("verdict", "host", "plan"):
        if not isinstance(head[name], dict):
            raise FormatError(f"{path}: {name!r} must be an object, not {head[name]!r}")
    for part in ("verdict", "reason"):
        if not isinstance(head["verdict"].get(part), str):
            raise FormatError(f"{path}: the run's verdict has no {part!r}")
    _check_verdicts(path, [head["verdict"]["verdict"]])
    return dict(head)


def _read_cell(entry: Mapping[str, Any]) -> Cell:
    types = get_type_hints(Cell)
    return Cell(**{field.name: types[field.name](entry[field.name]) for field in fields(Cell)})


def _check_verdicts(path: Path, found: Iterable[str]) -> None:
    """Raise ``FormatError`` for a verdict that this version does not know."""
    unknown = sorted(set(found) - {str(verdict) for verdict in Verdict})
    if unknown:
        raise FormatError(f"{path} has the verdict {unknown[0]!r}; known: {', '.join(Verdict)}")


def _read_table(folder: Path, row_type: type[Row], keys: set[str]) -> pd.DataFrame:
    names = columns(row_type)
    types = {"cell": str, **get_type_hints(Cell), **get_type_hints(row_type)}
    path = folder / f"{row_type.table}.csv"
    rows: list[list[str]] = []
    if path.exists():
        try:
            with path.open(newline="", encoding="utf-8") as file:
                header, *table = list(csv.reader(file)) or [[]]
        except (OSError, ValueError, csv.Error) as error:
            raise FormatError(f"{path} cannot be read: {error}") from error
        if header != names:
            raise FormatError(f"{path} has the columns {header}; format {FORMAT} has {names}")
        # Rows of other cells were being written when the run was interrupted.
        rows = [row for row in table if row and row[0] in keys]
    if any(len(row) != len(names) for row in rows):
        raise FormatError(f"{path} has a row with too few or too many values")
    if row_type is LatencyRow:
        _check_verdicts(path, (row[names.index("verdict")] for row in rows))
    try:
        return pd.DataFrame(
            {
                name: pd.Series([row[i] for row in rows], dtype=object)
                .map(_parser(types[name]))
                .astype(_dtype(types[name]))
                for i, name in enumerate(names)
            }
        )
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{path} holds a value of a wrong kind: {error}") from error


def _parser(kind: Any) -> Any:
    if isinstance(kind, UnionType):  # int | None
        return lambda text: int(text) if text else pd.NA
    if kind is bool:
        return lambda text: text == "True"
    return kind


def _dtype(kind: Any) -> Any:  # pandas types its names as literals
    if isinstance(kind, UnionType):
        return "Int64"
    return {int: "int64", float: "float64", bool: "bool", str: "object"}[kind]

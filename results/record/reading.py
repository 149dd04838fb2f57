"""Reading runs: tables as pandas DataFrames, histograms on demand.

The format version is checked before anything else is believed. Runs of every earlier format are
read, and runs that differ in what must be equal are not pooled.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

import pandas as pd
from hdrh.histogram import HdrHistogram

from results.errors import FormatError, ResultsError, UnlikeRunsError
from results.record.facts import ForeignServer
from results.record.files import check_readable
from results.record.histogram import decode, merge
from results.record.rows import FORMAT, ROW_TYPES, Audit, Cell, defaults
from results.record.table import check_verdicts, read_table
from results.record.verdicts import Judgement, Verdict

ACCEPTED = tuple(range(1, FORMAT + 1))
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
    seconds: pd.DataFrame
    hosts: pd.DataFrame
    answers: pd.DataFrame

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

    @property
    def verdict(self) -> Judgement:
        """The same, by its short name."""
        return self.judgement

    @property
    def audit(self) -> Audit:
        """What became of all deliveries of the run, added up; ``latency`` has them by cell."""
        rows = self.latency[self.latency["expected"].notna()]
        names = [item.name for item in fields(Audit)]
        return Audit(*(int(rows[name].sum()) for name in names))

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The trials that failed: the names of their cells, and why."""
        return [(str(one["cell"]), str(one["reason"])) for one in self.head.get("failed", [])]

    @property
    def servers(self) -> dict[str, ForeignServer]:
        """Somebody else's servers that were measured, by the name in their cells' variant."""
        return {name: ForeignServer(**told) for name, told in self.head.get("servers", {}).items()}

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
    cells = _read_cells(folder / "run.json", head["cells"])
    names = {str(entry.get("cell", "")) for entry in head["cells"]} | {cell.key for cell in cells}
    return Run(
        folder, head, cells, *(read_table(folder, row_type, cells, names) for row_type in ROW_TYPES)
    )


def differences(a: Run, b: Run) -> dict[str, list[str]]:
    """Say what differs between two runs' ``kind``, ``plan``, ``host``, ``versions`` and so on.

    One line for each difference, under the part in which it lies; no part without differences.
    """
    found = {}
    for part in ("kind", "plan", "host", "clock", "versions", "servers", "commit"):
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
        for row_type in ROW_TYPES:
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
        check_readable(path)
        head = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{folder} is not a run: it has no run.json") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    found = head.get("format") if isinstance(head, dict) else None
    if type(found) is not int or found not in ACCEPTED:
        listed = ", ".join(map(str, ACCEPTED))
        newer = type(found) is int and found > FORMAT
        raise FormatError(
            f"{path} has format version {found!r}; this version reads {listed}"
            + (": a newer Duplex wrote it, which can read it" if newer else ""),
            found,
            ACCEPTED,
        )
    missing = [name for name in ("cells", "verdict", "host", "plan") if name not in head]
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}")
    for name in ("verdict", "host", "plan"):
        if not isinstance(head[name], dict):
            raise FormatError(f"{path}: {name!r} must be an object, not {head[name]!r}")
    failed = head.get("failed", [])
    if not isinstance(failed, list) or not all(
        isinstance(one, dict) and {"cell", "reason"} <= one.keys() for one in failed
    ):
        raise FormatError(f"{path}: 'failed' must list trials, each with its cell and a reason")
    servers = head.get("servers", {})
    if not isinstance(servers, dict) or not all(map(_is_a_server, servers.values())):
        raise FormatError(f"{path}: 'servers' must have a title and versions for each of them")
    for part in ("verdict", "reason"):
        if not isinstance(head["verdict"].get(part), str):
            raise FormatError(f"{path}: the run's verdict has no {part!r}")
    check_verdicts(path, [head["verdict"]["verdict"]])
    return dict(head)


def _is_a_server(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and told.keys() == {"title", "versions"}
        and isinstance(told["title"], str)
        and isinstance(told["versions"], dict)
        and all(isinstance(version, str) for version in told["versions"].values())
    )


def _read_cells(path: Path, entries: Any) -> tuple[Cell, ...]:
    try:
        cells = tuple(map(_read_cell, entries))
    except KeyError as error:
        raise FormatError(f"{path} lists a cell without {error}") from None
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path} lists cells that cannot be read: {error}") from None
    keys = [cell.key for cell in cells]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise FormatError(f"{path} lists two cells that are both {twice[0]!r}")
    return cells


def _read_cell(entry: Any) -> Cell:
    if not isinstance(entry, dict):
        raise TypeError(f"{entry!r} is no cell")
    types = get_type_hints(Cell)
    if unknown := sorted(entry.keys() - types.keys() - {"cell"}):
        raise ValueError(f"{unknown[0]!r} is not known to format {FORMAT}")
    values = {**defaults(Cell), **entry}
    return Cell(**{field.name: types[field.name](values[field.name]) for field in fields(Cell)})

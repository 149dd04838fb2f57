"""Reading one table of a run, whichever format wrote it.

A column that an earlier format lacks takes its default. A column that is not known is refused, for
it may tell cells apart that would be mixed up without it.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TextIO, get_args, get_type_hints

import pandas as pd

from results.errors import FormatError
from results.record.files import check_readable
from results.record.rows import FORMAT, Cell, LatencyRow, Row, columns, defaults
from results.record.verdicts import Verdict

_TIMES = ["min_ms", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms", "mean_ms"]
_LONGEST_LINE = 256 * 2**10  # characters; the reference run has 4,000 in a histogram


def read_table(
    folder: Path, row_type: type[Row], cells: Sequence[Cell], names: set[str]
) -> pd.DataFrame:
    """Return the table of ``row_type`` in the run ``folder``, empty where there is none.

    ``cells`` are those that ``run.json`` lists and ``names`` their names, as written there and as
    :attr:`~results.record.rows.Cell.key` writes them: rows of others are left out. Raises
    :class:`~results.errors.FormatError`.
    """
    path = folder / f"{row_type.table}.csv"
    header, rows = _read_csv(path, row_type, names)
    absent = defaults(row_type)
    types = {"cell": str, **get_type_hints(Cell), **get_type_hints(row_type)}
    try:
        found: dict[str, pd.Series[Any]] = {
            name: _column([row[header.index(name)] for row in rows], types[name])
            if name in header
            else pd.Series([absent[name]] * len(rows), dtype=_dtype(types[name]))
            for name in columns(row_type)
        }
        table = pd.DataFrame(found)
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{path} holds a value of a wrong kind: {error}") from error
    if row_type is LatencyRow:
        check_verdicts(path, table["verdict"])
        # The first writer gave 0 ms to what never arrived.
        table.loc[table["count"] == 0, _TIMES] = float("nan")
    return _with_todays_names(path, table, cells)


def _read_csv(
    path: Path, row_type: type[Row], names: set[str]
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows, of which no column is unknown and none without default absent."""
    rows: list[list[str]] = []
    if not path.exists():
        return columns(row_type), rows
    try:
        check_readable(path)
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(_lines(file))
            header = next(reader, [])
            _check_header(path, header, row_type)
            place = header.index("cell") if "cell" in header else None
            for row in reader:
                # Rows of other cells were being written when the run was interrupted.
                if place is not None and (len(row) <= place or row[place] not in names):
                    continue
                if len(row) != len(header):
                    raise FormatError(f"{path} has a row with too few or too many values")
                rows.append(row)
    except (OSError, ValueError, csv.Error) as error:
        raise FormatError(f"{path} cannot be read: {error}") from error
    return header, rows


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"a line has more than {_LONGEST_LINE:,} characters")
        yield line


def _check_header(path: Path, header: list[str], row_type: type[Row]) -> None:
    known, absent = columns(row_type), defaults(row_type)
    if len(header) > 2 * len(known):
        raise FormatError(f"{path} has {len(header):,} columns; format {FORMAT} has {known}")
    faults = {
        "lacks": [name for name in known if name not in header and name not in absent],
        "has the unknown": [name for name in header if name not in known],
        "has twice": sorted({name for name in header if header.count(name) > 1}),
    }
    said = [f"{words} {', '.join(map(repr, names))}" for words, names in faults.items() if names]
    if said:
        raise FormatError(
            f"{path} has the columns {header}; format {FORMAT} has {known}: it {', '.join(said)}"
        )


def _with_todays_names(path: Path, table: pd.DataFrame, cells: Sequence[Cell]) -> pd.DataFrame:
    """Name each row as ``Cell.key`` does: earlier versions wrote some names otherwise."""
    keys = {astuple(cell): cell.key for cell in cells}
    values = zip(*(table[field.name] for field in fields(Cell)), strict=True)
    try:
        table["cell"] = pd.Series([keys[value] for value in values], dtype=object)
    except KeyError as error:
        raise FormatError(
            f"{path} has a row of a cell that run.json does not list: {error}"
        ) from None
    return table


def _column(texts: Sequence[str], kind: Any) -> "pd.Series[Any]":
    parse = _parser(kind)
    column: pd.Series[Any] = pd.Series([parse(text) for text in texts], dtype=_dtype(kind))
    return column


def _parser(kind: Any) -> Any:
    if isinstance(kind, UnionType):  # int | None
        parse = _parser(_without_none(kind))
        return lambda text: parse(text) if text else pd.NA
    if kind is bool:
        return lambda text: text == "True"
    return kind


def _dtype(kind: Any) -> Any:  # pandas types its names as literals
    if isinstance(kind, UnionType):
        nullable = {int: "Int64", float: "Float64", bool: "boolean", str: "object"}
        return nullable[_without_none(kind)]
    return {int: "int64", float: "float64", bool: "bool", str: "object"}[kind]


def _without_none(kind: UnionType) -> Any:
    (only,) = (one for one in get_args(kind) if one is not NoneType)
    return only


def check_verdicts(path: Path, found: Iterable[str]) -> None:
    """Raise ``FormatError`` for a verdict that this version does not know."""
    unknown = sorted(set(found) - {str(verdict) for verdict in Verdict})
    if unknown:
        raise FormatError(f"{path} has the verdict {unknown[0]!r}; known: {', '.join(Verdict)}")

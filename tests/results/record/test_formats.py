"""What was recorded once is read for ever, and what is not known is refused by name."""

import csv
import json
import math
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from results.errors import FormatError
from results.record.reading import Run, read_run
from results.record.rows import FORMAT, ROW_TYPES, Cell, LedgerRow, columns
from results.record.table import read_table

SAMPLES = Path(__file__).parent / "samples"
FIRST = SAMPLES / "format_1_first"


@pytest.fixture(name="folder")
def folder_(tmp_path: Path) -> Path:
    """Return a copy of a recorded run, to be changed."""
    shutil.copytree(SAMPLES / f"format_{FORMAT}", tmp_path / "run")
    return tmp_path / "run"


def change_head(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    head = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(head)
    (folder / "run.json").write_text(json.dumps(head), encoding="utf-8")


def change_columns(path: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(map(change, csv.DictReader(file)))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def without(names: Iterable[str]) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda row: {name: value for name, value in row.items() if name not in names}


def test_a_sample_of_each_format_is_kept() -> None:
    kept = {json.loads(path.read_text())["format"] for path in SAMPLES.glob("*/run.json")}
    assert kept == set(range(1, FORMAT + 1))
    page = (Path(__file__).parents[3] / "results" / "README.md").read_text(encoding="utf-8")
    assert all(f"\n| {number} | " in page for number in kept), "the history stands in the README"


@pytest.mark.parametrize("row_type", ROW_TYPES, ids=lambda row_type: row_type.table)
def test_todays_columns_are_those_of_the_kept_sample(row_type: type[LedgerRow]) -> None:
    header = (SAMPLES / f"format_{FORMAT}" / f"{row_type.table}.csv").read_text().partition("\n")[0]
    why = "a new column raises FORMAT: results/README.md, Formats, says how"
    assert header.split(",") == columns(row_type), why


@pytest.mark.parametrize("folder", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_runs_of_every_format_are_read(folder: Path) -> None:
    run = read_run(folder)
    assert [(cell.technique, cell.delay_ms, cell.users, cell.rate) for cell in run.cells] == [
        ("sse", 25.0, 1, 0.5),
        ("sse", 25.0, 2, 0.5),
    ]
    got, lost = run.latency[run.latency["metric"] == "delivery"].to_dict("records")
    assert (got["p50_ms"], got["lost"]) == (pytest.approx(2, rel=1e-3), 0)
    assert (lost["lost"], lost["verdict"]) == (3, "SERVER-BOUND")
    times = [str(name) for name in lost if str(name).endswith("_ms")]
    assert all(math.isnan(lost[name]) for name in times if name[0] in "mp")
    assert run.histogram(run.cells[0]).get_total_count() == 3
    assert list(run.latency["cell"].unique()) == [cell.key for cell in run.cells]
    assert [len(getattr(run, row_type.table)) for row_type in ROW_TYPES] == [
        *(3, 2, 2, 2, 2, 3),
        0 if "format_1" in folder.name else 2,
        3 if folder.name >= "format_5" else 0,
        2 if folder.name >= "format_6" else 0,
    ]


def test_the_versions_of_other_peoples_servers_are_known_since_format_7() -> None:
    (server,) = read_run(SAMPLES / "format_7").servers.values()
    assert str(server) == "ws (Node): ws 8.23.0, node unknown"
    assert read_run(SAMPLES / "format_6").servers == {}


@pytest.mark.parametrize(
    "told", [[], {"ws": 1}, {"ws": {"title": "ws"}}, {"ws": {"title": "ws", "versions": {"a": 1}}}]
)
def test_servers_that_say_something_else_are_refused(told: object, folder: Path) -> None:
    change_head(folder, lambda head: head.update(servers=told))
    with pytest.raises(FormatError, match="'servers' must have a title and versions"):
        read_run(folder)


def test_the_first_names_of_cells_are_understood() -> None:
    names = [entry["cell"] for entry in json.loads((FIRST / "run.json").read_text())["cells"]]
    run = read_run(FIRST)
    assert "1 users" in names[0]
    assert run.cells[0].key == names[0].replace("1 users", "1 user")


@dataclass(frozen=True, slots=True)
class GrownRow(LedgerRow):
    """A ledger with columns that no recorded run has."""

    streams: int = 0
    protocol: str = "HTTP/1.1"
    resent: int | None = None
    wait_s: float | None = None


def test_a_column_that_a_run_lacks_takes_its_default() -> None:
    run = read_run(FIRST)
    grown = read_table(FIRST, GrownRow, run.cells, names_of(FIRST))
    assert grown[list(run.ledger.columns)].equals(run.ledger)
    assert list(grown["streams"]) == [0, 0]
    assert list(grown["protocol"]) == ["HTTP/1.1", "HTTP/1.1"]
    assert grown[["resent", "wait_s"]].isna().all(axis=None)


def test_a_column_that_was_added_is_read_where_it_is(folder: Path) -> None:
    added = {"streams": "3", "protocol": "h2", "resent": "", "wait_s": "0.5"}
    change_columns(folder / "ledger.csv", lambda row: {**added, **row})  # in any order
    grown = read_table(folder, GrownRow, read_run_without_ledger(folder).cells, names_of(folder))
    found = grown[["streams", "protocol", "wait_s", "open_sockets"]].to_dict("records")[0]
    assert found == {"streams": 3, "protocol": "h2", "wait_s": 0.5, "open_sockets": 1}
    assert grown["resent"].isna().all()


def test_a_cells_column_that_a_run_lacks_takes_its_default(folder: Path) -> None:
    grown = ("variant", "size_bytes")
    was = read_run(folder)
    for row_type in ROW_TYPES:
        change_columns(folder / f"{row_type.table}.csv", without(grown))
    change_head(folder, lambda head: [entry.pop(n) for entry in head["cells"] for n in grown])  # type: ignore[attr-defined]
    run = read_run(folder)
    assert run.cells == was.cells
    assert run.bytes.equals(was.bytes)
    assert all(cell.size_bytes == Cell("sse").size_bytes for cell in run.cells)


def test_columns_that_are_absent_unknown_or_twice_are_refused_by_name(folder: Path) -> None:
    path = folder / "ledger.csv"
    kept = path.read_text()
    for new, said in (
        (kept.replace("open_sockets", "sockets", 1), "lacks 'open_sockets', has the unknown 'soc"),
        (
            kept.replace("open_sockets", "held_requests", 1),
            "lacks 'open_sockets', has twice 'held_requests'",
        ),
        (kept.replace("\n", ",note\n"), "has the unknown 'note'"),
        (kept.replace("cell,", "name,", 1), "lacks 'cell', has the unknown 'name'"),
    ):
        path.write_text(new)
        with pytest.raises(FormatError, match=rf"ledger\.csv has the columns.*: it {said}"):
            read_run(folder)


def test_a_row_that_does_not_fit_its_cell_is_refused(folder: Path) -> None:
    change_columns(folder / "ledger.csv", lambda row: {**row, "users": "7"})
    with pytest.raises(FormatError, match=r"ledger\.csv has a row of .* run\.json does not list"):
        read_run(folder)


@pytest.mark.parametrize("version", [0, FORMAT + 1, "1", 1.0, True, None])
def test_another_format_is_refused_by_name(folder: Path, version: object) -> None:
    change_head(folder, lambda head: head.update(format=version))
    with pytest.raises(FormatError, match=f"format version {version!r}; this version reads 1") as e:
        read_run(folder)
    assert (e.value.found, e.value.accepted) == (version, tuple(range(1, FORMAT + 1)))
    assert ("a newer Duplex" in str(e.value)) == (version == FORMAT + 1)


def names_of(folder: Path) -> set[str]:
    return {entry["cell"] for entry in json.loads((folder / "run.json").read_text())["cells"]}


def read_run_without_ledger(folder: Path) -> Run:
    ledger = folder / "ledger.csv"
    moved = ledger.rename(folder / "aside.csv")
    run = read_run(folder)
    moved.rename(ledger)
    return replace(run, folder=folder)

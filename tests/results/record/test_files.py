import contextlib
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from results.errors import FormatError, ResultsError
from results.record import files, table, writer
from results.record.reading import Run, read_run
from results.record.rows import Audit, Cell
from results.record.writer import RunWriter
from results.report import write_report


def write_everything(folder: Path, run: Run) -> None:
    files.write_text(folder, "run.json", text=(folder / "run.json").read_text())
    files.write_text(folder, "figures", "one.svg", text="<svg/>")
    write_report(run, [])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["report.html", "report.html.part", "figures", "run.json.part"])
@pytest.mark.parametrize("there", [True, False])
def test_what_is_written_stays_in_the_runs_folder(
    name: str, there: bool, small_run: Path, tmp_path: Path
) -> None:
    folder, outside = small_run, tmp_path / "outside"
    if there:
        outside.mkdir() if name == "figures" else outside.write_text("mine")
    (folder / name).symlink_to(outside)
    run = read_run(folder)
    with pytest.raises(ResultsError, match=f"{name} is a symbolic link"):
        write_everything(folder, run)
    assert outside.exists() is there
    if outside.is_file():
        assert outside.read_text() == "mine"
    if outside.is_dir():
        assert not [*outside.iterdir()]


@pytest.mark.attack("write outside of the run's folder by links", "off", "on")
@pytest.mark.parametrize("name", ["report.html.part", "figures", "run.json.part", "latency.csv"])
def test_a_link_would_be_followed_if_nobody_looked(
    name: str, small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attack(where: str) -> bool:
        """Put the link in a run, write what belongs to it, and see what there is outside."""
        outside = tmp_path / f"outside {where}"
        outside.mkdir() if name == "figures" else outside.write_text("")
        folder = tmp_path / where
        folder.mkdir() if name == "latency.csv" else shutil.copytree(small_run, folder)
        (folder / name).symlink_to(outside)
        with contextlib.suppress(ResultsError):
            if name == "latency.csv":
                RunWriter(folder, "compare", {}, []).add(Cell("sse"), audit=Audit(1, 1))
            else:
                write_everything(folder, read_run(folder))
        return bool([*outside.iterdir()] if name == "figures" else outside.read_text())

    assert not attack("on")
    for module in (files, writer):
        monkeypatch.setattr(module, "own_path", lambda folder, *names: folder.joinpath(*names))
    assert attack("off")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_a_files_place_holds_nobody_up(small_run: Path) -> None:
    run = read_run(small_run)
    os.mkfifo(small_run / "report.html")
    with pytest.raises(ResultsError, match=r"report\.html is no ordinary file"):
        write_report(run, [])
    for name in ("latency.csv", "run.json"):
        (small_run / name).unlink()
        os.mkfifo(small_run / name)
        with pytest.raises(FormatError, match=f"{name} cannot be read: it is no ordinary file"):
            read_run(small_run)


def test_a_new_run_does_not_write_through_a_link_that_waits_for_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "ledger.csv").symlink_to(outside)
    (folder / "latency.csv").symlink_to(outside)
    run = RunWriter(folder, "compare", {}, [])
    with pytest.raises(ResultsError, match=r"latency\.csv is a symbolic link"):
        run.add(Cell("sse"), audit=Audit(1, 1))
    assert not outside.exists()


@pytest.mark.parametrize("name", ["run.json", "histograms.csv"])
def test_what_is_too_large_is_refused_in_words_before_it_is_read(
    name: str, small_run: Path
) -> None:
    os.truncate(small_run / name, files.MOST_BYTES + 1)  # a hole: it takes no room on the disk
    with pytest.raises(FormatError, match=f"{name} .* at most 134,217,728 are accepted"):
        read_run(small_run)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda table: "x," * 10_000 + table, r"has 10,\d{3} columns"),
        (lambda table: "x" * 300_000 + table, "a line has more than"),
        (lambda table: table + "," * 10_000_000, "a line has more than"),
        (lambda table: table + '"' + "x\n" * 100_000, "cannot be read: field larger than"),
    ],
)
def test_a_table_of_no_tables_form_is_refused_before_the_rest_is_read(
    spoil: Callable[[str], str], why: str, small_run: Path
) -> None:
    table = small_run / "latency.csv"
    table.write_text(spoil(table.read_text()))
    with pytest.raises(FormatError, match=why) as refusal:
        read_run(small_run)
    assert len(str(refusal.value)) < 2000


@pytest.mark.attack("fill the memory of who reads it by a table", "off", "on")
def test_a_line_without_end_would_fill_the_memory(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 2_000_000
    with (small_run / "latency.csv").open("a") as file:
        file.write("," * size)

    def attack() -> int:
        """Read the run, and return how many bytes that took at most."""
        tracemalloc.start()
        with contextlib.suppress(FormatError):
            read_run(small_run)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert attack() < 8 * size  # a list alone has a word for each
    monkeypatch.setattr(table, "_LONGEST_LINE", 2 * size)
    assert attack() > 8 * size


@pytest.mark.slow
def test_rows_of_unknown_cells_take_no_memory(small_run: Path) -> None:
    expected = read_run(small_run)
    size = 150_000
    with (small_run / "latency.csv").open("a") as table:
        table.write("\n" * size)
    tracemalloc.start()
    run = read_run(small_run)
    assert tracemalloc.get_traced_memory()[1] < 8 * size  # a list alone has a word for each
    tracemalloc.stop()
    assert len(run.latency) == len(expected.latency)


def test_a_head_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[" * 200_000)
    with pytest.raises(FormatError, match="cannot be read"):
        read_run(tmp_path)

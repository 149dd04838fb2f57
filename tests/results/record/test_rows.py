"""What is written is read again, equal; what is not a run is refused by name."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.__main__ import main
from results.errors import FormatError, ResultsError, UnlikeRunsError
from results.record.histogram import new_histogram, record_ns
from results.record.reading import Run, pool, read_run
from results.record.rows import Audit, BytesRow, Cell, LatencyRow, LedgerRow, columns
from results.record.verdicts import NOTHING, Judgement, Verdict
from results.record.writer import RunWriter
from results.summary import GROUP, summarize
from wire.techniques import SLUGS

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
SIZE = st.integers(0, 2**53)
SHARE = st.floats(0, 1e12, allow_nan=False)
CELL = st.builds(
    Cell,
    technique=st.sampled_from(SLUGS),
    network=TEXT,
    delay_ms=SHARE,
    scenario=TEXT,
    variant=TEXT,
    users=SIZE,
    rate=SHARE,
    size_bytes=SIZE,
    repeat=st.integers(1, 99),
)
LEDGER = st.builds(
    LedgerRow, SHARE, SIZE, SIZE, SHARE, SHARE, SHARE, SHARE, SHARE, SIZE, SHARE, SHARE
)
BYTES = st.builds(BytesRow, TEXT, TEXT, TEXT, SIZE, SHARE, TEXT)


def writer(folder: Path) -> RunWriter:
    return RunWriter(folder, "compare", {"seed": 1}, ["python", "-m", "loadtests"])


def lines(cell: Cell, rows: Sequence[LedgerRow | BytesRow]) -> list[tuple[object, ...]]:
    """Return what a table should hold of a cell."""
    return [(cell.key, *astuple(cell), *astuple(row)) for row in rows]


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(CELL, st.lists(LEDGER, max_size=3), st.lists(BYTES, max_size=3)),
        min_size=1,
        max_size=12,
        unique_by=lambda cell: cell[0].key,
    )
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[Cell, list[LedgerRow], list[BytesRow]]],
) -> None:
    """Several cells to a run: where and with what it was made takes longest to write."""
    folder = tmp_path_factory.mktemp("run")
    with writer(folder) as made:
        for cell, ledger, sizes in cells:
            made.add(cell, ledger=ledger, bytes=sizes)
    run = read_run(folder)
    assert run.cells == tuple(cell for cell, _, _ in cells)
    table = run.ledger.astype(object).where(run.ledger.notna(), None)
    assert [tuple(row) for row in table.to_numpy(object)] == [
        line for cell, ledger, _ in cells for line in lines(cell, ledger)
    ]
    assert [tuple(row) for row in run.bytes.to_numpy(object)] == [
        line for cell, _, sizes in cells for line in lines(cell, sizes)
    ]


def test_latency_and_histogram(tmp_path: Path) -> None:
    histogram = new_histogram()
    for value in (1_000, 2_000_000, 3_000_000):
        record_ns(histogram, value)
    audit = Audit(expected=5, received=3, duplicated=1, reordered=2)
    judgement = Judgement(Verdict.SERVER_BOUND, "2 of 5 deliveries, lost")
    with writer(tmp_path / "run") as made:
        made.add(
            Cell("sse"),
            histograms={"delivery": histogram, "publish": histogram, "wait": new_histogram()},
            audit=audit,
            judgement=judgement,
        )
    run = read_run(tmp_path / "run")
    delivery, publish = run.latency.to_dict("records")
    assert (delivery["metric"], publish["metric"]) == ("delivery", "publish")
    assert delivery["p50_ms"] == pytest.approx(2, rel=1e-3)
    assert [delivery[n] for n in ("expected", "received", "lost", "duplicated", "reordered")] == [
        5,
        3,
        2,
        1,
        2,
    ]
    assert pd.isna(publish["lost"])
    assert delivery["reason"] == judgement.reason
    assert run.judgement == judgement
    assert run.histogram(Cell("sse")).equals(histogram)
    with pytest.raises(ResultsError, match="no 'wait' histogram"):
        run.histogram(Cell("sse"), "wait")


def test_nothing_received_still_has_its_row(tmp_path: Path) -> None:
    with writer(tmp_path / "run") as made:
        made.add(Cell("sse"), histograms={"delivery": new_histogram()}, audit=Audit(9, 0))
    row = read_run(tmp_path / "run").latency.iloc[0]
    assert (row["count"], row["lost"]) == (0, 9)
    assert np.isnan(row["p50_ms"])  # not a latency of 0


def test_a_cell_that_delivered_nothing_at_all_does_not_vanish_from_the_summary(
    tmp_path: Path,
) -> None:
    with writer(tmp_path / "run") as made:
        lost = Judgement(Verdict.SERVER_BOUND, "9 of 9 deliveries were lost")
        made.add(Cell("sse", repeat=1), audit=Audit(9, 0), judgement=lost)
        good = new_histogram()
        record_ns(good, 1_000_000)
        made.add(Cell("sse", repeat=2), histograms={"delivery": good}, audit=Audit(1, 1))
    (row,) = summarize(read_run(tmp_path / "run")).to_dict("records")
    assert (row["repeats"], row["expected"], row["lost"]) == (2, 10, 9)
    assert row["verdict"] == "SERVER-BOUND"
    assert row["p50_ms"] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.slow
def test_plain_pandas_is_enough(run: Run) -> None:
    table = pd.read_csv(run.folder / "latency.csv")
    assert list(table.columns) == columns(LatencyRow)
    assert set(table["technique"]) == set(SLUGS)
    empty = {name for name in table if table[name].isna().all()}
    assert empty == {"variant"}
    texts = {"variant": str, "reason": str}  # as the README says
    table = pd.read_csv(run.folder / "latency.csv", dtype=texts)
    table = table.fillna(dict.fromkeys(texts, ""))
    assert set(table["variant"]) == {""}
    assert table.groupby(GROUP).ngroups == len({replace(cell, repeat=0) for cell in run.cells})
    assert table["p50_ms"].dtype == "float64"


def test_every_column_is_documented() -> None:
    import results.record.rows as record

    page = (Path(record.__file__).parents[1] / "README.md").read_text()
    for row_type in (Cell, *record.ROW_TYPES):
        for field in fields(row_type):
            assert f"`{field.name}`" in page, field.name
    for metric in record.METRICS:
        assert f"`{metric}`" in page


def test_interrupted_run_keeps_complete_cells(tmp_path: Path) -> None:
    ledger = [LedgerRow(0.0, 1, 0, 0.0, 0.0, 1.0, 9.0, 0.1, 1, 0.1, 0.1)]

    def interrupted() -> None:
        with writer(tmp_path / "run") as made:
            made.add(Cell("sse"), ledger=ledger)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    # What a kill in the middle of the next cell leaves: rows that no run.json lists, one torn.
    with (tmp_path / "run" / "ledger.csv").open("a") as file:
        other = ",".join(map(str, [Cell("polling").key.replace(",", ";"), *astuple(ledger[0])]))
        file.write(f"{other}\npolling,loop")
    run = read_run(tmp_path / "run")
    assert not run.finished
    assert [cell.technique for cell in run.cells] == ["sse"]
    assert list(run.ledger["technique"]) == ["sse"]


def test_killed_before_the_first_cell_is_still_a_run(tmp_path: Path) -> None:
    writer(tmp_path / "run")  # never closed
    run = read_run(tmp_path / "run")
    assert run.cells == ()
    assert not run.finished
    assert run.latency.empty


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    writer(tmp_path / "run").close()
    with pytest.raises(ResultsError, match="already holds a run"):
        writer(tmp_path / "run")


def test_a_cell_is_added_once(tmp_path: Path) -> None:
    with writer(tmp_path / "run") as made:
        made.add(Cell("sse"))
        for same in (Cell("sse"), Cell("sse", delay_ms=25.0), Cell("sse", size_bytes=100)):
            with pytest.raises(ResultsError, match="already added"):
                made.add(same)


def test_cells_that_differ_a_little_have_names_of_their_own(tmp_path: Path) -> None:
    cells = [Cell("sse", rate=rate) for rate in (20, 20.000001, 20.000004, 1 / 3, 0.333333)]
    with writer(tmp_path / "run") as made:
        for weight, cell in enumerate(cells, 1):
            histogram = new_histogram()
            record_ns(histogram, weight)
            sizes = [BytesRow("subscriber", "down", "message", weight, 1.0, "client")]
            made.add(cell, histograms={"delivery": histogram}, bytes=sizes)
    run = read_run(tmp_path / "run")
    assert run.cells == tuple(cells)
    for weight, cell in enumerate(cells, 1):
        assert run.histogram(cell).get_max_value() == weight
        assert list(run.bytes[run.bytes["cell"] == cell.key]["bytes"]) == [weight]
    assert cells[0].key == "sse, loopback, feed, 1 user, 20/s, 100 B #1"


def test_no_run_and_broken_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no run\.json"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(FormatError, match="cannot be read"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("verdict", "VALID"),
        ("verdict", {"verdict": "MAYBE", "reason": ""}),
        ("verdict", {"verdict": "VALID"}),
        ("host", None),
        ("plan", []),
        ("cells", None),
        ("cells", ["sse"]),
        ("cells", [{"network": "loopback"}]),
        ("cells", [{"technique": "sse", "protocol": "h2"}]),
        ("cells", [{"technique": "sse"}] * 2),
    ],
)
def test_a_damaged_head_is_refused_by_name(tmp_path: Path, part: str, value: object) -> None:
    writer(tmp_path / "run").close()
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), part: value}))
    with pytest.raises(FormatError, match=rf"run\.json.*{part.rstrip('s')}"):
        read_run(tmp_path / "run")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"\xff\xfe" + data,
        lambda data: data[:-20],
        lambda data: data + b"x" * 200_000,
        lambda data: data.replace(b",VALID,", b",PERHAPS,"),
    ],
    ids=["not UTF-8", "cut", "a field without end", "an unknown verdict"],
)
def test_a_damaged_table_is_refused_by_name(
    small_run: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = small_run / "latency.csv"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FormatError, match=r"latency\.csv"):
        read_run(small_run)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(ResultsError, match="cannot be written"):
            writer(folder)


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_told(
    lost_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lost_run / "figures").write_text("")
    assert main([str(lost_run)]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.slow
def test_the_readmes_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[3]
    page = (root / "results" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    monkeypatch.chdir(root)
    for code in examples:
        names: dict[str, object] = {}
        exec(code.replace("results/runs/mine", str(tmp_path / "mine")), names)
        if isinstance(table := names.get("delivery"), pd.DataFrame):
            older = [name for name in GROUP if name in table]  # than the carrier's column
            assert table.groupby(older).ngroups == 48  # eight techniques at six levels
    assert read_run(tmp_path / "mine").finished


@pytest.mark.slow
def test_pooling(write_run: Callable[..., Path], tmp_path: Path) -> None:
    near = {"networks": (("loopback", 0.0),), "slugs": ("polling", "sse")}
    a = read_run(write_run(tmp_path / "a", repeats=2, **near))
    b = read_run(write_run(tmp_path / "b", repeats=1, seed=2, **near))
    both = pool([a, replace(b, head=a.head)])  # others may commit meanwhile
    assert sorted({cell.repeat for cell in both.cells}) == [1, 2, 3]
    assert len(both.latency) == len(a.latency) + len(b.latency)
    third = next(cell for cell in both.cells if cell.repeat == 3)
    assert both.histogram(third).equals(b.histogram(replace(third, repeat=1)))


@pytest.mark.parametrize(
    ("part", "value"),
    [("host", {"cpu": "another"}), ("plan", {"scenario": "chat"}), ("kind", "calibrate")],
)
def test_unlike_runs_are_not_pooled(run: Run, part: str, value: object) -> None:
    other = replace(run, head={**run.head, part: value})
    with pytest.raises(UnlikeRunsError, match=part) as caught:
        pool([run, other])
    assert caught.value.differences


def test_audit_adds_up() -> None:
    total = Audit(5, 4, 1, 0) + Audit(5, 5, 0, 2)
    assert asdict(total) == {"expected": 10, "received": 9, "duplicated": 1, "reordered": 2}
    assert total.lost == 1
    assert not total.clean
    assert Audit(3, 3).clean


def test_a_trial_that_failed_leaves_its_trace(tmp_path: Path) -> None:
    with writer(tmp_path / "run") as made:
        made.fail(Cell("sse"), "the server ended during the run:\nits last words")
    run = read_run(tmp_path / "run")
    assert run.failed == [(Cell("sse").key, "the server ended during the run:\nits last words")]
    assert run.judgement.verdict is Verdict.INVALID
    assert run.judgement.reason.endswith("failed: the server ended during the run:")


def test_a_run_without_cells_measured_nothing_and_is_not_valid(tmp_path: Path) -> None:
    with writer(tmp_path / "run"):
        pass
    assert read_run(tmp_path / "run").judgement == NOTHING

"""Sides that are drawn anew are the same cells under other names, and what is found is told."""

from pathlib import Path

import pytest

from loadtests.calibration.pairs import findings, main, relabelled
from results.errors import ResultsError
from results.record.histogram import NS_PER_MS, new_histogram, record_ns
from results.record.reading import Run, read_run
from results.record.rows import Audit, Cell
from results.record.verdicts import Judgement, Verdict
from results.record.writer import RunWriter

BLOCKS = 10
VALID = Judgement(Verdict.VALID)


def in_turns(folder: Path, factor: float, judgement: Judgement = VALID) -> Run:
    """Invent a run of A and B in turns; B takes ``factor`` times as long."""
    with RunWriter(folder, "compare", {}, []) as run:
        for block in range(1, BLOCKS + 1):
            for side, times in (("A", 1.0), ("B", factor)):
                histogram = new_histogram()
                for number in range(200):
                    record_ns(histogram, int((20 + block + number / 100) * times * NS_PER_MS))
                cell = Cell("sse", variant=side, users=2, rate=20.0, repeat=block)
                delivery = {"delivery": histogram}
                run.add(cell, histograms=delivery, audit=Audit(200, 200), judgement=judgement)
    return read_run(folder)


def test_few_blocks_are_refused_as_they_could_find_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--blocks", "6"])
    assert ended.value.code == 2
    assert "at least 7" in capsys.readouterr().err


def test_a_difference_is_found_where_sides_are_true_and_lost_where_they_are_drawn(
    tmp_path: Path,
) -> None:
    run = in_turns(tmp_path / "run", 1.2)
    assert any(said.startswith("p50 B is slower by 20%") for said in findings(run))
    drawn = relabelled(run, seed=1)
    assert findings(drawn) == []
    for block, rows in drawn.latency.groupby("repeat"):
        assert sorted(rows["variant"]) == ["A", "B"], block
    assert sorted(drawn.latency["p50_ms"]) == sorted(run.latency["p50_ms"])


def test_where_nothing_can_be_found_nothing_is_said_to_be_alike(tmp_path: Path) -> None:
    busy = Judgement(Verdict.HOST_BUSY, "busy")
    with pytest.raises(ResultsError, match="nothing can be found: too few blocks"):
        findings(in_turns(tmp_path / "run", 1.0, busy))

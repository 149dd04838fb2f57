"""Latency over time and its knee, on invented seconds whose answer is known; and `.hlog`."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from results.errors import ResultsError
from results.figures.over_time import knee_of_steps, latency_over_time, steps_of
from results.hlog import write_hlog
from results.record.histogram import HIGHEST_NS, merge, new_histogram, record_ns
from results.record.reading import Run, read_run
from results.record.rows import Audit, Cell
from results.record.writer import RunWriter, second_row

pytestmark = pytest.mark.slow

MS = 1_000_000
WARM_UP_S = 0.5
USERS = 2


@pytest.fixture(name="stepped", scope="module")
def stepped_(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Steps of 10, 20 and 30 messages/s, the third at 50 ms instead of 2, and a fourth begun."""
    folder = tmp_path_factory.mktemp("runs") / "stepped"
    with RunWriter(folder, "compare", {"settings": {"warm_up": WARM_UP_S}}, ["steps"]) as writer:
        for slug in ("sse", "web_socket"):
            seconds = []
            for second in range(31):
                t_s = second - 0.3  # seconds of the clock begin where they begin
                step = int((t_s + WARM_UP_S) / 10)
                histogram = new_histogram()
                for _ in range(USERS * 10 * (step + 1)):
                    record_ns(histogram, 50 * MS if step >= 2 else 2 * MS)
                seconds.append(histogram)
            whole = merge(seconds)
            count = whole.get_total_count()
            writer.add(
                Cell(slug, variant="steps", users=USERS, rate=10.0),
                histograms={"delivery": whole},
                audit=Audit(count, count),
                seconds=[second_row(at - 0.3, one) for at, one in enumerate(seconds)],
            )
    return read_run(folder)


def test_the_seconds_add_up_to_the_cell(stepped: Run) -> None:
    for cell in stepped.cells:
        rows = stepped.seconds[stepped.seconds["cell"] == cell.key]
        total = merge(HdrHistogram.decode(text) for text in rows["encoded"])
        assert list(total.counts) == list(stepped.histogram(cell).counts)
        assert len(rows) == 31


def test_steps_draw_their_knee(stepped: Run) -> None:
    table = steps_of(stepped)
    sse = table[table["technique"] == "sse"]
    assert list(sse["rate"]) == [10.0, 20.0, 30.0]
    assert list(sse["p99_ms"]) == pytest.approx([2.0, 2.0, 50.0], rel=2e-3)
    drawing = knee_of_steps(stepped)
    assert "Server-Sent Events 2 ms at 10/s, 2 ms at 20/s, 50.0 ms at 30/s" in drawing.alt
    assert "<svg" in drawing.svg()


def test_a_figure_by_the_second_tells_when_it_was_worst(stepped: Run) -> None:
    drawing = latency_over_time(stepped)
    assert "Server-Sent Events 50.0 ms at 20 s" in drawing.alt
    assert "<svg" in drawing.svg()


def test_a_run_without_seconds_draws_none(run: Run) -> None:
    for draw in (latency_over_time, knee_of_steps):
        with pytest.raises(ResultsError):
            draw(run)


def test_hlog_is_read_by_hdrhistograms_own_reader(stepped: Run, tmp_path: Path) -> None:
    paths = write_hlog(stepped, tmp_path / "logs")
    assert [path.suffix for path in paths] == [".hlog", ".hlog"]
    reader = HistogramLogReader(str(paths[0]), HdrHistogram(1, HIGHEST_NS, 3))
    intervals = []
    while (interval := reader.get_next_interval_histogram()) is not None:
        intervals.append(interval)
    reader.close()
    began = pd.Timestamp(stepped.head["started"]).timestamp()
    assert reader.get_start_time_sec() == began
    assert len(intervals) == 31
    assert intervals[3].get_start_time_stamp() / 1000 == pytest.approx(began + 3, abs=1e-3)
    assert intervals[-1].get_value_at_percentile(50) == pytest.approx(50 * MS, rel=1e-3)
    assert list(merge(intervals).counts) == list(stepped.histogram(stepped.cells[0]).counts)


def test_hlog_without_seconds_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no latencies by the second"):
        write_hlog(run, tmp_path)


def test_the_times_of_an_echo_are_its_round_trips(stepped: Run) -> None:
    from results.summary import by_subject

    echoed = stepped.latency.assign(scenario="echo")
    there = echoed.assign(metric="round_trip", p50_ms=7.0, p99_ms=9.0)
    table = by_subject(replace(stepped, latency=pd.concat([echoed, there])))
    assert list(table["p50_ms"]) == [7.0, 7.0]
    connect = stepped.latency.assign(scenario="idle", metric="connect", p50_ms=3.0)
    idle = pd.concat([stepped.latency.assign(scenario="idle"), connect])
    assert list(by_subject(replace(stepped, latency=idle))["connect_p50_ms"]) == [3.0, 3.0]
    assert by_subject(stepped)["connect_p50_ms"].isna().all()

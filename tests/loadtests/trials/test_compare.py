"""The main job for real, small: every technique delivers, and what was measured can be read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from loadtests.trials.compare import parse_arguments
from results.record.reading import read_run
from wire.techniques import SLUGS

ROOT = Path(__file__).resolve().parents[3]
SMALL = ["--users", "3", "--rate", "20", "--seconds", "1", "--poll-interval", "0.2", "--seed", "1"]


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "loadtests", *SMALL, "--out", str(folder), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    "line",
    [
        "--rate 0",
        "--rate nan",
        "--rate 20 inf",
        "--users 0",
        "--users -3",
        "--seconds 0",
        "--seconds inf",
        "--size -1",
        "--size 100000000000",
        "--poll-interval 0",
        "--hold -1",
        "--delay -1",
        "--delay nan",
        "--warm-up -1",
        "--repeat 0",
        "--processes -1",
        "--full --users 5",
        "--full --delay 7",
        "--rate-shape spike",
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(line.split())
    assert end.value.code == 2
    assert line.split()[0] in capsys.readouterr().err.splitlines()[-1]


def test_what_can_be_measured_is_taken() -> None:
    line = (
        "--users 1 7 --rate 0.5 --delay 0 2.5 --size 0 --warm-up 0 --repeat 1 "
        "--rate-shape spike --seconds 20"
    )
    options = parse_arguments(line.split())
    assert (options.users, options.rate, options.delay) == ([1, 7], [0.5], [0.0, 2.5])
    assert (options.size, options.warm_up, options.seconds) == (0, 0.0, 20.0)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_all_eight_deliver_everything_and_the_run_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(folder, "--delay", "0")
    printed, _ = process.communicate(timeout=170)
    assert process.returncode == 0, printed
    run = read_run(folder)
    assert {cell.technique for cell in run.cells} == set(SLUGS)
    assert run.head["finished"] is True
    rows = pd.read_csv(folder / "latency.csv")
    delivery = rows[rows["metric"] == "delivery"].set_index("technique")
    assert set(delivery.index) == set(SLUGS)
    for slug, row in delivery.iterrows():
        assert row["expected"] > 0, slug
        assert row["received"] == row["expected"], slug
        assert (row["duplicated"], row["reordered"]) == (0, 0), slug
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"], slug
    layers = pd.read_csv(folder / "bytes.csv")
    down = layers[(layers["role"] == "subscriber") & (layers["direction"] == "down")]
    assert set(down["technique"]) == set(SLUGS)
    assert (down["bytes"] > 0).all()
    assert (folder / "report.html").read_text().count("<figure") >= 3
    assert "Server-Sent Events" in printed


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_interrupted_it_keeps_what_was_measured_and_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(folder, "--delay", "0", "--techniques", "sse", "polling", "--repeat", "9")
    deadline = time.monotonic() + 60
    try:
        while not (folder / "latency.csv").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        # Somewhere within the second cell, so that there are children to end.
        parent = psutil.Process(process.pid)
        while len(children := parent.children(recursive=True)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1, printed
    _, alive = psutil.wait_procs(children, timeout=5)
    assert not alive
    run = read_run(folder)
    assert run.head["finished"] is False
    assert 1 <= len(run.cells) < 18
    assert (folder / "report.html").exists()

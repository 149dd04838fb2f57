"""The search for the knee, on knees that are known; and once for real."""

import math
from pathlib import Path

import pytest

from loadtests.trials import knee
from loadtests.trials.knee import PRECISE, search
from results.record.reading import read_run


@pytest.mark.parametrize("at", [3.0, 99.0, 100.0, 101.0, 777.0, 5000.0])
def test_a_known_knee_is_found_from_below_and_from_above(at: float) -> None:
    tried: list[float] = []

    def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= at

    found = search(holds, 100.0, 10_000.0)
    assert found.good <= at < found.bad
    assert found.bad / found.good <= PRECISE
    assert len(tried) == len(set(tried)) < 16


def test_what_never_breaks_ends_at_the_highest_rate() -> None:
    assert search(lambda rate: True, 100.0, 1000.0) == knee.Found(1000.0, math.inf)


def test_what_never_holds_ends_near_one_message_a_second() -> None:
    found = search(lambda rate: False, 100.0, 1000.0)
    assert found.good == 0
    assert found.bad <= 1


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs", "one_figure")
@pytest.mark.timeout(120)
def test_a_threshold_that_no_rate_keeps_is_said_for_each_try(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--techniques sse --users 2 --seconds 0.5 --warm-up 0 --start 1 --most 2"
    status = knee.main([*words.split(), "--fail-if", "p50 > 0 ms", "--out", f"{tmp_path}/run"])
    printed = capsys.readouterr().out
    assert status == 0
    assert "no rate held" in printed
    assert "report.html" in "".join(printed.split())
    assert (tmp_path / "run" / "report.html").exists()
    run = read_run(tmp_path / "run")
    assert run.kind == "knee"
    assert len(run.cells) == 2  # failed twice, at the one rate that is not below 1

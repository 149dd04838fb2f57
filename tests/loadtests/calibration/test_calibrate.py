"""calibrate prints and records its comparisons, and says by its status whether all passed."""

import re
from pathlib import Path

import pandas as pd
import pytest

from loadtests.__main__ import main
from loadtests.calibration.calibrate import PARTS, short
from results.record.reading import read_run
from wire.techniques import SLUGS


def test_numbers_are_short() -> None:
    assert [short(value) for value in (180_000.0, 0.0909, 43.276)] == ["180,000", "0.0909", "43.28"]


def test_every_kind_of_oracle_has_its_part() -> None:
    kinds = {"polling", "long_polling", "naive", "streams", "freeze", "bare", "foreign", "faults"}
    assert kinds <= set(PARTS)


def test_a_server_that_lacks_something_is_left_out_with_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("loadtests.trials.processes._SYSTEM", str(tmp_path))
    left_out = list(PARTS["foreign"]())
    assert len(left_out) == 2
    for words in left_out:
        assert re.search(r"needs (node|nginx), which is not here: .*sudo apt install", str(words))


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
def test_the_exact_part_passes_for_every_technique_and_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    status = main(["calibrate", "--only", "exact", "--out", str(folder)])
    said = capsys.readouterr().out
    assert status == 0, said
    assert "every check passed" in said
    checks = pd.read_csv(folder / "checks.csv")
    assert checks["passed"].all()
    assert set(checks["technique"]) == set(SLUGS)
    assert len(checks) > 30
    assert read_run(folder).head["kind"] == "calibrate"

"""A check against a model allows for the machine's own work, and for nothing else."""

import pytest
from hdrh.histogram import HdrHistogram

from loadtests.calibration import against_models as models
from loadtests.calibration.against_models import stream_check
from results.record.histogram import NS_PER_MS, new_histogram, record_ns

LINE_MS = 25.0


def measured(*milliseconds: float) -> HdrHistogram:
    histogram = new_histogram()
    for each in milliseconds:
        record_ns(histogram, round(each * NS_PER_MS))
    return histogram


@pytest.mark.parametrize("machine_ms", [0.4, 2.0, 12.0])
def test_a_slow_machine_is_no_fault_of_the_instrument(machine_ms: float) -> None:
    bare = [round(machine_ms * NS_PER_MS)] * 3
    check = stream_check(measured(*[LINE_MS + machine_ms] * 3), bare)
    assert check.passed
    assert check.expected == pytest.approx(LINE_MS + machine_ms)
    assert f"m = {machine_ms:.2f} ms" in check.note


@pytest.mark.parametrize("shift_ms", [5.0, -5.0])
@pytest.mark.parametrize("machine_ms", [0.4, 2.0, 12.0])
def test_stamps_that_are_wrong_by_5_ms_fail(machine_ms: float, shift_ms: float) -> None:
    bare = [round(machine_ms * NS_PER_MS)] * 3
    assert not stream_check(measured(*[LINE_MS + machine_ms + shift_ms] * 3), bare).passed


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(120)
def test_a_line_that_is_5_ms_longer_than_is_said_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the host is: what it adds, the bare sockets see."""
    monkeypatch.setattr(models, "_TRIES", 1)
    (check,) = models.stream("sse", late_ms=5.0, seconds=2.0).checks
    assert not check.passed
    assert check.measured > LINE_MS + 5.0

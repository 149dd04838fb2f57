import logging

import pytest

from servers.front.sparing import Sparing


def record(line: int) -> logging.LogRecord:
    return logging.LogRecord("x", logging.ERROR, "file.py", line, "it %s", ("failed",), None)


def test_the_same_complaint_is_written_a_few_times_and_others_still_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("servers.front.sparing.time.monotonic", lambda: now[0])
    sparing = Sparing()
    first = [one for one in (record(1) for _ in range(1000)) if sparing.filter(one)]
    assert [one.getMessage() for one in first[:-1]] == ["it failed"] * 4
    assert "not shown" in first[-1].getMessage()
    assert sparing.filter(record(2))
    assert sum(sparing.filter(record(line)) for line in range(10_000)) <= 100
    now[0] += 61
    assert sparing.filter(record(1))

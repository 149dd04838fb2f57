"""Measuring from Python, as a notebook or a test of somebody else's does it."""

from pathlib import Path
from typing import Any

import pytest

from loadtests.plan.options import USUAL
from loadtests.trials.measuring import measure
from results.record.reading import Run, read_run


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"techniques": "quic"}, "'quic' is no technique"),
        ({"users": 0}, "users: 0 is not a whole number of at least 1"),
        ({"rate": 0}, "rate: '0' is not"),
        ({"delay_ms": float("nan")}, "delay_ms: nan"),
        ({"speed": 3}, "no setting 'speed'; there are .*rate"),
        ({"scenario": "rush"}, "scenario: 'rush' is not one of feed"),
        ({"scenario": "echo", "rate_shape": "spike"}, "rate_shape: the scenario 'echo' does not"),
    ],
)
def test_what_cannot_be_measured_is_refused(told: dict[str, Any], said: str) -> None:
    words: dict[str, Any] = {"techniques": "sse"} | told
    with pytest.raises(ValueError, match=said):
        measure(words.pop("techniques"), **words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("measured") / "run"


@pytest.fixture(scope="module")
def by_tls(folder: Path, forked_programs: None) -> Run:
    """What one call gave of two techniques, over a relay."""
    load: dict[str, Any] = {"users": 3, "rate": 40, "seconds": 1, "warm_up": 0}
    return measure(["sse", "polling"], delay_ms=1, tls=True, out=folder, **load)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_one_call_gives_tables_audit_and_verdict(by_tls: Run, folder: Path) -> None:
    run = by_tls
    assert run.verdict.reason or run.verdict.verdict == "VALID"
    assert run.audit.received == run.audit.expected > 0
    delivery = run.latency[run.latency["metric"] == "delivery"]
    assert set(delivery["technique"]) == {"sse", "polling"}
    assert set(delivery["users"]) == {3}
    assert set(delivery["rate"]) == {40.0}
    assert run.head["plan"]["settings"]["arrivals"] == USUAL.arrivals
    assert read_run(folder).audit == run.audit


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(60)
def test_of_less_than_a_second_the_cpu_is_known_or_the_cell_is_not_valid() -> None:
    run = measure("sse", users=2, rate=50, seconds=0.3, warm_up=0)
    known = not run.ledger.empty and bool(run.ledger["server_cpu"].notna().all())
    assert known or run.verdict.verdict == "INVALID", run.verdict


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(60)
def test_a_slow_line_carries_so_much_and_no_more() -> None:
    """A message of 2,000 B is under way for half a second where 4 kB/s pass."""
    run = measure(
        "sse",
        users=2,
        kilobytes_per_s=4,
        rate=3,
        seconds=2,
        size=2000,
        warm_up=0,
        arrivals="constant",
    )
    assert {cell.network for cell in run.cells} == {"relay 0 ms, 4 kB/s"}
    assert run.audit.clean
    assert run.latency.loc[run.latency["metric"] == "delivery", "p50_ms"].min() > 500


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_by_tls_the_bytes_of_each_record_are_told_apart(by_tls: Run) -> None:
    run = by_tls
    assert run.audit.clean
    assert run.audit.received > 0
    assert {cell.carrier for cell in run.cells} == {"h1+tls"}
    assert "h1+tls" in run.cells[0].key
    counts = run.bytes.set_index(["technique", "role", "direction", "layer"])["bytes"]
    for slug in ("sse", "polling"):
        for role in ("subscriber", "publisher"):
            assert counts[slug, role, "down", "tls"] % 22 == 0
            assert counts[slug, role, "down", "tls"] > 0
            assert counts[slug, role, "down", "framing"] > 0
        assert counts[slug, "publisher", "up", "tls_handshake"] > 0
        # Who subscribed before the load began has its handshake behind it.
        assert counts[slug, "subscriber", "down", "tls_handshake"] == 0

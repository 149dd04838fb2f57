"""Readings of totals become rates of the measured seconds."""

from typing import Any

import pytest

from loadtests.measures.condition import Condition
from loadtests.measures.core_time import CoreTime
from loadtests.trials.sampler import Reading, kept_waiting, ledger_rows, stalls


def reading(at_s: float, **values: Any) -> Reading:
    names = ("pid", "cpu_s", "rss_bytes", "open", "held", "requests", "connections", "deliveries")
    known: dict[str, Any] = dict.fromkeys((*names, "bytes_down"), 0) | values
    return Reading(at_s=at_s, **known)


def test_rates_are_differences_divided_by_the_time_between() -> None:
    readings = [
        reading(10.0, requests=100, cpu_s=1.0, bytes_down=1000),
        reading(12.0, requests=140, cpu_s=1.5, bytes_down=5000, open=7, held=3, rss_bytes=9),
    ]
    (row,) = ledger_rows(readings, [], 10.0, 12.0)
    assert (row.t_s, row.requests_per_s, row.server_cpu, row.bytes_per_s) == (2, 20, 0.25, 2000)
    assert (row.open_sockets, row.held_requests, row.server_rss_bytes) == (7, 3, 9)


def test_only_the_measured_time_counts() -> None:
    readings = [reading(float(second)) for second in range(8)]
    rows = ledger_rows(readings, [], 2.0, 5.0)
    assert [row.t_s for row in rows] == [1.0, 2.0, 3.0]


def test_the_busiest_generator_process_of_each_second_counts() -> None:
    idle = Condition([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], [1.0, 1.0, 1.0], [0, 0, 0])
    busy = Condition([1.1, 2.1, 3.1], [0.2, 0.9, 0.2], [2.0, 70.0, 2.0], [0, 0, 0])
    rows = ledger_rows([reading(1.0), reading(2.0), reading(3.0)], [idle, busy], 1.0, 3.0)
    assert [row.generator_cpu for row in rows] == [0.9, 0.2]
    assert [row.generator_lag_ms for row in rows] == [pytest.approx(70.0), pytest.approx(2.0)]


def test_two_workers_on_one_core_use_it_up_together() -> None:
    shares = [Condition([1.0, 2.0], [0.48] * 2, [1.0] * 2, [0, 0]) for _ in range(2)]
    readings = [reading(1.0), reading(2.0)]
    assert [row.generator_cpu for row in ledger_rows(readings, shares, 1.0, 2.0, 1)] == [0.96]
    assert [row.generator_cpu for row in ledger_rows(readings, shares, 1.0, 2.0, 2)] == [0.48]


def test_a_wait_for_a_core_is_told_for_each_turn_without_what_our_own_processes_used() -> None:
    readings = [
        reading(1.0, server=CoreTime(1.0, 0.0, 100), relay=CoreTime(1.0, 0.0, 100)),
        reading(2.0, server=CoreTime(1.1, 0.3, 200), relay=CoreTime(1.1, 0.1, 150)),
    ]
    (row,) = ledger_rows(readings, [], 1.0, 2.0)
    assert row.server_wait_ms == pytest.approx(2.0)  # 0.3 s, of which the relay had 0.1
    assert row.relay_wait_ms == 0
    assert row.generator_wait_ms is None
    assert stalls(readings, 1.0, 2.0) == [
        ("the server", [pytest.approx(200.0)]),
        ("the relay", [0.0]),
    ]
    assert stalls([reading(1.0), reading(2.0)], 1.0, 2.0) == []
    (row,) = ledger_rows([reading(1.0), reading(2.0)], [], 1.0, 2.0)
    assert row.server_wait_ms is None


def test_between_two_processes_of_a_server_there_is_no_rate() -> None:
    """The new one may have used as much CPU as the old one; rates below 0 would be nonsense."""
    readings = [
        reading(10.0, pid=1, cpu_s=0.5, requests=90, bytes_down=4000),
        reading(11.0, pid=2, cpu_s=0.5, requests=40, bytes_down=500),
        reading(12.0, pid=2, cpu_s=0.6, requests=50, bytes_down=900),
    ]
    assert [row.requests_per_s for row in ledger_rows(readings, [], 10.0, 12.0)] == [10]


def test_workers_wait_for_each_other_and_for_strangers_in_turns() -> None:
    """Two use a twentieth of their core each, and wait for as long: for whom tells who had it."""

    def waits(busy: float) -> float | None:
        two = [
            Condition([1.0], [0.05], [1.0], [0.0], waited=[0.05], turns=[100.0], busy=[busy])
            for _ in range(2)
        ]
        return kept_waiting(two, 1.0)

    assert waits(0.1) == 0  # nobody else was there, so each waited for the other
    assert waits(0.15) == 0  # nor surely here
    assert waits(0.25) == pytest.approx(0.25)  # strangers computed as much as the other
    assert waits(1.15) == pytest.approx(0.5 * 0.95 / 1.0)

"""Readings of totals become rates of the measured seconds."""

import pytest

from loadtests.generator import Condition
from loadtests.sampler import Reading, ledger_rows


def reading(at_s, **values):
    names = ("cpu_s", "rss_bytes", "open", "held", "requests", "connections", "deliveries")
    known = dict.fromkeys((*names, "bytes_down"), 0) | values
    return Reading(at_s=at_s, **known)


def test_rates_are_differences_divided_by_the_time_between():
    readings = [
        reading(10.0, requests=100, cpu_s=1.0, bytes_down=1000),
        reading(12.0, requests=140, cpu_s=1.5, bytes_down=5000, open=7, held=3, rss_bytes=9),
    ]
    (row,) = ledger_rows(readings, [], 10.0, 12.0)
    assert (row.t_s, row.requests_per_s, row.server_cpu, row.bytes_per_s) == (2, 20, 0.25, 2000)
    assert (row.open_sockets, row.held_requests, row.server_rss_bytes) == (7, 3, 9)


def test_only_the_measured_time_counts():
    readings = [reading(float(second)) for second in range(8)]
    rows = ledger_rows(readings, [], 2.0, 5.0)
    assert [row.t_s for row in rows] == [1.0, 2.0, 3.0]


def test_the_busiest_generator_process_of_each_second_counts():
    idle = Condition([1.0, 2.0, 3.0], [0.1, 0.1, 0.1], [1.0, 1.0, 1.0], [0, 0, 0])
    busy = Condition([1.1, 2.1, 3.1], [0.2, 0.9, 0.2], [2.0, 70.0, 2.0], [0, 0, 0])
    rows = ledger_rows([reading(1.0), reading(2.0), reading(3.0)], [idle, busy], 1.0, 3.0)
    assert [row.generator_cpu for row in rows] == [0.9, 0.2]
    assert [row.generator_lag_ms for row in rows] == [pytest.approx(70.0), pytest.approx(2.0)]

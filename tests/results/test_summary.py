"""Medians, intervals and comparisons on data whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from results.record.reading import Run
from results.summary import bootstrap_interval, name_of, summarize
from wire.techniques import SLUGS


def test_bootstrap_of_equal_values_is_that_value() -> None:
    assert bootstrap_interval([7.0] * 5) == (7.0, 7.0)


def test_bootstrap_needs_two_values() -> None:
    assert np.isnan(bootstrap_interval([7.0])).all()
    assert np.isnan(bootstrap_interval([])).all()


def test_bootstrap_is_repeatable_and_inside() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 50.0]
    low, high = bootstrap_interval(values)
    assert (low, high) == bootstrap_interval(values)
    assert 1.0 <= low < 3.0 < high <= 50.0


def test_bootstrap_covers_the_median() -> None:
    random = np.random.default_rng(7)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval(list(random.normal(10, 1, 25)), seed=seed)
        hits += low <= 10 <= high
    assert 180 <= hits <= 200  # 95 % of 200, with room for chance


def test_summary_has_a_row_for_each_combination(run: Run) -> None:
    table = summarize(run)
    assert list(table["technique"]) == [*SLUGS, *SLUGS]
    assert list(table["network"].unique()) == ["loopback", "relay 25 ms"]
    sse = table[(table["technique"] == "sse") & (table["network"] == "loopback")].iloc[0]
    rows = run.latency[
        (run.latency["technique"] == "sse")
        & (run.latency["network"] == "loopback")
        & (run.latency["metric"] == "delivery")
    ]
    assert sse["repeats"] == 2
    assert sse["p50_ms"] == pytest.approx(rows["p50_ms"].median())
    assert sse["p50_low"] <= sse["p50_ms"] <= sse["p50_high"]
    assert sse["expected"] == rows["expected"].sum()
    assert sse["bytes_down"] == 150 + 28 + 52
    polling = table[table["technique"] == "polling"].iloc[0]
    assert (polling["verdict"], polling["lost"]) == ("SERVER-BOUND", 6)


def test_disagreeing_repeats_are_unstable(run: Run) -> None:
    latency = run.latency.copy()
    chosen = (latency["technique"] == "sse") & (latency["repeat"] == 2)
    latency.loc[chosen, "p50_ms"] *= 9
    table = summarize(replace(run, latency=latency)).set_index("technique")
    assert set(table["verdict"][["sse"]]) == {"UNSTABLE"}
    assert "the repeats disagree" in table["reason"][["sse"]].iloc[0]
    assert set(table["verdict"][["web_socket"]]) == {"VALID"}


def test_what_was_carried_otherwise_is_another_combination(run: Run) -> None:
    keys = {cell.key for cell in run.cells if cell.repeat == 1}
    is_first = run.latency["cell"].isin(keys)
    latency = run.latency.assign(carrier=run.latency["carrier"].mask(is_first, "h1+tls"))
    table = summarize(replace(run, latency=latency))
    assert set(table["repeats"]) == {1}
    assert list(table["carrier"].unique()) == ["h1", "h1+tls"]
    assert "loopback, h1+tls, " in name_of(table[table["carrier"] == "h1+tls"].iloc[0])
    assert "h1" not in name_of(table[table["carrier"] == "h1"].iloc[0])

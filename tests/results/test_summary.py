"""Medians, intervals and comparisons on data whose answer is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.errors import UnlikeRunsError
from results.record.reading import Run, read_run
from results.record.verdicts import Verdict
from results.summary import bootstrap_interval, compare, rank_sum_p, summarize
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


def test_rank_sum_known_values() -> None:
    # Complete separation: 2 of C(n + m, n) ways are as extreme.
    assert rank_sum_p([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert rank_sum_p([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert rank_sum_p([1.0], []) == 1.0
    assert rank_sum_p([5, 5, 5], [5, 5, 5]) == 1.0


def test_rank_sum_of_many_is_sampled_and_right() -> None:
    low, high = list(range(20)), list(range(100, 120))
    assert rank_sum_p(low, high) < 0.001
    assert rank_sum_p(low, [value + 0.5 for value in low]) > 0.5


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
    assert set(table.loc[["sse"], "verdict"]) == {"UNSTABLE"}
    assert "the repeats disagree" in table.loc[["sse"], "reason"].iloc[0]
    assert set(table.loc[["web_socket"], "verdict"]) == {"VALID"}


@pytest.fixture(scope="session")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[..., Path], float], tuple[Run, Run]]:
    """Return a builder of two runs, the second ``slow`` times as slow."""

    def build(write_run: Callable[..., Path], slow: float) -> tuple[Run, Run]:
        folder = tmp_path_factory.mktemp("pair")
        plan = {"repeats": 4, "networks": (("loopback", 0.0),)}
        a = read_run(write_run(folder / "a", seed=1, bad={"polling": Verdict.UNSTABLE}, **plan))
        b = read_run(write_run(folder / "b", seed=2, slow=slow, **plan))
        return a, b

    return build


@pytest.mark.slow
def test_a_slower_run_is_found(
    pair: Callable[..., tuple[Run, Run]], write_run: Callable[..., Path]
) -> None:
    found = compare(*pair(write_run, 3.0))
    medians = found.table[found.table["figure"] == "p50"].set_index("technique")
    assert medians.loc["sse", "finding"] == "B is slower"
    assert medians.loc["sse", "change"] == pytest.approx(2.0, rel=0.1)
    assert medians.loc["polling", "finding"] == "not compared: UNSTABLE"
    assert found.only_a == found.only_b == []


def test_a_run_does_not_differ_from_itself(run: Run) -> None:
    table = compare(run, run).table
    assert (table["p"] == 1).all()
    valid = table[~table["technique"].isin(["polling", "long_polling"])]
    assert set(valid["finding"]) == {"too few repeats to tell (4 needed)"}


@pytest.mark.slow
def test_like_runs_show_no_difference(
    pair: Callable[..., tuple[Run, Run]], write_run: Callable[..., Path]
) -> None:
    found = compare(*pair(write_run, 1.0)).table
    equal = found[(found["figure"] == "p50") & (found["technique"] != "polling")]
    # One in twenty may differ by chance.
    assert (equal["finding"] == "no significant difference").sum() >= 6


def test_unlike_hosts_are_refused_unless_allowed(run: Run) -> None:
    other = replace(run, head={**run.head, "host": {**run.head["host"], "cpu": "another"}})
    with pytest.raises(UnlikeRunsError, match="--unlike-hosts"):
        compare(run, other)
    assert "host" in compare(run, other, allow_unlike_hosts=True).differing


def test_what_differs_is_said(run: Run) -> None:
    other = replace(
        run,
        head={**run.head, "versions": {"aiohttp": "0"}, "plan": {**run.head["plan"], "seed": 4}},
        latency=run.latency[run.latency["technique"] != "sse"],
    )
    found = compare(run, other)
    assert "versions" in found.differing
    assert "plan" not in found.differing  # another seed is no other plan
    assert len(found.only_a) == 2
    assert found.only_b == []

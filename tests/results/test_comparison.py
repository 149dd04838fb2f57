"""A against B: identical ones are not told apart, planted differences are."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from results.comparison import compare, compare_sides, has_sides
from results.errors import ResultsError, UnlikeRunsError
from results.record.naming import side_of
from results.record.reading import Run, read_run
from results.record.rows import Cell, LatencyRow, columns
from results.record.verdicts import Verdict


@pytest.fixture(scope="session")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[..., Path], float], tuple[Run, Run]]:
    """Return a builder of two runs, the second ``slow`` times as slow."""

    def build(write_run: Callable[..., Path], slow: float) -> tuple[Run, Run]:
        folder = tmp_path_factory.mktemp("pair")
        some = ("polling", "sse", "web_socket")
        plan = {"repeats": 4, "networks": (("loopback", 0.0),), "slugs": some}
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
    assert medians.loc["sse", "finding"] == "B was slower then"
    assert medians.loc["sse", "change"] == pytest.approx(2.0, rel=0.1)
    assert medians.loc["polling", "finding"] == "not compared: UNSTABLE"
    assert found.only_a == found.only_b == []


def test_a_run_does_not_differ_from_itself(run: Run) -> None:
    table = compare(run, run).table
    valid = table[~table["technique"].isin(["polling", "long_polling"])]
    assert set(valid["finding"]) == {"no difference that matters"}


@pytest.mark.slow
def test_like_runs_show_no_difference(
    pair: Callable[..., tuple[Run, Run]], write_run: Callable[..., Path]
) -> None:
    found = compare(*pair(write_run, 1.0)).table
    equal = found[(found["figure"] == "p50") & (found["technique"] != "polling")]
    assert ~equal["finding"].str.startswith("B was").any()


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


def in_turns(
    run: Run,
    *,
    factor: float,
    blocks: int,
    seed: int,
    techniques: tuple[str, ...] = ("sse", "web_socket"),
    drift: float = 0.3,
) -> Run:
    """Return an invented run of A and B in turns; B's times are ``factor`` times A's.

    Each block has a drift of its own, which both sides share, and each cell its own noise.
    """
    chance = np.random.default_rng(seed)
    cells, rows = [], []
    for block in range(1, blocks + 1):
        shared = chance.lognormal(0, drift)
        for slug in techniques:
            for side, times in (("A", 1.0), ("B, full headers", factor)):
                cell = Cell(slug, variant=side, users=40, rate=20.0, repeat=block)
                p50 = 2.0 * shared * times * chance.lognormal(0, 0.05)
                row = dict.fromkeys(columns(LatencyRow), 0) | vars_of(cell)
                row |= {"metric": "delivery", "count": 800, "p50_ms": p50}
                row |= {"p99_ms": 3 * p50 * chance.lognormal(0, 0.2)}
                row |= {"verdict": "VALID", "reason": ""}
                cells.append(cell)
                rows.append(row)
    return replace(run, cells=tuple(cells), latency=pd.DataFrame(rows))


def vars_of(cell: Cell) -> dict[str, object]:
    return {"cell": cell.key} | {name: getattr(cell, name) for name in Cell.__slots__}


def test_twenty_identical_pairs_give_at_most_one_finding(run: Run) -> None:
    findings = []
    for seed in range(20):
        table = compare_sides(in_turns(run, factor=1.0, blocks=10, seed=seed))
        findings.append(bool(table["finding"].str.startswith("B is").any()))
    assert sum(findings) <= 1


def test_a_planted_fifth_is_found_with_an_interval_that_holds_it(run: Run) -> None:
    for seed in range(5):
        table = compare_sides(in_turns(run, factor=1.2, blocks=10, seed=seed))
        medians = table[table["figure"] == "p50"]
        assert set(medians["finding"]) == {"B is slower"}
        # Of a 95 % interval one in twenty may miss; all lie near.
        assert (medians["low"] < 0.2 + 0.05).all()
        assert (medians["high"] > 0.2 - 0.05).all()
        assert (medians["p"] <= 0.05).all()


def test_what_the_minute_does_to_both_sides_is_no_difference(run: Run) -> None:
    unsteady = in_turns(run, factor=1.0, blocks=10, seed=3, drift=0.6)
    assert not compare_sides(unsteady)["finding"].str.startswith("B is").any()


def test_too_few_blocks_are_said_with_how_many_it_takes(run: Run) -> None:
    table = compare_sides(in_turns(run, factor=2.0, blocks=5, seed=1, drift=0.0))
    assert set(table["finding"]) == {"too few blocks to tell (8 needed)"}  # of four tests
    assert table["low"].isna().all()


def test_a_combination_that_is_not_valid_is_not_compared(run: Run) -> None:
    pair = in_turns(run, factor=2.0, blocks=8, seed=1, drift=0.0)
    pair.latency.loc[pair.latency["technique"] == "sse", "verdict"] = "SERVER-BOUND"
    table = compare_sides(pair).set_index("technique")
    assert set(table["finding"][["sse"]]) == {"not compared: SERVER-BOUND"}
    assert "B is slower" in set(table["finding"][["web_socket"]])


def test_a_block_whose_generator_was_late_is_left_out(run: Run) -> None:
    pair = in_turns(run, factor=1.5, blocks=10, seed=1, drift=0.0)
    late = pair.latency["repeat"].isin([3, 4]) & pair.latency["variant"].eq("A")
    pair.latency.loc[late, "verdict"] = "GENERATOR-BOUND"
    pair.latency.loc[late, "p50_ms"] = 500.0
    table = compare_sides(pair)
    assert set(table["blocks"]) == {8}
    assert set(table[table["figure"] == "p50"]["finding"]) == {"B is slower"}


def test_sides_that_do_not_pair_are_refused(run: Run) -> None:
    pair = in_turns(run, factor=1.0, blocks=8, seed=1)
    one = pair.latency["technique"].eq("sse") & pair.latency["variant"].ne("A")
    with pytest.raises(ResultsError, match="A has 2 combinations and B 1"):
        compare_sides(replace(pair, latency=pair.latency[~one]))


def test_a_side_is_the_first_word_of_a_variant(run: Run) -> None:
    assert [side_of(words) for words in ("A", "B, full headers", "", "Anything")] == [
        "A",
        "B",
        "",
        "",
    ]
    assert has_sides(in_turns(run, factor=1.0, blocks=1, seed=1))
    assert not has_sides(run)

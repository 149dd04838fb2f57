"""A against B: measured in turns, which can tell; or two runs of two times, which cannot.

What a machine does drifts from minute to minute, so the repeats of one run have more in common
with each other than with those of another run: they are no independent samples of a technique.
The unit of a comparison is therefore the **block**, in which A and B were measured side by side
(``compare --and``, ``--against``). Each block gives one ratio, and from the ratios come an effect
with its interval and a p value (:mod:`results.paired`), corrected for the number of tests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from results import paired
from results.errors import ResultsError, UnlikeRunsError
from results.record.naming import SIDES, side_of, unusual
from results.record.reading import Run, differences
from results.record.rows import FIGURES
from results.record.verdicts import Judgement, Verdict, worst
from results.summary import GROUP, judgement_of, name_of
from wire.techniques import SLUGS

# The least effect that matters: less would be no reason to choose anything.
LEAST_SHARE, LEAST_MS = 0.05, 0.05
# In a block with any other verdict the numbers are not the server's: it is left out.
_OF_SERVER = frozenset({Verdict.VALID, Verdict.SERVER_BOUND, Verdict.UNSTABLE})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    ``differing`` says what is unlike besides the results; ``table`` has one row per combination
    that both measured, with ``a_ms``, ``b_ms`` (medians over the repeats of p50 or p99),
    ``change`` (b over a, less 1) and ``finding``; ``only_a`` and ``only_b`` name combinations of
    one run alone.
    """

    differing: dict[str, list[str]]
    table: pd.DataFrame
    only_a: list[str]
    only_b: list[str]


def compare(a: Run, b: Run, allow_unlike_hosts: bool = False) -> Comparison:
    """Put the delivery latencies of two runs side by side.

    A change is said where all repeats of one run lie above all of the other; why it changed, two
    times cannot tell. Raises :class:`~results.errors.UnlikeRunsError` when the runs were made on
    unlike hosts, unless allowed: then a difference may be the machine's.
    """
    differing = differences(a, b)
    if "host" in differing and not allow_unlike_hosts:
        raise UnlikeRunsError(
            "the runs were made on unlike hosts (" + "; ".join(differing["host"]) + "), so a "
            "difference may be the machine's; allow it with --unlike-hosts",
            tuple(differing["host"]),
        )
    ours, theirs = _combinations(a), _combinations(b)
    rows = []
    for group in (group for group in ours if group in theirs):
        bad = worst([judgement_of(ours[group]), judgement_of(theirs[group])])
        for figure in FIGURES:
            before = list(ours[group][f"{figure}_ms"].dropna())
            after = list(theirs[group][f"{figure}_ms"].dropna())
            row: dict[str, object] = dict(zip(GROUP, group, strict=True))
            row |= {"figure": figure, "a_ms": _median(before), "b_ms": _median(after)}
            row |= {"repeats_a": len(before), "repeats_b": len(after)}
            row |= {"change": _change(before, after), "finding": _of_times(before, after, bad)}
            rows.append(row)
    return Comparison(
        differing,
        pd.DataFrame(rows),
        [_name(group) for group in ours if group not in theirs],
        [_name(group) for group in theirs if group not in ours],
    )


def _of_times(before: Sequence[float], after: Sequence[float], bad: Judgement) -> str:
    if bad.verdict is not Verdict.VALID:
        return f"not compared: {bad.verdict}"
    if min(len(before), len(after)) < 2:
        return "one repeat says nothing of its spread"
    change, a_ms = _change(before, after), _median(before)
    matters = abs(change) > _least(a_ms)
    if matters and min(after) > max(before):
        return "B was slower then"
    if matters and max(after) < min(before):
        return "B was faster then"
    return "within the repeats' spread" if matters else "no difference that matters"


def has_sides(run: Run) -> bool:
    """Whether the run measured two sides in turns."""
    return {side_of(cell.variant) for cell in run.cells} == {*SIDES}


def compare_sides(run: Run) -> pd.DataFrame:
    """Compare the two sides of a run that measured them in turns, block by block.

    One row per pair of combinations and figure: the columns of A's combination; ``b`` (B's, in
    words); ``a_ms``, ``b_ms``, ``blocks``, ``change`` (B over A, less 1) with its 95 % interval
    ``low`` to ``high``; ``least`` (the least change that matters), ``p`` (corrected, against "not
    more than ``least``") and ``finding``.
    """
    rows = []
    for a, b in _pairs(run):
        # The cells' own verdicts: that the repeats disagree is what blocks are there for.
        verdicts = {Verdict(word) for word in [*a["verdict"], *b["verdict"]]}
        bad = worst(Judgement(found) for found in verdicts & _OF_SERVER)
        for figure in FIGURES:
            ours, theirs = (_by_block(rows, figure) for rows in (a, b))
            blocks = [block for block in ours if block in theirs]
            ratios = [math.log(theirs[block] / ours[block]) for block in blocks]
            a_ms = _median([ours[block] for block in blocks])
            b_ms = _median([theirs[block] for block in blocks])
            low, high = (math.expm1(edge) for edge in paired.interval(ratios))
            row: dict[str, object] = {name: a.iloc[0][name] for name in GROUP}
            row |= {"b": name_of(b.iloc[0]), "figure": figure, "blocks": len(ratios)}
            row |= {"a_ms": a_ms, "b_ms": b_ms}
            row |= {"change": math.expm1(paired.middle(ratios)), "low": low, "high": high}
            row |= {"least": _least(a_ms), "verdict": str(bad.verdict)}
            row["p"] = paired.exceeds_p(ratios, math.log1p(_least(a_ms))) if ratios else math.nan
            rows.append(row)
    if not rows:
        raise ResultsError(f"{run.folder.name} did not measure two sides in turns")
    table = pd.DataFrame(rows)
    tested = (table["verdict"] == Verdict.VALID) & (table["blocks"] > 0)
    table.loc[tested, "p"] = paired.holm(list(table.loc[tested, "p"]))
    tests = int(tested.sum())
    return table.assign(finding=[_of_sides(row, tests) for _, row in table.iterrows()])


def _of_sides(row: "pd.Series[Any]", tests: int) -> str:
    if row["verdict"] != Verdict.VALID:
        return f"not compared: {row['verdict']}"
    needed = paired.pairs_needed(tests)
    if row["blocks"] < needed:
        return f"too few blocks to tell ({needed} needed)"
    if row["p"] <= paired.SIGNIFICANT:
        return "B is slower" if row["change"] > 0 else "B is faster"
    if -row["least"] < row["low"] and row["high"] < row["least"]:
        return "no difference that matters"
    return "not told apart"


def _pairs(run: Run) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
    """Return A's and B's rows of each pair of combinations, in the same order on both sides."""
    sides: dict[str, list[pd.DataFrame]] = {side: [] for side in SIDES}
    for rows in _combinations(run).values():
        if side := side_of(str(rows.iloc[0]["variant"])):
            sides[side].append(rows)
    ours, theirs = (sorted(sides[side], key=_place) for side in SIDES)
    if len(ours) != len(theirs):
        raise ResultsError(
            f"{run.folder.name}: A has {len(ours)} combinations and B {len(theirs)}, so they do "
            "not pair; an interrupted run may lack some"
        )
    return list(zip(ours, theirs, strict=True))


def _by_block(rows: pd.DataFrame, figure: str) -> dict[int, float]:
    """Return one value for each block in which something arrived, and the generator was fit."""
    rows = rows[rows["verdict"].isin(list(map(str, _OF_SERVER)))]
    values = zip(rows["repeat"], rows[f"{figure}_ms"], strict=True)
    return {int(block): float(value) for block, value in values if value > 0}


def _place(rows: pd.DataFrame) -> tuple[object, ...]:
    first = rows.iloc[0]
    load = (first[name] for name in ("delay_ms", "users", "rate", "size_bytes"))
    return (SLUGS.index(str(first["technique"])), *load)


def _combinations(run: Run) -> dict[tuple[object, ...], pd.DataFrame]:
    rows = run.latency[run.latency["metric"] == "delivery"]
    return {tuple(group): repeats for group, repeats in rows.groupby(GROUP, sort=False)}


def _least(a_ms: float) -> float:
    return max(LEAST_SHARE, LEAST_MS / a_ms) if a_ms > 0 else math.inf


def _change(before: Sequence[float], after: Sequence[float]) -> float:
    a_ms = _median(before)
    return _median(after) / a_ms - 1 if a_ms else math.nan


def _median(values: Sequence[float]) -> float:
    return float(pd.Series(values, dtype=float).median()) if len(values) else math.nan


def _name(group: tuple[object, ...]) -> str:
    words = (unusual(str(value)) for value in group)
    return ", ".join(word for word in words if word)

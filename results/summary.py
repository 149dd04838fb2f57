"""From rows to statements: medians over repeats with intervals, and two runs side by side.

Nothing is best-of. A summary's figure is the median of the repeats, its interval a bootstrap
interval (seeded, so that it can be repeated). Whether two runs differ is decided by an exact
rank-sum test, which makes no assumption about the shape of a distribution.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.errors import UnlikeRunsError
from results.record.reading import Run, differences
from results.record.verdicts import Judgement, Verdict, judge_repeats, worst
from wire.techniques import SLUGS

GROUP = ["technique", "network", "delay_ms", "scenario", "variant", "users", "rate", "size_bytes"]
TIMES = ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms", "mean_ms"]
AUDIT = ["expected", "received", "lost", "duplicated", "reordered"]
LEDGER = [
    "open_sockets",
    "held_requests",
    "requests_per_s",
    "connections_per_s",
    "deliveries_per_s",
    "server_cpu",
    "server_rss_bytes",
    "generator_cpu",
    "generator_lag_ms",
]
DRAWS = 2000
SIGNIFICANT = 0.05
# With three repeats each the rank-sum test cannot go below 0.1, whatever was measured.
ENOUGH_REPEATS = 4


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, seed: int = 1
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median; NaN for fewer than two values.

    Of few values it is too narrow: for 95 % it holds the true median about 85 times of 100 with
    four of them, 75 with three, 50 with two.
    """
    if len(values) < 2:
        return (float("nan"), float("nan"))
    random = np.random.default_rng(seed)
    draws = random.choice(np.asarray(values, dtype=float), size=(DRAWS, len(values)))
    outside = (1 - confidence) / 2 * 100
    low, high = np.percentile(np.median(draws, axis=1), [outside, 100 - outside])
    return (float(low), float(high))


def rank_sum_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the two-sided p value of the exact rank-sum test (Mann and Whitney, 1947).

    The share of all ways to deal the values to the two sides whose rank sum lies at least as
    far from the middle. Beyond 50,000 ways a seeded sample of them is taken.
    """
    if not a or not b:
        return 1.0
    ranks = pd.Series([*a, *b], dtype=float).rank().to_numpy()
    middle = ranks.mean() * len(a)
    seen = abs(ranks[: len(a)].sum() - middle)
    ways = list(itertools.islice(itertools.combinations(range(len(ranks)), len(a)), 50_001))
    if len(ways) > 50_000:
        random = np.random.default_rng(1)
        sums = [random.permutation(ranks)[: len(a)].sum() for _ in range(20_000)]
    else:
        sums = ranks[np.array(ways)].sum(axis=1)
    return float(np.mean(np.abs(np.asarray(sums) - middle) >= seen - 1e-9))


def summarize(run: Run, metric: str = "delivery") -> pd.DataFrame:
    """Return one row per combination (all repeats together), techniques in historic order.

    Columns: the cell's columns but ``cell`` and ``repeat``; ``repeats``; the median over the
    repeats of each time in ms, ``p50_low``/``p50_high`` and ``p99_low``/``p99_high`` (95 %
    bootstrap intervals of those medians); the audit summed; ``bytes_down`` and ``bytes_up`` (on
    the wire per delivered message); medians of the ledger; ``verdict`` and ``reason``.
    """
    rows = run.latency[run.latency["metric"] == metric]
    found = []
    for group, repeats in rows.groupby(GROUP, sort=False):
        keys = set(repeats["cell"])
        row: dict[str, object] = dict(zip(GROUP, group, strict=True))
        row["repeats"] = len(repeats)
        row["count"] = int(repeats["count"].sum())
        row |= {name: float(repeats[name].median()) for name in TIMES}
        for name in ("p50", "p99"):
            low, high = bootstrap_interval(list(repeats[f"{name}_ms"].dropna()))
            row |= {f"{name}_low": low, f"{name}_high": high}
        for name in AUDIT:
            row[name] = pd.NA if repeats[name].isna().all() else int(repeats[name].sum())
        row |= _bytes_per_message(run.bytes[run.bytes["cell"].isin(keys)])
        ledger = run.ledger[run.ledger["cell"].isin(keys)]
        row |= {name: float(ledger[name].median()) if len(ledger) else np.nan for name in LEDGER}
        judgement = _judgement(repeats)
        row |= {"verdict": str(judgement.verdict), "reason": judgement.reason}
        found.append(row)
    table = pd.DataFrame(found, columns=_columns())
    order = table["technique"].map({slug: i for i, slug in enumerate(SLUGS)})
    return (
        table.assign(order=order)
        .sort_values(["delay_ms", "network", "scenario", "variant", "users", "rate", "order"])
        .drop(columns="order")
        .reset_index(drop=True)
    )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    ``differing`` says what is unlike besides the results; ``table`` has one row per combination
    that both measured, with ``a_ms``, ``b_ms`` (medians over the repeats of p50 or p99),
    ``change`` (b over a, less 1), ``p`` and ``finding``; ``only_a`` and ``only_b`` name
    combinations of one run alone.
    """

    differing: dict[str, list[str]]
    table: pd.DataFrame
    only_a: list[str]
    only_b: list[str]


def compare(a: Run, b: Run, allow_unlike_hosts: bool = False) -> Comparison:
    """Compare the delivery latencies of two runs.

    Raises :class:`~results.errors.UnlikeRunsError` when they were made on unlike hosts, unless
    allowed: then a difference may be the machine's.
    """
    differing = differences(a, b)
    if "host" in differing and not allow_unlike_hosts:
        raise UnlikeRunsError(
            "the runs were made on unlike hosts (" + "; ".join(differing["host"]) + "), so a "
            "difference may be the machine's; allow it with --unlike-hosts",
            tuple(differing["host"]),
        )
    ours, theirs = _medians(a), _medians(b)
    rows = []
    for group in (group for group in ours if group in theirs):
        for name in ("p50_ms", "p99_ms"):
            before = list(ours[group][name].dropna())
            after = list(theirs[group][name].dropna())
            row: dict[str, object] = dict(zip(GROUP, group, strict=True))
            a_ms, b_ms = _median(before), _median(after)
            p = rank_sum_p(before, after)
            change = b_ms / a_ms - 1 if a_ms else float("nan")
            bad = worst([_judgement(ours[group]), _judgement(theirs[group])])
            row |= {"figure": name.removesuffix("_ms"), "a_ms": a_ms, "b_ms": b_ms}
            row |= {"repeats_a": len(before), "repeats_b": len(after)}
            row |= {"change": change, "p": p, "finding": _finding(before, after, change, p, bad)}
            rows.append(row)
    return Comparison(
        differing,
        pd.DataFrame(rows),
        [_name(group) for group in ours if group not in theirs],
        [_name(group) for group in theirs if group not in ours],
    )


def _finding(
    before: Sequence[float], after: Sequence[float], change: float, p: float, bad: Judgement
) -> str:
    if bad.verdict is not Verdict.VALID:
        return f"not compared: {bad.verdict}"
    if min(len(before), len(after)) < ENOUGH_REPEATS:
        return f"too few repeats to tell ({ENOUGH_REPEATS} needed)"
    if p > SIGNIFICANT:
        return "no significant difference"
    return "B is slower" if change > 0 else "B is faster"


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _medians(run: Run) -> dict[tuple[object, ...], pd.DataFrame]:
    rows = run.latency[run.latency["metric"] == "delivery"]
    return {
        tuple(group): repeats
        for group, repeats in rows.groupby(GROUP, sort=False)  # one group per combination
    }


def _name(group: tuple[object, ...]) -> str:
    return ", ".join(str(value) for value in group if value != "")


def _judgement(repeats: pd.DataFrame) -> Judgement:
    cells = [
        Judgement(Verdict(verdict), reason)
        for verdict, reason in zip(repeats["verdict"], repeats["reason"], strict=True)
    ]
    return worst([*cells, judge_repeats(list(repeats["p50_ms"].dropna()))])


def _bytes_per_message(rows: pd.DataFrame) -> dict[str, float]:
    found = {}
    for direction in ("down", "up"):
        chosen = rows[(rows["role"] == "subscriber") & (rows["direction"] == direction)]
        sums = chosen.groupby("cell")["per_message"].sum()
        found[f"bytes_{direction}"] = float(sums.median()) if len(sums) else float("nan")
    return found


def _columns() -> list[str]:
    intervals = ["p50_low", "p50_high", "p99_low", "p99_high"]
    measured = [*TIMES, *intervals, *AUDIT, "bytes_down", "bytes_up", *LEDGER]
    return [*GROUP, "repeats", "count", *measured, "verdict", "reason"]

"""From rows to statements: medians over repeats with intervals.

Nothing is best-of. A summary's figure is the median of the repeats, its interval a bootstrap
interval (seeded, so that it can be repeated). Whether A and B differ is the business of
:mod:`results.comparison`.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from results.record.naming import server_of, side_of, way_of, without_server
from results.record.reading import Run
from results.record.verdicts import Judgement, Verdict, judge_repeats, worst
from wire.techniques import SLUGS

GROUP = [
    *("technique", "network", "delay_ms", "carrier"),
    *("scenario", "variant", "users", "rate", "size_bytes"),
]
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


def summarize(run: Run, metric: str = "delivery") -> pd.DataFrame:
    """Return one row per combination (all repeats together), techniques in historic order.

    Columns: the cell's columns but ``cell`` and ``repeat``; ``repeats``; the median over the
    repeats of each time in ms, ``p50_low``/``p50_high`` and ``p99_low``/``p99_high`` (95 %
    bootstrap intervals of those medians); the audit summed; ``bytes_down`` and ``bytes_up`` (on
    the wire per delivered message); medians of the ledger; ``verdict`` and ``reason``.
    """
    return _summarize(run, metric).copy()


@lru_cache(maxsize=8)  # a report's tables and figures ask for the same again and again
def _summarize(run: Run, metric: str) -> pd.DataFrame:
    rows = run.latency[run.latency["metric"] == metric]
    weights = _bytes_per_message(run)
    found = []
    for group, repeats in rows.groupby(GROUP, sort=False):
        keys = set(repeats["cell"])
        row: dict[str, object] = dict(zip(GROUP, group, strict=True))
        row["repeats"] = len(repeats)
        row["count"] = int(repeats["count"].sum())
        row.update(_medians(repeats[TIMES]))
        for name in ("p50", "p99"):
            low, high = bootstrap_interval(list(repeats[f"{name}_ms"].dropna()))
            row |= {f"{name}_low": low, f"{name}_high": high}
        for name in AUDIT:
            row[name] = pd.NA if repeats[name].isna().all() else int(repeats[name].sum())
        row.update(_medians(weights[weights.index.isin(keys)]))
        row.update(_medians(run.ledger[run.ledger["cell"].isin(keys)][LEDGER]))
        judgement = judgement_of(repeats)
        row |= {"verdict": str(judgement.verdict), "reason": judgement.reason}
        found.append(row)
    table = pd.DataFrame(found, columns=_columns())
    order = table["technique"].map({slug: i for i, slug in enumerate(SLUGS)})
    return (
        table.assign(order=order)
        .sort_values(
            ["delay_ms", "network", "carrier", "scenario", "variant", "users", "rate", "order"]
        )
        .drop(columns="order")
        .reset_index(drop=True)
    )


def by_subject(run: Run) -> pd.DataFrame:
    """Return :func:`summarize`'s table with the times that each scenario is about.

    At an echo these are the round trip's. Where connecting is the subject (idle, storm),
    ``connect_p50_ms`` and ``connect_p99_ms`` hold it; NaN elsewhere.
    """
    table = summarize(run)
    times = [*TIMES, "p50_low", "p50_high", "p99_low", "p99_high"]
    there_and_back = _same_rows(summarize(run, "round_trip"), table)
    echo = (table["scenario"] == "echo") & there_and_back["p50_ms"].notna()
    for name in times:
        table[name] = table[name].mask(echo, there_and_back[name].astype(float))
    connect = _same_rows(summarize(run, "connect"), table)
    subject = table["scenario"].isin(["idle", "storm"])
    for name in ("p50_ms", "p99_ms"):
        table[f"connect_{name}"] = connect[name].astype(float).where(subject)
    return table


def has_servers(run: Run) -> bool:
    """Whether the run measured several servers beside each other."""
    marks = {cell.variant for cell in run.cells}
    return len({server_of(mark) for mark in marks if not side_of(mark)}) > 1


def by_server(run: Run) -> pd.DataFrame:
    """Return :func:`by_subject`'s table with the column ``server`` (empty where it was ours).

    ``variant`` is without it, so that servers under the same load stand together: by technique,
    then by name.
    """
    table = by_subject(run)
    order = table["technique"].map({slug: i for i, slug in enumerate(SLUGS)})
    table = table.assign(server=table["variant"].map(server_of), order=order)
    table["variant"] = table["variant"].map(without_server)
    load = ["delay_ms", "network", "carrier", "scenario", "variant", "users", "rate"]
    table = table.sort_values([*load, "order", "server"]).drop(columns="order")
    return table.reset_index(drop=True)


def _same_rows(other: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return ``other``'s rows in the order of ``table``, NaN where it has none."""
    return table[GROUP].merge(other, on=GROUP, how="left").set_axis(table.index)


def name_of(row: "pd.Series[str]") -> str:
    """Name the combination of a row in a line of words."""
    load = f"{row['scenario']}, {row['users']:,} users, {row['rate']:g}/s, {row['size_bytes']:,} B"
    way = way_of(row["network"], row["carrier"])
    parts = [str(row["technique"]), way, str(row["variant"]), load]
    return ", ".join(part for part in parts if part)


def judgement_of(repeats: pd.DataFrame) -> Judgement:
    """Judge the repeats of one combination, given as its rows of ``latency``."""
    cells = [
        Judgement(Verdict(verdict), reason)
        for verdict, reason in zip(repeats["verdict"], repeats["reason"], strict=True)
    ]
    return worst([*cells, judge_repeats(list(repeats["p50_ms"].dropna()))])


def _bytes_per_message(run: Run) -> pd.DataFrame:
    """Return what each cell (the index) took for a message that a subscriber received."""
    rows = run.bytes[run.bytes["role"] == "subscriber"]
    sums = rows.groupby(["cell", "direction"])["per_message"].sum().unstack()
    return sums.reindex(columns=["down", "up"]).add_prefix("bytes_")


def _medians(table: pd.DataFrame) -> dict[str, float]:
    """Return the median of each column; NaN where it holds nothing."""
    return {str(name): median for name, median in table.median().astype(float).items()}


def _columns() -> list[str]:
    intervals = ["p50_low", "p50_high", "p99_low", "p99_high"]
    measured = [*TIMES, *intervals, *AUDIT, "bytes_down", "bytes_up", *LEDGER]
    return [*GROUP, "repeats", "count", *measured, "verdict", "reason"]

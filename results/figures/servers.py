"""Several servers beside each other: latency and cost against load, one marker for each server.

A marker is a server's in all panels of a figure; which is whose the legend says. Nothing is ranked.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results.errors import ResultsError
from results.figures.palette import SERVER_PALETTE
from results.figures.style import Drawing, blank, heading, lecture_style, log_ticks, mark_size
from results.figures.words import short, title
from results.record.reading import Run
from results.record.verdicts import Verdict
from results.summary import by_server

OURS = "Duplex"  # without a peer file
_APART = 1.5  # levels as near as that have no room for their numbers
_MEDIAN = {"p50_ms": ("median, ms", 1.0)}
_TAILS = {"p99_ms": ("99th percentile, ms", 1.0), "p90_ms": ("90th percentile, ms", 1.0)}
_HEADROOM = 1.06  # for the marker of the highest
_FEW = 200  # messages: of fewer the last hundredth is one or two, which all receivers share
_COST = {
    "server_cpu": ("CPU, % of one core", 100.0),
    "server_rss_bytes": ("memory, MiB", 1 / 2**20),
}


def latency_of_servers(run: Run) -> Drawing:
    """Draw delivery latency against deliveries per second, for each technique and server.

    The second row is the 99th percentile, or the 90th where too few messages were measured.
    """
    table = _of_servers(run)
    messages = table["count"] / table["repeats"] / table["users"]
    tail = "p99_ms" if messages.min() >= _FEW else "p90_ms"
    columns = {**_MEDIAN, tail: _TAILS[tail]}
    with lecture_style():
        figure = _panels(table, columns, log=True)
    return Drawing(
        "latency_of_servers",
        "Latency against load, by server",
        f"Median and {tail[1:3]}th percentile of delivery latency over deliveries per second, a "
        "panel for each technique and a marker for each server. Medians: "
        f"{_said(table, _MEDIAN)}.",
        figure,
    )


def cost_of_servers(run: Run) -> Drawing:
    """Draw CPU and memory of each server's processes against deliveries per second."""
    table = _of_servers(run)
    table = table[table["server_cpu"].notna()]
    if table.empty:
        raise ResultsError(f"{run.folder.name} tells no server's CPU")
    with lecture_style():
        figure = _panels(table, _COST, log=False)
    return Drawing(
        "cost_of_servers",
        "What load costs, by server",
        "CPU and memory of all processes of a server over deliveries per second, a panel for each "
        f"technique and a marker for each server. CPU: {_said(table, _COST)}.",
        figure,
    )


def _of_servers(run: Run) -> pd.DataFrame:
    """Return the rows of techniques that several servers speak, on the nearest network."""
    table = by_server(run)
    table = table[table["p50_ms"].notna()]
    table = table[table["delay_ms"] == table["delay_ms"].min()]
    table = table.assign(
        server=table["server"].replace("", OURS), load=table["users"] * table["rate"]
    )
    shared = table.groupby("technique")["server"].transform("nunique") > 1
    if not shared.any():
        raise ResultsError(f"{run.folder.name} did not measure several servers by one technique")
    found: pd.DataFrame = table[shared]
    return found


def _panels(table: pd.DataFrame, columns: dict[str, tuple[str, float]], log: bool) -> Figure:
    """Return a figure with a row of panels for each column, one for each technique."""
    slugs = list(dict.fromkeys(table["technique"]))
    servers = sorted(set(table["server"]))
    levels = sorted(set(table["load"]))
    figure = blank(width=max(11.0, 3.4 * len(slugs) + 0.8), height=9.6)
    grid = figure.subplots(2, len(slugs), sharex=True, sharey="row", squeeze=False)
    for axes, slug in zip(grid[0], slugs, strict=True):
        axes.set_title(title(slug), fontsize=14)
    for row, (column, (words, factor)) in zip(grid, columns.items(), strict=True):
        for axes, slug in zip(row, slugs, strict=True):
            here = table[table["technique"] == slug]
            for server in servers:
                _line(axes, here[here["server"] == server], column, factor, servers.index(server))
        row[0].set_ylabel(words)
        if log:
            row[0].set_yscale("log")
            log_ticks(row[0].yaxis)
        else:
            highest = float(table[column].max()) * factor
            row[0].set_ylim(0, highest * _HEADROOM or None)
    for axes in grid[1]:
        _level_ticks(axes, levels)
        axes.set_xlabel("deliveries per second")
    handles = [
        Line2D([], [], lw=1.4, label=server, **_mark(at, Verdict.VALID))
        for at, server in enumerate(servers)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=12)
    first = table.iloc[0]
    conditions = f"{first['network']}; {first['scenario']}, {first['size_bytes']} B; "
    heading(figure, _TITLES[log], conditions + "hollow: not VALID")
    return figure


_TITLES = {True: "Latency against load, by server", False: "What load costs, by server"}


def _level_ticks(axes: Axes, levels: Sequence[float]) -> None:
    if len(levels) > 1:
        axes.set_xscale("log")
    if all(after >= _APART * before for before, after in pairwise(levels)):
        axes.set_xticks(levels, [f"{level:,g}" for level in levels], minor=False)
        axes.set_xticks([], minor=True)
    else:
        log_ticks(axes.xaxis, roomy=False)


def _line(axes: Axes, rows: pd.DataFrame, column: str, factor: float, at: int) -> None:
    rows = rows.sort_values("load")
    ink, _ = SERVER_PALETTE[at % len(SERVER_PALETTE)]
    axes.plot(rows["load"], rows[column] * factor, color=ink, lw=1.4)
    for _, row in rows.iterrows():
        axes.plot(row["load"], row[column] * factor, ls="", **_mark(at, row["verdict"]))


def _mark(at: int, verdict: str) -> dict[str, Any]:
    ink, mark = SERVER_PALETTE[at % len(SERVER_PALETTE)]
    fill = ink if verdict == Verdict.VALID else "white"
    return {"marker": mark, "ms": mark_size(mark, 8), "color": ink, "markerfacecolor": fill}


def _said(table: pd.DataFrame, columns: dict[str, tuple[str, float]]) -> str:
    column, (_, factor) = next(iter(columns.items()))
    unit = " ms" if column == "p50_ms" else " %"
    said = []
    for (slug, server), rows in table.groupby(["technique", "server"], sort=False):
        values = [short(value * factor) for value in rows.sort_values("load")[column]]
        ends = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
        said.append(f"{server} by {title(str(slug))} {ends}{unit}")
    return "; ".join(said)

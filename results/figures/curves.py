"""Lines: the ledger over time, and the knee under rising load."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from results.errors import ResultsError
from results.figures.palette import GRID, color, marker
from results.figures.selection import LEDGER_WORDS, describe, main_cells, networks, slugs_of
from results.figures.style import (
    Drawing,
    End,
    blank,
    heading,
    label_ends,
    lecture_style,
    log_ticks,
    mark_size,
    settle,
    small_panels,
    warn,
)
from results.figures.words import short, title, unless_valid
from results.record.reading import Run
from results.record.verdicts import Verdict
from results.summary import summarize

_APART = 1.5  # levels as near as that have no room for their numbers


def ledger_over_time(run: Run, column: str = "server_cpu", network: str | None = None) -> Drawing:
    """Draw one column of the ledger over time: a panel per technique, the others in grey."""
    if column not in LEDGER_WORDS:
        raise ResultsError(f"{column!r} is no ledger column; accepted: {', '.join(LEDGER_WORDS)}")
    cells = main_cells(run)
    network = network or networks(cells)[0]
    chosen = {cell.key for cell in cells if cell.network == network and cell.repeat == 1}
    rows = run.ledger[run.ledger["cell"].isin(chosen)]
    if rows.empty:
        raise ResultsError(f"{run.folder.name} has no ledger to draw")
    words, factor = LEDGER_WORDS[column]
    caption = words[0].upper() + words[1:]
    slugs = [slug for slug in slugs_of(cells) if slug in set(rows["technique"])]
    lines = {slug: rows[rows["technique"] == slug] for slug in slugs}
    verdicts = _verdicts(run, chosen)
    said = []
    with lecture_style():
        figure, panels = small_panels(len(slugs))
        for axes, slug in zip(panels, slugs, strict=False):
            for other in slugs:
                axes.plot(lines[other]["t_s"], lines[other][column] * factor, color=GRID, lw=1.2)
            values = lines[slug][column] * factor
            valid = verdicts.get(slug, Verdict.VALID) == Verdict.VALID
            axes.plot(lines[slug]["t_s"], values, color=color(slug), ls="-" if valid else ":")
            axes.set_title(title(slug), fontsize=14)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            warn(axes, verdicts.get(slug, ""))
            said.append(f"{title(slug)} {short(float(np.median(values)))}")
        # Room for a verdict above the lines.
        panels[0].set_ylim(0, float(rows[column].max()) * factor * 1.35 or 1.0)
        figure.supxlabel("seconds", fontsize=14)
        heading(figure, caption, f"{network}; {describe(cells[0])}")
    return Drawing(
        f"ledger_{column}",
        f"{caption}, over time",
        f"Line of {words} over time for each technique. Medians: {'; '.join(said)}.",
        figure,
    )


def knee(run: Run, load: str = "users", network: str | None = None) -> Drawing:
    """Draw median latency and server CPU while ``load`` (``users`` or ``rate``) rises.

    Raises :class:`~results.errors.ResultsError` unless at least two levels were measured.
    """
    network = network or next(iter(networks(run.cells)), "")
    table = _rising(run, load, network)
    ends: dict[str, list[End]] = {"p50_ms": [], "server_cpu": []}
    with lecture_style():
        figure = blank(height=8.4)
        top, bottom = figure.subplots(2, 1, sharex=True)
        for slug in dict.fromkeys(table["technique"]):
            rows = table[table["technique"] == slug].sort_values(load)
            ends["p50_ms"].append(_line(top, rows, load, "p50_ms"))
            ends["server_cpu"].append(_line(bottom, rows, load, "server_cpu", 100.0))
        _knee_scales(top, bottom, sorted(set(table[load])), float(table["server_cpu"].max()) * 100)
        top.set_title("median delivery latency, ms")
        bottom.set_title("server CPU, % of one core")
        bottom.set_xlabel("users" if load == "users" else "messages per second")
        heading(figure, "Latency and CPU under rising load", f"{network}; hollow: not VALID")
        settle(figure)
        label_ends(top, ends["p50_ms"], gap=0.115)
        label_ends(bottom, ends["server_cpu"], gap=0.115)
    return Drawing(
        f"knee_{load}",
        "Where latency leaves the ground as load rises",
        f"Median latency and server CPU over {load} for each technique on {network}; from the "
        f"least to the most load: {_knee_said(table, load)}.",
        figure,
    )


def _rising(run: Run, load: str, network: str) -> pd.DataFrame:
    """Return the summary of the cells of which ``load`` rises most and nothing else does.

    A line through several rates at the same number of users would mean nothing.
    """
    table = summarize(run)
    table = table[table["network"] == network]
    fixed = [
        name for name in ("scenario", "variant", "users", "rate", "size_bytes") if name != load
    ]
    groups = [rows for _, rows in table.groupby(fixed, sort=False)]
    table = max(groups, key=lambda rows: rows[load].nunique(), default=table)
    if table[load].nunique() < 2:
        raise ResultsError(f"{run.folder.name} measured only one level of {load}: there is no knee")
    return table


def _line(axes: Axes, rows: pd.DataFrame, load: str, column: str, factor: float = 1.0) -> End:
    """Draw one technique's line with its points; return its end with the label it wants."""
    slug = str(rows["technique"].iloc[0])
    values = rows[column] * factor
    axes.plot(rows[load], values, color=color(slug))
    _points(axes, rows[load], values, slug, rows["verdict"])
    label = title(slug) + unless_valid(rows["verdict"].iloc[-1])
    return End(list(rows[load])[-1], list(values)[-1], label, color(slug))


def _knee_scales(top: Axes, bottom: Axes, levels: Sequence[float], busiest: float) -> None:
    bottom.set_xscale("log")
    top.set_yscale("log")
    if all(after >= _APART * before for before, after in pairwise(levels)):
        bottom.set_xticks(levels, [f"{level:,g}" for level in levels], minor=False)
        bottom.set_xticks([], minor=True)
    else:  # a search has rates wherever it led, and their numbers would lie on each other
        log_ticks(bottom.xaxis)
    log_ticks(top.yaxis)
    # A full core is the top of the scale only where somebody comes near it.
    bottom.set_ylim(0, min(105.0, 1.2 * busiest) if busiest > 0 else 105.0)


def _knee_said(table: pd.DataFrame, load: str) -> str:
    said = []
    for slug in dict.fromkeys(table["technique"]):
        times = table[table["technique"] == slug].sort_values(load)["p50_ms"]
        said.append(f"{title(slug)} {short(times.iloc[0])} to {short(times.iloc[-1])} ms")
    return "; ".join(said)


def _points(
    axes: Axes, x: "pd.Series[float]", y: "pd.Series[float]", slug: str, verdicts: "pd.Series[str]"
) -> None:
    for one_x, one_y, verdict in zip(x, y, verdicts, strict=True):
        fill = color(slug) if verdict == Verdict.VALID else "white"
        mark = marker(slug)
        size = mark_size(mark, 10)
        axes.plot(one_x, one_y, mark, ms=size, color=color(slug), markerfacecolor=fill)


def _verdicts(run: Run, keys: set[str]) -> dict[str, str]:
    rows = run.latency[run.latency["cell"].isin(keys) & (run.latency["metric"] == "delivery")]
    return dict(zip(rows["technique"], rows["verdict"], strict=True))

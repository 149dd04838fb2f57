"""Answers that come word by word: how smoothly."""

import numpy as np
import pandas as pd
from hdrh.histogram import HdrHistogram
from matplotlib.axes import Axes

from results.errors import ResultsError
from results.figures.distributions import distribution, share_x
from results.figures.palette import FAINT, color
from results.figures.selection import (
    describe,
    main_cells,
    main_summary,
    networks,
    rows_of,
    slugs_of,
)
from results.figures.style import Drawing, heading, lecture_style, row_panels, small_panels, warn
from results.figures.words import short, title, unless_valid
from results.record.histogram import curve
from results.record.reading import Run
from results.record.verdicts import Judgement, Verdict, worst

STALL_MS = 200  # between two tokens; a reader notices it
_LINES = (("solid", "-"), ("dashed", "--"), ("dotted", ":"))  # of the networks, the nearest first
TOGETHER_MS = 0.1  # stands for whatever took less: no time, on a logarithmic axis


def token_gaps(run: Run) -> Drawing:
    """Draw how smoothly the words of an answer come: the gaps between one and the next."""
    cells = main_cells(run, "gap")
    names = networks(cells)
    slugs = slugs_of(cells)
    table = main_summary(run, "gap")
    said = []
    with lecture_style():
        figure, panels = row_panels(slugs, len(names))
        for axes, network in zip(panels, names, strict=True):
            axes.set_xscale("log")
            axes.set_title(network)
            axes.set_xlabel("gap, ms")
            axes.text(1.03, 1.02, "p50 | p99", transform=axes.transAxes, color=FAINT)
            axes.axvline(STALL_MS, color=FAINT, linestyle=":")
            for y, slug in enumerate(slugs):
                chosen = [c for c in cells if (c.technique, c.network) == (slug, network)]
                for _, _, row in rows_of(table, [slug], [network]):
                    gaps = run.merged(chosen, "gap")
                    distribution(axes, y, slug, gaps, row, TOGETHER_MS)
                    said.append(
                        f"{title(slug)} {short(row['p50_ms'])} and {short(row['p99_ms'])} ms, "
                        f"{_longer_than(gaps, STALL_MS):.1%} of the gaps are stalls, on {network}"
                        + unless_valid(row["verdict"])
                    )
        share_x(panels)
        marks = f"far left: together; dotted: {STALL_MS} ms, a stall"
        heading(figure, "How smoothly an answer comes", f"{describe(cells[0])}; {marks}")
    return Drawing(
        "token_gaps",
        "The gaps between one token's arrival and the next one's",
        "Distribution of gaps on a logarithmic axis, one row per technique; tokens that were read "
        "together are at the far left. Median and 99th percentile, and stalls of more than "
        f"{STALL_MS} ms: " + "; ".join(said) + ".",
        figure,
    )


def token_arrivals(run: Run) -> Drawing:
    """Draw how one answer grew before a reader's eyes: a panel per technique, a line per network.

    A line that climbs evenly is a text that is being written; a step is a reader who waits, then
    gets many words at once; the way along between two steps is the gap.
    """
    cells = [cell for cell in main_cells(run, "gap") if cell.repeat == 1]
    names = networks(cells)
    table = main_summary(run, "gap")
    chosen = run.answers["cell"].isin([cell.key for cell in cells])
    rows = run.answers[chosen & (run.answers["answer"] == 1)]
    if rows.empty:
        raise ResultsError(f"{run.folder.name} kept no answer token by token")
    slugs = [slug for slug in slugs_of(cells) if slug in set(rows["technique"])]
    said = []
    with lecture_style():
        figure, panels = small_panels(len(slugs))
        for axes, slug in zip(panels, slugs, strict=True):
            axes.set_title(title(slug), fontsize=14)
            found = rows_of(table, [slug], names)
            for _, network, row in found:
                own = rows[(rows["technique"] == slug) & (rows["network"] == network)]
                _, style = _LINES[names.index(network) % len(_LINES)]
                grown = f"{title(slug)} on {network} {_grow(axes, own, color(slug), style)}"
                said.append(grown + unless_valid(row["verdict"]))
            judged = (Judgement(Verdict(row["verdict"])) for _, _, row in found)
            warn(axes, worst(judged).verdict)
        panels[0].set(xlim=(0, None), ylim=(0, None))
        figure.supxlabel("seconds since the question", fontsize=14)
        figure.supylabel("tokens to be read", fontsize=14)
        lines = (f"{word} {name}" for (word, _), name in zip(_LINES, names, strict=False))
        heading(figure, "An answer grows", f"{describe(cells[0])}; {', '.join(lines)}")
    return Drawing(
        "token_arrivals",
        "One answer as it grew before a reader's eyes, token by token",
        "A panel per technique: tokens that can be read, over the seconds since the question. "
        + "; ".join(said)
        + ".",
        figure,
    )


def _grow(axes: Axes, tokens: pd.DataFrame, paint: str, style: str) -> str:
    """Draw one answer as steps, and say from when to when it came and what its longest gap was."""
    seconds = tokens["t_ms"].sort_values() / 1000
    axes.step(seconds, np.arange(1, len(seconds) + 1), where="post", color=paint, linestyle=style)
    longest_ms = seconds.diff().max() * 1000
    return (
        f"from {short(seconds.min())} to {short(seconds.max())} s, longest gap "
        f"{short(longest_ms)} ms"
    )


def _longer_than(histogram: HdrHistogram, ms: float) -> float:
    """Return the share of the times that are longer."""
    times, reached = curve(histogram)
    place = int(np.searchsorted(np.array(times), ms, side="right"))
    return 1 - reached[place - 1] if place else 1.0

"""Answers that come word by word: how smoothly."""

import numpy as np
from hdrh.histogram import HdrHistogram

from results.figures.distributions import distribution, share_x
from results.figures.palette import FAINT
from results.figures.selection import (
    describe,
    main_cells,
    main_summary,
    networks,
    rows_of,
    short,
    slugs_of,
    title,
    unless_valid,
)
from results.figures.style import Drawing, heading, lecture_style, row_panels
from results.record.histogram import curve
from results.record.reading import Run

STALL_MS = 200  # between two tokens; a reader notices it
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


def _longer_than(histogram: HdrHistogram, ms: float) -> float:
    """Return the share of the times that are longer."""
    times, reached = curve(histogram)
    place = int(np.searchsorted(np.array(times), ms, side="right"))
    return 1 - reached[place - 1] if place else 1.0

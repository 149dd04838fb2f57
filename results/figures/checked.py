"""Checks against models and exact counts: how far each is off, in its own tolerance."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from results.errors import ResultsError
from results.figures.palette import FAINT, INK, WARNING, color, marker
from results.figures.selection import short, title
from results.figures.style import Drawing, blank, heading, lecture_style
from results.record.reading import Run

_LABEL_LETTERS = 44


def checks(run: Run) -> Drawing:
    """Draw each check's distance from its model, in tolerances: inside of the band is passed.

    Where there are models, counts that are exactly as they should be are told, not drawn.
    """
    everything = table = run.checks
    if table.empty:
        raise ResultsError(f"{run.folder.name} has no checks to draw")
    if (table["tolerance"] > 0).any():
        table = table[(table["tolerance"] > 0) | ~table["passed"].astype(bool)]
    exact = len(everything) - len(table)
    gaps = table["measured"] - table["expected"]
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(gaps == 0, 0.0, gaps / table["tolerance"])
    outside = 1.9
    with lecture_style():
        figure = blank(height=1.9 + 0.42 * len(table))
        axes = figure.subplots()
        axes.axvspan(-1, 1, color="#DCEFE3", zorder=0)
        axes.axvline(0, color=FAINT, lw=1.2)
        names = []
        varied = [name for name in ("network", "variant", "repeat") if table[name].nunique() > 1]
        for y, (row, distance) in enumerate(zip(table.itertuples(), scaled, strict=True)):
            measured, expected = table["measured"].iloc[y], table["expected"].iloc[y]
            slug = str(row.technique)
            name = f"{title(slug)}: {row.check}" + _varied(row, varied)
            names.append(textwrap.fill(name, _LABEL_LETTERS))
            place = float(np.clip(distance, -outside, outside))
            fill = color(slug) if row.passed else "white"
            axes.plot(place, y, marker=marker(slug), color=color(slug), markerfacecolor=fill)
            text = f"{short(measured)} / {short(expected)} {row.unit}"
            axes.text(
                2.1,
                y,
                text if row.passed else f"{text}  FAILED",
                va="center",
                color=INK if row.passed else WARNING,
                fontweight="normal" if row.passed else "bold",
            )
        axes.set_xlim(-2, 2)
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_yticks(range(len(table)), names)
        axes.set_xticks([-1, 0, 1], ["- tolerance", "as expected", "+ tolerance"])
        axes.grid(axis="y", visible=False)
        told = f"; {exact} exact counts are as they should be" if exact else ""
        heading(figure, "Measured against model", f"right: measured / expected{told}")
    passed = int(everything["passed"].sum())
    said = "; ".join(
        f"{title(str(row.technique))} {row.check} measured {row.measured:g}, expected "
        f"{row.expected:g} {row.unit}"
        for row in table.itertuples()
    )
    alt = f"{passed} of {len(everything)} checks lie inside of their tolerance. {said}."
    return Drawing("checks", "Measured against model", alt, figure)


def _varied(row: Any, names: Sequence[str]) -> str:
    values = [f"#{row.repeat}" if name == "repeat" else getattr(row, name) for name in names]
    return "".join(f", {value}" for value in values if value)

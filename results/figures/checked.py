"""Checks against models and exact counts: how far each is off, in its own tolerance."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from results.errors import ResultsError
from results.figures.palette import FAINT, INK, WARNING, color, marker
from results.figures.style import Drawing, blank, heading, lecture_style
from results.figures.words import short, title
from results.record.reading import Run

_LABEL_LETTERS = 44
_OUTSIDE = 1.9  # tolerances: where a mark stands that is further off


def checks(run: Run) -> Drawing:
    """Draw each check's distance from its model, in tolerances: inside of the band is passed.

    Where there are models, counts that are exactly as they should be are told, not drawn.
    """
    everything = run.checks
    if everything.empty:
        raise ResultsError(f"{run.folder.name} has no checks to draw")
    table = _drawn(everything)
    exact = len(everything) - len(table)
    with lecture_style():
        figure = blank(height=1.9 + 0.42 * len(table))
        axes = figure.subplots()
        axes.axvspan(-1, 1, color="#DCEFE3", zorder=0)
        axes.axvline(0, color=FAINT, lw=1.2)
        for y, (row, distance) in enumerate(
            zip(table.itertuples(), _distances(table), strict=True)
        ):
            _mark(axes, y, row, distance)
        axes.set_xlim(-2, 2)
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_yticks(range(len(table)), _names(table))
        axes.set_xticks([-1, 0, 1], ["- tolerance", "as expected", "+ tolerance"])
        axes.grid(axis="y", visible=False)
        told = f"; {exact} exact counts are as they should be" if exact else ""
        heading(figure, "Measured against model", f"right: measured / expected{told}")
    return Drawing("checks", "Measured against model", _said(everything), figure)


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    models = table["tolerance"] > 0
    return table[models | ~table["passed"].astype(bool)] if models.any() else table


def _distances(table: pd.DataFrame) -> NDArray[np.float64]:
    """Return how far each is off, in tolerances."""
    gaps = table["measured"] - table["expected"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gaps == 0, 0.0, gaps / table["tolerance"])


def _mark(axes: Axes, y: int, row: Any, distance: float) -> None:
    slug = str(row.technique)
    place = float(np.clip(distance, -_OUTSIDE, _OUTSIDE))
    fill = color(slug) if row.passed else "white"
    axes.plot(place, y, marker=marker(slug), color=color(slug), markerfacecolor=fill)
    text = f"{short(row.measured)} / {short(row.expected)} {row.unit}"
    axes.text(
        2.1,
        y,
        text if row.passed else f"{text}  FAILED",
        va="center",
        color=INK if row.passed else WARNING,
        fontweight="normal" if row.passed else "bold",
    )


def _names(table: pd.DataFrame) -> list[str]:
    varied = [name for name in ("network", "variant", "repeat") if table[name].nunique() > 1]
    names = (
        f"{title(str(row.technique))}: {row.check}" + _varied(row, varied)
        for row in table.itertuples()
    )
    return [textwrap.fill(name, _LABEL_LETTERS) for name in names]


def _said(table: pd.DataFrame) -> str:
    each = "; ".join(
        f"{title(str(row.technique))} {row.check} measured {row.measured:g}, expected "
        f"{row.expected:g} {row.unit}"
        for row in table.itertuples()
    )
    passed = int(table["passed"].sum())
    return f"{passed} of {len(table)} checks lie inside of their tolerance. {each}."


def _varied(row: Any, names: Sequence[str]) -> str:
    values = [f"#{row.repeat}" if name == "repeat" else getattr(row, name) for name in names]
    return "".join(f", {value}" for value in values if value)

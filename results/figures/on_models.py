"""Measured points on the line of what a model says of them; from plain numbers, without a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.figures.palette import color, marker
from results.figures.style import (
    Drawing,
    End,
    blank,
    heading,
    label_ends,
    lecture_style,
    mark_size,
    settle,
)
from results.figures.words import title


@dataclass(frozen=True, slots=True)
class Series:
    """Measured points of one technique with their intervals, and the model's line."""

    technique: str
    x: Sequence[float]
    measured: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    model_x: Sequence[float]
    model_y: Sequence[float]


def model_and_points(
    series: Sequence[Series], name: str, caption: str, x_label: str, y_label: str
) -> Drawing:
    """Draw measured points with their intervals on the lines of their models."""
    ends, said = [], []
    with lecture_style():
        figure = blank()
        axes = figure.subplots()
        for one in series:
            ink = color(one.technique)
            below = np.subtract(one.measured, one.low)
            above = np.subtract(one.high, one.measured)
            axes.plot(one.model_x, one.model_y, color=ink, lw=1.8)
            axes.errorbar(
                one.x,
                one.measured,
                yerr=[np.nan_to_num(below), np.nan_to_num(above)],
                fmt=marker(one.technique),
                color=ink,
                capsize=5,
                ms=mark_size(marker(one.technique), 11),
            )
            ends.append(End(one.model_x[-1], one.model_y[-1], title(one.technique), ink))
            points = zip(one.x, one.measured, strict=True)
            said.append(
                f"{title(one.technique)} " + ", ".join(f"{x:g}: {y:.3g}" for x, y in points)
            )
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.set_ylim(bottom=0)
        heading(figure, caption, "points: measured, with 95 % interval; line: model")
        settle(figure)
        label_ends(axes, ends)
    alt = f"{caption}: measured points on the line of the model. {y_label} by {x_label}: "
    return Drawing(name, caption, alt + "; ".join(said) + ".", figure)

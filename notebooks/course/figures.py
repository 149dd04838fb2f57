"""The notebooks' own figures: small, one idea each, from plain numbers instead of a run.

As everywhere, a technique's slug brings its colour and marker; other labels are drawn in ink.
Each returns a :class:`~results.figures.style.Drawing`, which shows itself with its alternative
text.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from notebooks.course.byte_figures import byte_fields, conversation, describe, frame_fields
from notebooks.course.drawing import PARTS, SmallDrawing, axis_label, listed, small, three
from results.figures.on_models import Series, model_and_points
from results.figures.palette import FAINT, INK, LAYER_PALETTE, PALETTE, WARNING
from results.figures.style import (
    Drawing,
    End,
    blank,
    heading,
    label_ends,
    lecture_style,
    log_ticks,
    mark_size,
    plain_numbers,
    settle,
)
from results.figures.words import short
from wire.techniques import BY_SLUG

__all__ = [
    "bars",
    "byte_fields",
    "conversation",
    "curves",
    "describe",
    "dots",
    "frame_fields",
    "on_model",
    "panels",
    "summary",
    "ticks",
]
_HATCHES = ("", "//", "..", "xx", "--")
_LAYERS = {
    "message": LAYER_PALETTE["message"],
    "framing down": LAYER_PALETTE["framing"],
    "requests up": ("#8A4B08", "\\\\"),
    "TCP/IP headers": LAYER_PALETTE["tcp_ip_headers"],
}


def _name(label: str) -> str:
    if label in BY_SLUG:
        return BY_SLUG[label].title
    return label.replace("_", " ") if label.islower() else label


def _look(label: str) -> tuple[str, str]:
    return PALETTE.get(label, (INK, "o"))


def dots(
    samples: Mapping[str, Sequence[float]],
    title: str,
    unit: str = "ms",
    models: Mapping[str, float] | None = None,
    log: bool = False,
    conditions: str = "",
) -> Drawing:
    """Draw every measured latency as a dot, a row each; the mean as a marker, the model as a bar.

    A row with one value only shows that one.
    """
    models = models or {}
    said = []
    with lecture_style():
        figure = blank(10, 1.9 + 0.62 * len(samples))
        axes = figure.subplots()
        chance = np.random.default_rng(1)
        for y, (label, values) in enumerate(samples.items()):
            ink, mark = _look(label)
            mean = float(np.mean(values))
            heights = y + chance.uniform(-0.22, 0.22, len(values))
            if len(values) > 1:
                axes.plot(values, heights, "o", ms=5, color=ink, alpha=0.45, mew=0)
            size = mark_size(mark, 13)
            axes.plot(mean, y, mark, ms=size, color=ink, mec="white", clip_on=False, zorder=4)
            text = f"mean {three(mean)}" if len(values) > 1 else three(mean)
            if label in models:  # behind the marker, which says who it is
                axes.plot([models[label]] * 2, [y - 0.42, y + 0.42], color=WARNING, lw=3, zorder=3)
                text += f", model {short(models[label])}"
            axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center")
            said.append(f"{_name(label)} {text} {unit}")
        _rows(axes, [_name(label) for label in samples], log)
        axes.set_xlabel(f"latency, {unit}")
        legend = [conditions] if conditions else []
        if max(map(len, samples.values())) > 1:
            legend.append("dots: each measured value; marker: mean")
        heading(figure, title, "; ".join(legend + ["bar: model"] * bool(models)))
    return SmallDrawing("dots", title, f"Dot plot, one row each. {'; '.join(said)}.", figure)


def bars(
    values: Mapping[str, float | Mapping[str, float]],
    title: str,
    unit: str,
    log: bool = False,
    conditions: str = "",
) -> Drawing:
    """Draw one bar for each label, stacked where its value has parts."""
    said = []
    with lecture_style():
        figure = blank(10, 1.9 + 0.5 * len(values))
        axes = figure.subplots()
        parts: list[str] = []
        for y, (label, value) in enumerate(values.items()):
            stack = value if isinstance(value, Mapping) else {"": value}
            parts += [part for part in stack if part and part not in parts]
            left = 0.0
            for part, amount in stack.items():
                at = parts.index(part) if part else 0
                ink, hatch = _LAYERS.get(part, (PARTS[at % 5], _HATCHES[at % 5]))
                if not part:
                    ink, hatch = _look(label)[0], ""
                if amount:  # a bar of no length would still rub out the line at zero
                    axes.barh(y, amount, left=left, color=ink, hatch=hatch, ec="white", height=0.62)
                left += amount
            axes.annotate(
                short(left), (left, y), xytext=(6, 0), textcoords="offset points", va="center"
            )
            detail = ", ".join(f"{part} {short(amount)}" for part, amount in stack.items() if part)
            said.append(f"{_name(label)} {short(left)}" + (f" ({detail})" if detail else ""))
        _rows(axes, [_name(label) for label in values], log)
        axes.set_xlabel(axis_label(unit))
        axes.margins(x=0.14)
        for at, part in enumerate(parts):
            ink, hatch = _LAYERS.get(part, (PARTS[at % 5], _HATCHES[at % 5]))
            axes.barh(0, 0, color=ink, hatch=hatch, ec="white", label=part)
        if parts:
            figure.legend(loc="outside lower center", ncols=len(parts))
        heading(figure, title, conditions)
    return SmallDrawing("bars", title, f"Bars in {unit}: {'; '.join(said)}.", figure)


def ticks(
    times: Mapping[str, Sequence[float]], title: str, unit: str = "ms", conditions: str = ""
) -> Drawing:
    """Draw when things happened, or which ones did: a row each on one axis, a mark for each."""
    crowd = max(map(len, times.values()), default=0)
    size = max(3.0, min(11.0, 420 / max(crowd, 1)))  # neighbours stay apart
    with lecture_style():
        figure = blank(10, 1.9 + 0.55 * len(times))
        axes = figure.subplots()
        for y, (label, moments) in enumerate(times.items()):
            ink, mark = _look(label)
            axes.plot(moments, [y] * len(moments), mark, ms=size, color=ink, clip_on=False)
            for moment, count in Counter(moments).items():
                if count > 1:
                    axes.annotate(
                        f"{count} at once",
                        (moment, y),
                        xytext=(-12, 0),
                        textcoords="offset points",
                        ha="right",
                        va="center",
                    )
        _rows(axes, [_name(label) for label in times], False)
        axes.set_xlabel(axis_label(unit))
        heading(figure, title, conditions)
    said = "; ".join(f"{_name(label)} at {listed(moments)}" for label, moments in times.items())
    alt = f"Marks along an axis, {axis_label(unit)}. {said}."
    return SmallDrawing("ticks", title, alt, figure)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
    points: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    log: str = "",
    conditions: str = "",
) -> Drawing:
    """Draw lines with their names at the end, and measured points; ``log`` is "", x, y or xy."""
    ends, said = [], []
    with lecture_style():
        figure = blank(10, 5.4)
        axes = figure.subplots()
        for label, (x, y) in lines.items():
            axes.plot(x, y, color=_look(label)[0])
            ends.append(End(x[-1], y[-1], _name(label), _look(label)[0]))
            said.append(f"{_name(label)} from {short(y[0])} to {short(y[-1])}")
        for label, (x, y) in (points or {}).items():
            ink, mark = _look(label)
            axes.plot(
                x, y, mark, color=ink, mec="white", ms=mark_size(mark, 11), clip_on=False, zorder=3
            )
            who = "measured" if label == "measured" else f"measured {_name(label)}"
            said.append(f"{who}: {', '.join(short(one) for one in y[:10])}")
        axes.set_xlabel(x_label)
        axes.set_ylabel(axis_label(y_label))
        for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            plain_numbers(axis)
            if letter in log:
                axes.set(**{f"{letter}scale": "log"})
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                plain_numbers(axis)
                axis.set_minor_locator(NullLocator())
        if "y" not in log:
            axes.set_ylim(bottom=0)
        said_below = "line: model; points: measured" if points else ""
        heading(figure, title, conditions or said_below)
        settle(figure)
        label_ends(axes, ends, gap=0.09)
    return SmallDrawing(
        "curves", title, f"{axis_label(y_label)} over {x_label}. {'; '.join(said)}.", figure
    )


def panels(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
) -> Drawing:
    """Draw every value as a dot, a panel for each name, on common axes; the slow ones larger."""
    said = []
    with lecture_style():
        figure = blank(10, 4.4)
        grid = figure.subplots(1, len(series), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (label, (x, y)) in zip(grid, series.items(), strict=True):
            ink = _look(label)[0]
            late = [(at, one) for at, one in zip(x, y, strict=True) if one > 5 * median(y)]
            axes.plot(x, y, "o", ms=5, color=ink, alpha=0.5, mew=0)
            slow = [one for _, one in late]
            axes.plot([at for at, _ in late], slow, "o", ms=8, color=WARNING, mec="white")
            axes.set_title(f"{_name(label)}: {len(y)} values, {len(late)} slow")
            axes.set_xlabel(x_label)
            said.append(
                f"{_name(label)}: {len(y)} values, median {short(median(y))}, "
                f"most {short(max(y))}, {len(late)} over five medians"
            )
        grid[0].set_ylabel(y_label)
        plain_numbers(grid[0].yaxis)
        slow_ones = any(max(y) > 5 * median(y) for _, y in series.values())
        heading(figure, title, "red: slow, over five medians" if slow_ones else "")
    return SmallDrawing(
        "panels", title, f"Dots of {y_label} over {x_label}. {'; '.join(said)}.", figure
    )


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return mean, its 95 % interval (normal approximation), median and worst, rounded."""
    data = np.asarray(values, dtype=float)
    half = 1.96 * float(data.std(ddof=1)) / len(data) ** 0.5 if len(data) > 1 else float("nan")
    mean = float(data.mean())
    return {
        "mean": round(mean, 2),
        "low": round(mean - half, 2),
        "high": round(mean + half, 2),
        "median": round(float(median(values)), 2),
        "worst": round(float(data.max()), 2),
    }


def _rows(axes: Axes, names: Sequence[str], log: bool) -> None:
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    if log:
        axes.set_xscale("log")
        log_ticks(axes.xaxis)
    else:
        plain_numbers(axes.xaxis)
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]) if axes.get_xlim()[0] < 0 else 0.0)
    axes.xaxis.label.set_color(FAINT)


def on_model(
    slug: str,
    points: Mapping[float, Mapping[str, float]],
    model: Callable[[float], float],
    title: str,
    x_label: str,
) -> Drawing:
    """Draw mean latencies in ms by x, with their intervals, on ``model``'s line (x to s)."""
    points = dict(sorted(points.items()))
    low, high = min(points), max(points)
    x = [float(one) for one in np.linspace(low - 0.15 * (high - low), high * 1.15, 120) if one > 0]
    column = {name: [one[name] for one in points.values()] for name in ("mean", "low", "high")}
    line = [model(one) * 1000 for one in x]
    series = Series(slug, list(points), column["mean"], column["low"], column["high"], x, line)
    return small(model_and_points([series], "on_model", title, x_label, "mean latency, ms"))

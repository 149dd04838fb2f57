"""The notebooks' own figures: small, one idea each, from plain numbers instead of a run.

As everywhere, a technique's slug brings its colour and marker; other labels are drawn in ink.
Each returns a :class:`~results.style.Drawing`, which shows itself with its alternative text.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from results.course_bytes import byte_fields, conversation, describe, frame_fields
from results.course_drawing import PARTS, SmallDrawing, small
from results.curves import Series, model_and_points
from results.palette import FAINT, INK, LAYER_PALETTE, PALETTE, WARNING
from results.selection import short
from results.style import Drawing, End, blank, heading, label_ends, lecture_style
from wire.techniques import BY_SLUG

__all__ = [
    "bars", "byte_fields", "conversation", "curves", "describe", "dots", "frame_fields", "on_model",
    "panels", "summary", "ticks",
]  # fmt: skip
_HATCHES = ("", "//", "..", "xx", "--")
_LAYERS = {
    "message": LAYER_PALETTE["message"],
    "framing down": LAYER_PALETTE["framing"],
    "requests up": ("#F2C894", "\\\\"),
    "TCP/IP headers": LAYER_PALETTE["tcp_ip_headers"],
}


def _name(label: str) -> str:
    return BY_SLUG[label].title if label in BY_SLUG else label


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
    """Draw every measured value as a dot, a row each; the mean as a marker, the model as a bar."""
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
            axes.plot(values, heights, "o", ms=4, color=ink, alpha=0.35, mew=0)
            size = 20 if mark == "*" else 13  # a star of one size looks smaller than the rest
            axes.plot(mean, y, mark, ms=size, color=ink, mec="white", clip_on=False)
            text = f"mean {short(mean)}"
            if label in models:
                axes.plot([models[label]] * 2, [y - 0.4, y + 0.4], color=WARNING, lw=3)
                text += f", model {short(models[label])}"
            axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center")
            said.append(f"{_name(label)} {text} {unit}")
        _rows(axes, [_name(label) for label in samples], log)
        axes.set_xlabel(unit)
        legend = "dots: each measured value; marker: mean" + ("; bar: model" if models else "")
        heading(figure, title, conditions or legend)
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
                axes.barh(y, amount, left=left, color=ink, hatch=hatch, ec="white", height=0.62)
                left += amount
            axes.annotate(
                short(left), (left, y), xytext=(6, 0), textcoords="offset points", va="center"
            )
            detail = ", ".join(f"{part} {short(amount)}" for part, amount in stack.items() if part)
            said.append(f"{_name(label)} {short(left)}" + (f" ({detail})" if detail else ""))
        _rows(axes, [_name(label) for label in values], log)
        axes.set_xlabel(unit)
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
    """Draw when things happened: a row each on one axis of time, a mark for each event."""
    with lecture_style():
        figure = blank(10, 1.9 + 0.55 * len(times))
        axes = figure.subplots()
        for y, (label, moments) in enumerate(times.items()):
            ink, mark = _look(label)
            axes.plot(moments, [y] * len(moments), mark, ms=11, color=ink, clip_on=False)
        _rows(axes, [_name(label) for label in times], False)
        axes.set_xlabel(unit)
        heading(figure, title, conditions)
    said = "; ".join(
        f"{_name(label)} at " + ", ".join(short(moment) for moment in moments[:12])
        for label, moments in times.items()
    )
    return SmallDrawing("ticks", title, f"Marks on a time axis in {unit}. {said}.", figure)


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
            size = 17 if mark == "*" else 11
            axes.plot(x, y, mark, color=ink, mec="white", ms=size)
            said.append(f"measured {_name(label)}: {', '.join(short(one) for one in y[:10])}")
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
            if letter in log:
                axes.set(**{f"{letter}scale": "log"})
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
                axis.set_minor_locator(NullLocator())
        if "y" not in log:
            axes.set_ylim(bottom=0)
        said_below = "line: model; points: measured" if points else ""
        heading(figure, title, conditions or said_below)
        figure.canvas.draw()
        label_ends(axes, ends, gap=0.09)
    return SmallDrawing("curves", title, f"{y_label} over {x_label}. {'; '.join(said)}.", figure)


def panels(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    x_label: str,
    y_label: str,
) -> Drawing:
    """Draw every value as a dot, a panel for each name, on common axes."""
    said = []
    with lecture_style():
        figure = blank(10, 4.4)
        grid = figure.subplots(1, len(series), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (label, (x, y)) in zip(grid, series.items(), strict=True):
            axes.plot(x, y, "o", ms=5, color=_look(label)[0], alpha=0.5, mew=0)
            axes.set_title(f"{_name(label)}: {len(y)} values")
            axes.set_xlabel(x_label)
            said.append(
                f"{_name(label)}: {len(y)} values, median {short(median(y))}, "
                f"most {short(max(y))}, {sum(one > 5 * median(y) for one in y)} over five medians"
            )
        grid[0].set_ylabel(y_label)
        heading(figure, title)
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
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
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
    low, high = min(points), max(points)
    x = [float(one) for one in np.linspace(low - 0.15 * (high - low), high * 1.15, 120) if one > 0]
    column = {name: [one[name] for one in points.values()] for name in ("mean", "low", "high")}
    line = [model(one) * 1000 for one in x]
    series = Series(slug, list(points), column["mean"], column["low"], column["high"], x, line)
    return small(model_and_points([series], "on_model", title, x_label, "mean latency, ms"))

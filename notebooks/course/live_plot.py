"""Plots that are drawn many times a second: SVG by hand, with what they show in words.

The figures of the course take a second on a slow machine; a slider wants its curve at once, and
dots want to fall while they are measured. Same colours, same markers' order, no layout to solve.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isfinite, log10

from notebooks.course.words import say
from results.figures.palette import FAINT, GRID, INK, PALETTE, WARNING
from results.figures.words import short
from wire.techniques import BY_SLUG

Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT = 760.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 74.0, 150.0, 14.0, 46.0


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn: model lines, measured points on them, dots, and where the reader stands."""

    x_label: str
    y_label: str
    lines: Mapping[str, Points]
    points: Mapping[str, Points] = field(default_factory=dict)
    dots: Mapping[str, Points] = field(default_factory=dict)
    here: float | None = None
    log: str = ""


def draw(plot: Plot) -> str:
    """Return the plot as an SVG element, which says itself in words."""
    groups = [*plot.lines.values(), *plot.points.values(), *plot.dots.values()]
    every = [(x, y) for points in groups for x, y in points if isfinite(y)]
    x_axis = _Axis([x for x, _ in every], _LEFT, _WIDTH - _RIGHT, "x" in plot.log, False)
    y_axis = _Axis([y for _, y in every], _HEIGHT - _BOTTOM, _TOP, "y" in plot.log, True)
    parts = [*_frame(plot, x_axis, y_axis)]
    labels = []
    for name, points in plot.lines.items():
        ink, _ = PALETTE.get(name, (INK, "o"))
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2.5"/>')
        labels.append((y_axis.at(points[-1][1]), _name(name), ink))
    parts += _labels(labels)
    for name, points in plot.dots.items():
        parts += _circles(points, x_axis, y_axis, PALETTE.get(name, (INK, "o"))[0], 3, 0.45)
    for name, points in plot.points.items():
        parts += _circles(points, x_axis, y_axis, PALETTE.get(name, (INK, "o"))[0], 7, 1.0)
    if plot.here is not None:
        x = x_axis.at(plot.here)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" '
            f'stroke="{WARNING}" stroke-width="1.5" stroke-dasharray="5 4"/>'
        )
    return _svg(parts, _HEIGHT, words(plot))


def words(plot: Plot) -> str:
    """Say the plot: where each line begins and ends, and each measured point."""
    said = [
        say(
            "{name} from {low} to {high}",
            name=_name(name),
            low=short(points[0][1]),
            high=short(points[-1][1]),
        )
        for name, points in plot.lines.items()
    ]
    for name, points in plot.points.items():
        each = ", ".join(say("{y} at {x}", y=short(y), x=short(x)) for x, y in points)
        if points:
            said.append(say("measured {name}: {each}", name=_name(name), each=each))
    axes = say("{y_label} over {x_label}", y_label=plot.y_label, x_label=plot.x_label)
    return f"{axes}. {'; '.join(said)}."


def strip(values: Mapping[str, Sequence[float]], unit: str = "ms") -> str:
    """Return dots that fell so far as an SVG element, a row for each name."""
    axis = _Axis([one for row in values.values() for one in row], _LEFT, _WIDTH - _RIGHT, False, 1)
    height = 26.0 * len(values) + 34
    parts, bottom = [], height - 30
    for mark, text in axis.ticks():
        parts.append(_text(mark, height - 12, f"{text} {unit}", "middle", FAINT))
        parts.append(_rule(mark, mark, 4, bottom))
    for row, (name, numbers) in enumerate(values.items()):
        ink, middle = PALETTE.get(name, (INK, "o"))[0], 18 + 26.0 * row
        parts.append(_text(_WIDTH - _RIGHT + 10, middle + 5, _name(name), "start", ink))
        for place, one in enumerate(numbers):
            y = middle + (place * 7 % 15) - 7  # beside each other, in an order without a pattern
            parts.append(
                f'<circle cx="{axis.at(one):.1f}" cy="{y:.1f}" r="3.5" fill="{ink}" opacity="0.5"/>'
            )
    said = "; ".join(f"{_name(name)}: {len(row)}" for name, row in values.items())
    return _svg(parts, height, say("Measured so far: {said}.", said=said))


class _Axis:
    """Turns values into places between two ends; wide enough for all of them."""

    def __init__(
        self, values: Sequence[float], begin: float, end: float, is_log: bool, from_zero: bool | int
    ) -> None:
        low, high = min(values, default=0.0), max(values, default=1.0)
        if from_zero and not is_log:
            low, high = min(low, 0.0), high * 1.05
        if high <= low:
            high = low + 1
        self._is_log = is_log
        self._low, self._high, self._begin, self._end = low, high, begin, end

    def at(self, value: float) -> float:
        value = max(value, self._low) if self._is_log else value
        low, high = self._low, self._high
        if self._is_log:
            value, low, high = log10(value), log10(low), log10(high)
        return self._begin + (value - low) / (high - low) * (self._end - self._begin)

    def ticks(self) -> Iterable[tuple[float, str]]:
        # Here, as whoever only asks the course's command for help does not wait for matplotlib.
        from matplotlib.ticker import LogLocator, MaxNLocator

        locator = LogLocator(subs=(1, 2, 5)) if self._is_log else MaxNLocator(6)
        for value in locator.tick_values(self._low, self._high):
            if self._low <= value <= self._high:
                yield self.at(float(value)), f"{value:,.10g}"


def _frame(plot: Plot, x_axis: _Axis, y_axis: _Axis) -> Iterable[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for x, text in x_axis.ticks():
        yield _rule(x, x, _TOP, bottom)
        yield _text(x, bottom + 18, text, "middle", INK)
    for y, text in y_axis.ticks():
        yield _rule(_LEFT, right, y, y)
        yield _text(_LEFT - 8, y + 5, text, "end", INK)
    yield _text((_LEFT + right) / 2, _HEIGHT - 8, plot.x_label, "middle", INK)
    middle = (_TOP + bottom) / 2
    yield _text(16, middle, plot.y_label, "middle", INK, f' transform="rotate(-90 16 {middle})"')


def _labels(labels: Iterable[tuple[float, str, str]]) -> Iterable[str]:
    last = -1e9
    for y, text, ink in sorted(labels):
        last = max(y, last + 17)
        yield _text(_WIDTH - _RIGHT + 10, last + 5, text, "start", ink)


def _circles(
    points: Points, x_axis: _Axis, y_axis: _Axis, ink: str, size: float, opacity: float
) -> Iterable[str]:
    for x, y in points:
        place = f'cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="{size}"'
        yield f'<circle {place} fill="{ink}" stroke="white" opacity="{opacity}"/>'


def _rule(x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="{GRID}"/>'


def _text(x: float, y: float, text: str, anchor: str, ink: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}"'
    return f"<text {place}{more}>{escape(text)}</text>"


def _svg(parts: Iterable[str], height: float, said: str) -> str:
    size = f'viewBox="0 0 {_WIDTH:g} {height:g}" style="max-width:{_WIDTH:g}px;background:#fff"'
    font = 'font-family="DejaVu Sans, sans-serif" font-size="13"'
    return f'<svg role="img" aria-label="{escape(said)}" {size} {font}>{"".join(parts)}</svg>'


def _name(label: str) -> str:
    return BY_SLUG[label].title if label in BY_SLUG else label

"""How a figure looks: readable from the last row, in print and without colour.

No pyplot and no global state: :func:`blank` makes a figure under :func:`lecture_style`, and a
:class:`Drawing` carries it with its name and alternative text.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Annotation
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from results.figures.palette import FAINT, GRID, INK, WARNING
from results.record.verdicts import Verdict
from wire.techniques import BY_SLUG

SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titley": 1.0,  # nothing else stands there, so no layout need look for it
    "axes.labelsize": 14,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 13,
    "ytick.labelsize": 13,
    "lines.linewidth": 2.5,
    "lines.markersize": 9,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 13,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "duplex",  # the same data gives the same file
    "path.simplify_threshold": 0.3,
}
PNG_DPI = 110
NUMBERS = "{x:,.10g}"  # plain, thousands apart
_DIGITS = re.compile(r"(\d\.\d\d)\d+")


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure with its file ``name``, its ``title`` and ``alt``, the text that says it."""

    name: str
    title: str
    alt: str
    figure: Figure

    def __post_init__(self) -> None:
        """Settle the layout once, so that every drawing of it is the same, and is drawn once."""
        with lecture_style():
            settle(self.figure)
            self.figure.set_layout_engine(None)  # for "none", savefig would draw twice
        for axes in self.figure.axes:  # the layout's solver differs in the last bits, now and then
            axes.set_position(tuple(round(part, 9) for part in axes.get_position().bounds))

    def svg(self) -> str:
        """Return the figure as one SVG element with its alternative text."""
        out = io.StringIO()
        with lecture_style():
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        text = out.getvalue()
        text = text[text.index("<svg") :]
        # Paths in 1/100 point are finer than any screen or printer.
        return re.sub(r' d="[^"]*"', lambda path: _DIGITS.sub(r"\1", path[0]), text)

    def png(self) -> bytes:
        """Return the figure as a PNG file."""
        out = io.BytesIO()
        with lecture_style():
            self.figure.savefig(out, format="png", dpi=PNG_DPI, metadata={"Software": None})
        return out.getvalue()

    def pixels(self) -> NDArray[np.uint8]:
        """Return what a PNG file has packed: an array of lines, columns and RGBA."""
        with lecture_style():
            self.figure.savefig(io.BytesIO(), format="rgba", dpi=PNG_DPI)
        canvas: Any = self.figure.canvas  # Agg's, from :func:`blank`
        return np.asarray(canvas.buffer_rgba())

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        """Show the figure in a notebook, with its alternative text."""
        return self.png(), {"alt": self.alt}


@contextmanager
def lecture_style() -> Iterator[None]:
    """Set the style inside of a ``with`` block only, whatever a ``matplotlibrc`` says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)  # type: ignore[arg-type]  # the stub names every key
        yield


def blank(width: float = 11.0, height: float = 6.2) -> Figure:
    """Return an empty figure of inches; call it under :func:`lecture_style`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def settle(figure: Figure) -> None:
    """Give everything its place, for whoever asks where it is; nothing is drawn for that."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():  # else no words would be fitted in beside the numbers
                axis.set_label_coords(0, 0)
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)


def heading(figure: Figure, title: str, conditions: str = "") -> None:
    """Write the figure's title and, smaller, what it was measured under."""
    height = figure.get_figheight()
    room = 0.72 if conditions else 0.45  # inches
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.008, 0.008, 0.984, 0.992 - room / height))
    figure.text(0.008, 1 - 0.22 / height, title, fontsize=18, fontweight="bold", va="center")
    figure.text(0.008, 1 - 0.52 / height, conditions, fontsize=14, color=FAINT, va="center")


def log_ticks(axis: Axis, roomy: bool = True) -> None:
    """Write plain numbers on a logarithmic axis, finer steps where it is short.

    Call it when the limits are known; ``roomy`` says that six numbers have room in one decade.
    """
    low, high = axis.get_view_interval()
    steps: tuple[float, ...] = (1.0,) if high > 50 * low else (1.0, 2.0, 5.0)
    if roomy and high < 10 * low:
        steps = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axis.set_major_formatter(StrMethodFormatter(NUMBERS))
    axis.set_minor_locator(NullLocator())


def plain_numbers(axis: Axis) -> None:
    """Write the numbers of a linear axis with the thousands apart, as the labels have them."""
    axis.set_major_formatter(StrMethodFormatter(NUMBERS))


def mark_size(mark: str, size: float) -> float:
    """Return the size at which ``mark`` looks as large as the others do at ``size``."""
    return size * 1.55 if mark == "*" else size


def row_panels(slugs: Sequence[str], count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``count`` panels side by side, one row for each technique."""
    figure = blank()
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(wspace=0.06)  # the last number of one panel stays off the next one's first
    panels: list[Axes] = list(figure.subplots(1, count, sharey=True, squeeze=False)[0])
    for axes in panels:
        plain_numbers(axes.xaxis)
        axes.set_ylim(len(slugs) - 0.45, -0.75)  # the oldest technique on top
        axes.set_yticks(range(len(slugs)), [BY_SLUG[slug].title for slug in slugs])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
    return figure, panels


def small_panels(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure of ``count`` small panels with common axes, four in a row."""
    columns = min(count, 4)
    lines = -(-count // columns)
    figure = blank(height=2.2 + 2.0 * lines)
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.ravel())
    plain_numbers(panels[0].yaxis)
    for axes in panels[count:]:
        axes.remove()
    for axes in panels[max(count - columns, 0) : count]:  # below which nothing is left
        axes.tick_params(labelbottom=True)
    return figure, panels[:count]


def warn(axes: Axes, verdict: str) -> None:
    """Write a verdict that is not ``VALID`` into the top of a panel."""
    if verdict != Verdict.VALID:
        place = axes.transAxes
        axes.text(0.04, 0.88, verdict, color=WARNING, fontweight="bold", size=12, transform=place)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart to at least ``gap``, as little as possible, inside of low..high.

    Neighbours that would touch become a block around their mean; when all of them cannot have
    the gap, they share the room evenly.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[int]] = [[i] for i in order]

    def start(block: list[int]) -> float:
        span = gap * (len(block) - 1)
        mean = sum(wanted[i] for i in block) / len(block)
        return min(max(mean - span / 2, low), high - span)

    n = 1
    while n < len(blocks):
        before, block = blocks[n - 1], blocks[n]
        if start(block) < start(before) + gap * len(before) - 1e-9:
            blocks[n - 1 : n + 1] = [before + block]
            n = max(n - 1, 1)
        else:
            n += 1
    places = [0.0] * len(wanted)
    for block in blocks:
        for step, i in enumerate(block):
            places[i] = start(block) + gap * step
    return places


@dataclass(frozen=True, slots=True)
class End:
    """The end of a line that wants a label: its data coordinates, text and colour."""

    x: float
    y: float
    text: str
    color: str


def label_ends(axes: Axes, ends: Sequence[End], gap: float = 0.075) -> list[Annotation]:
    """Write each label right of its line's end, moved apart so that none covers another.

    ``gap`` is the least distance as a share of the axes' height. Call it after the limits are
    set; thin leaders join a label with its line. An end that is nowhere (NaN) gets no label.
    """
    ends = [end for end in ends if np.isfinite(end.y)]
    transform = axes.transData + axes.transAxes.inverted()
    places = [transform.transform((end.x, end.y)) for end in ends]
    heights = spread([min(max(float(y), 0), 1) for _, y in places], gap, 0.0, 1.0)
    return [
        axes.annotate(
            end.text,
            xy=(float(x), min(max(float(y), 0), 1)),
            xycoords="axes fraction",
            xytext=(1.06, height),
            textcoords="axes fraction",
            color=end.color,
            fontsize=13,
            fontweight="bold",
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.color,
                "lw": 0.9,
                "shrinkA": 1,
                "shrinkB": 5,
                "relpos": (0, 0.5),  # from the middle of the text's left edge
            },
        )
        for end, (x, y), height in zip(ends, places, heights, strict=True)
    ]

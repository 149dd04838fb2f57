"""Sequence diagrams, drawn from what a relay saw pass and when: nothing is made up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from results.errors import ResultsError
from results.figures.palette import FAINT, INK, WARNING
from results.figures.style import Drawing, blank, heading, lecture_style, plain_numbers, spread
from results.record.rows import TraceRow

UP, DOWN = "#0B5394", "#A33C00"


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction: from which line to which, in which ink, and where its labels stand."""

    direction: str
    words: str
    start: float
    end: float
    ink: str
    align: str

    @property
    def outwards(self) -> float:
        """Away from the arrows: -1 to the left, 1 to the right."""
        return -1.0 if self.start < self.end else 1.0


_WAYS = (
    _Way("up", "client to server", 0.0, 1.0, UP, "right"),
    _Way("down", "server to client", 1.0, 0.0, DOWN, "left"),
)


def sequence_diagram(
    rows: Sequence[TraceRow],
    name: str,
    caption: str,
    conditions: str = "",
    moments: Mapping[str, float] | None = None,
) -> Drawing:
    """Draw client (left), server (right) and time (down), one arrow for each row.

    An arrow begins where and when the sender's bytes reached the relay and ends when they left
    it, so its slope is the network's delay. Labels stand at the sender, moved apart. ``moments``
    (ms) are marked at the server, by their names.
    """
    if not rows:
        raise ResultsError("an empty trace has no sequence to draw")
    moments = moments or {}
    last = max([*(row.t_ms for row in rows), *moments.values()])
    first = min([*(row.sent_ms for row in rows), *moments.values()])
    span = max(last - first, 1e-3)
    crowd = max(sum(row.direction == way.direction for row in rows) for way in _WAYS) + len(moments)
    height = min(max(5.0, 2.2 + 0.45 * crowd), 16.0)
    gap = span * 0.32 / (height - 1.9)  # one line of text
    with lecture_style():
        figure = blank(height=height)
        axes = figure.subplots()
        axes.set_xlim(-_margin(rows), 1 + _margin(rows))
        axes.set_ylim(last + 0.03 * span, first - 0.03 * span)
        _two_lines(axes)
        for way in _WAYS:
            chosen = [row for row in rows if row.direction == way.direction]
            marked = moments if way.direction == "down" else {}
            wanted = [*(row.sent_ms for row in chosen), *marked.values()]
            places = spread(wanted, gap, first, last)
            for row, place in zip(chosen, places, strict=False):
                _arrow(axes, way, row, place)
            for (label, moment), place in zip(marked.items(), places[len(chosen) :], strict=True):
                axes.plot(way.start, moment, "D", color=WARNING, ms=9, zorder=4)
                _label(axes, way, moment, place, label, WARNING)
        heading(figure, caption, conditions)
    said = f"Sequence diagram of a recorded trace: {_said(rows)}."
    said += "".join(f" At {moment:.0f} ms: {label}." for label, moment in moments.items())
    return Drawing(name, caption, said, figure)


def _margin(rows: Sequence[TraceRow]) -> float:
    """Return the room for the texts of one side, as a share of what is left for the arrows."""
    inches = 0.11 * max(len(_text(row)) for row in rows) + 0.6
    return inches / max(10.2 - 2 * inches, 2.0)


def _two_lines(axes: Axes) -> None:
    axes.set_xticks([0, 1], ["client", "server"], fontweight="bold", fontsize=16)
    axes.xaxis.set_ticks_position("top")
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("time, ms")
    plain_numbers(axes.yaxis)
    axes.grid(visible=False)
    for side in ("bottom", "left"):
        axes.spines[side].set_visible(False)
    for x in (0, 1):
        axes.axvline(x, color=FAINT, lw=2.5)


def _arrow(axes: Axes, way: _Way, row: TraceRow, place: float) -> None:
    """Draw one arrow, and its label at the height ``place``."""
    axes.annotate(
        "",
        xy=(way.end, row.t_ms),
        xytext=(way.start, row.sent_ms),
        arrowprops={"arrowstyle": "-|>", "color": way.ink, "lw": 2.2, "mutation_scale": 20},
    )
    _label(axes, way, row.sent_ms, place, _text(row), way.ink)


def _label(axes: Axes, way: _Way, moment: float, place: float, text: str, ink: str) -> None:
    """Write beside the line what happened at a moment, at the height ``place``."""
    edge = way.start + 0.1 * way.outwards
    axes.plot([way.start, edge], [moment, place], color=ink, lw=0.9)
    at = edge + 0.03 * way.outwards
    axes.text(at, place, text, ha=way.align, va="center", color=INK, fontsize=13)


def _said(rows: Sequence[TraceRow]) -> str:
    ways = {way.direction: way.words for way in _WAYS}
    return "; ".join(
        f"at {row.sent_ms:.0f} ms {ways[row.direction]} {row.label} ({row.bytes} B), "
        f"there at {row.t_ms:.0f} ms"
        for row in sorted(rows, key=lambda row: row.sent_ms)
    )


def _text(row: TraceRow, length: int = 28) -> str:
    label = row.label if len(row.label) <= length else row.label[: length - 1] + "…"
    return f"{label} ({row.bytes:,} B)"

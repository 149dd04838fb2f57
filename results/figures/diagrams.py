"""Sequence diagrams, drawn from what a relay saw pass and when: nothing is made up."""

from collections.abc import Sequence

from results.errors import ResultsError
from results.figures.palette import FAINT, INK
from results.figures.style import Drawing, blank, heading, lecture_style, plain_numbers, spread
from results.record.rows import TraceRow

UP, DOWN = "#0B5394", "#A33C00"


def sequence_diagram(
    rows: Sequence[TraceRow], name: str, caption: str, conditions: str = ""
) -> Drawing:
    """Draw client (left), server (right) and time (down), one arrow for each row.

    An arrow begins where and when the sender's bytes reached the relay and ends when they left
    it, so its slope is the network's delay. Labels stand at the sender, moved apart.
    """
    if not rows:
        raise ResultsError("an empty trace has no sequence to draw")
    last = max(row.t_ms for row in rows)
    first = min(row.sent_ms for row in rows)
    span = max(last - first, 1e-3)
    crowd = max(sum(row.direction == side for row in rows) for side in ("up", "down"))
    height = min(max(5.0, 2.2 + 0.45 * crowd), 16.0)
    longest = max(len(_text(row)) for row in rows)
    # Inches of text at each side, as a share of what is left for the arrows.
    margin = (0.11 * longest + 0.6) / max(10.2 - 2 * (0.11 * longest + 0.6), 2.0)
    gap = span * 0.32 / (height - 1.9)  # one line of text
    with lecture_style():
        figure = blank(height=height)
        axes = figure.subplots()
        axes.set_xlim(-margin, 1 + margin)
        axes.set_ylim(last + 0.03 * span, first - 0.03 * span)
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
        for direction, x_from, x_to, ink, align in (
            ("up", 0.0, 1.0, UP, "right"),
            ("down", 1.0, 0.0, DOWN, "left"),
        ):
            chosen = [row for row in rows if row.direction == direction]
            wanted = [row.sent_ms for row in chosen]
            places = spread(wanted, gap, first, last)
            edge = x_from + (-0.1 if direction == "up" else 0.1)
            for row, place in zip(chosen, places, strict=True):
                axes.annotate(
                    "",
                    xy=(x_to, row.t_ms),
                    xytext=(x_from, row.sent_ms),
                    arrowprops={"arrowstyle": "-|>", "color": ink, "lw": 2.2, "mutation_scale": 20},
                )
                axes.plot([x_from, edge], [row.sent_ms, place], color=ink, lw=0.9)
                axes.text(
                    edge + (-0.03 if direction == "up" else 0.03),
                    place,
                    _text(row),
                    ha=align,
                    va="center",
                    color=INK,
                    fontsize=13,
                )
        heading(figure, caption, conditions)
    ways = {"up": "client to server", "down": "server to client"}
    said = "; ".join(
        f"at {row.sent_ms:.0f} ms {ways[row.direction]} {row.label} ({row.bytes} B), "
        f"there at {row.t_ms:.0f} ms"
        for row in sorted(rows, key=lambda row: row.sent_ms)
    )
    return Drawing(name, caption, f"Sequence diagram of a recorded trace: {said}.", figure)


def _text(row: TraceRow, length: int = 28) -> str:
    label = row.label if len(row.label) <= length else row.label[: length - 1] + "…"
    return f"{label} ({row.bytes:,} B)"

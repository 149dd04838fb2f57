"""Techniques by what stands in between: who gets through, as a grid of words."""

from collections.abc import Mapping
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from results.errors import ResultsError
from results.figures.palette import FAINT, INK, WARNING
from results.figures.style import Drawing, blank, heading, lecture_style
from results.record.crossings import DISTRIBUTED, NOTHING, PUSH, Crossing, Matrix, Word
from wire.techniques import TECHNIQUES

_FILLS = {
    Word.PASSES: "#DCEFE3",
    Word.LATE: "#FBEFC8",
    Word.CUT: "#FBEFC8",
    Word.HALF: "#F6D5D2",
    Word.HELD: "#F6D5D2",
    Word.REFUSED: "#F6D5D2",
}
_SETUPS = {DISTRIBUTED: "as distributed", PUSH: "set for push", "both": "either way", "": ""}
_ROW = 0.29  # inches
_LEFT, _MIDDLE, _RIGHT = -5.2, -3.15, -0.15  # where intermediary, setup and way are written

_Found = Mapping[str, Crossing]


def crossings(matrix: Matrix) -> Drawing:
    """Draw a row for each way through each set-up; set-ups that do not differ share one.

    Raises :class:`~results.errors.ResultsError` for a matrix without rows.
    """
    rows = _rows(matrix)
    if not rows:
        raise ResultsError("this matrix has no rows to draw")
    titles = matrix.titles | {NOTHING: "nothing"}
    with lecture_style():
        figure = blank(width=13.0, height=2.3 + _ROW * len(rows))
        axes = figure.subplots()
        before = ""
        for y, ((name, setup, way), found) in enumerate(rows):
            if name != before:
                axes.text(_LEFT, y, titles[name], va="center", fontweight="bold", fontsize=11)
                axes.axhline(y - 0.5, xmin=0, color=FAINT, lw=0.8)
            axes.text(_MIDDLE, y, _SETUPS[setup], va="center", fontsize=10.5)
            axes.text(_RIGHT, y, way, va="center", ha="right", fontsize=10.5, color=FAINT)
            _cells(axes, y, found)
            before = name
        axes.set_xlim(_LEFT, len(TECHNIQUES))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        names = [one.title.replace(" ", "\n").replace("-", "-\n") for one in TECHNIQUES]
        axes.set_xticks([x + 0.5 for x in range(len(TECHNIQUES))], names, fontsize=10.5)
        axes.xaxis.tick_top()
        axes.set_yticks([])
        axes.tick_params(length=0)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        silence = f"{matrix.silence_s:.0f} s of silence" if matrix.silence_s else "no silence"
        legend = (
            "+ms: each message so late; s: cut after so long; a number: refused with that status"
        )
        heading(figure, "What gets through", f"{legend}; {silence}")
    return Drawing("crossings", "What gets through", _said(matrix), figure)


def _rows(matrix: Matrix) -> list[tuple[tuple[str, str, str], _Found]]:
    rows: list[tuple[tuple[str, str, str], _Found]] = []
    shared: set[tuple[str, str, str]] = set()
    ways = matrix.ways()
    names, whiches = ([*dict.fromkeys(key[part] for key in ways)] for part in (0, 2))
    for name, setup, way in sorted(
        ways, key=lambda key: (names.index(key[0]), whiches.index(key[2]), key[1] == PUSH)
    ):
        found = matrix.at(name, setup, way)
        other = matrix.at(name, PUSH, way) if setup == DISTRIBUTED else {}
        if other and _texts(found) == _texts(other):
            shared.add((name, PUSH, way))
            rows.append(((name, "both", way), found))
        elif (name, setup, way) not in shared:
            rows.append(((name, setup, way), found))
    return rows


def _texts(found: _Found) -> dict[str, str]:
    """Return what is written; what differs by chance alone is not."""
    return {slug: brief(replace(one, late_ms=None)) for slug, one in found.items()}


def _cells(axes: Axes, y: int, found: _Found) -> None:
    for x, technique in enumerate(TECHNIQUES):
        one = found.get(technique.slug)
        if one is None:
            continue
        box = Rectangle((x + 0.02, y - 0.46), 0.96, 0.92, facecolor=_FILLS[one.word], lw=0)
        axes.add_patch(box)
        bad = one.word in (Word.HALF, Word.HELD, Word.REFUSED)
        axes.text(
            *(x + 0.5, y, brief(one)),
            ha="center",
            va="center",
            fontsize=10,
            color=WARNING if bad else INK,
            fontweight="bold" if bad else "normal",
        )


def brief(one: Crossing) -> str:
    """Say what became of a technique as shortly as it goes."""
    if one.word is Word.PASSES:
        return "ok"
    if one.word is Word.REFUSED:
        return str(one.status or "refused")
    said = [f"+{one.late_ms:.0f} ms"] if one.late_ms is not None else []
    if one.cut_s is not None:
        said.append(f"{one.cut_s:.0f} s{' busy' if one.busy else ''}")
    return " ".join(said) or str(one.word)


def _said(matrix: Matrix) -> str:
    """Say in words how many pass, as distributed and set for push."""
    told = []
    for technique in TECHNIQUES:
        counts = []
        for setup in (DISTRIBUTED, PUSH):
            rows = [
                one
                for one in matrix.crossings
                if one.setup == setup and one.technique == technique.slug
            ]
            passed = sum(one.word is Word.PASSES for one in rows)
            counts.append(f"{passed} of {len(rows)}")
        told.append(f"{technique.title} {counts[0]} as distributed and {counts[1]} set for push")
    return "Ways through what stands in between that pass: " + "; ".join(told) + "."

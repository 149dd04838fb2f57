"""How the notebooks' drawings show themselves, in few bytes as all are committed, and speak."""

import io
from collections.abc import Sequence

from PIL import Image

from results.figures.style import Drawing
from results.figures.words import short

PARTS = ("#1B4F72", "#B4610F", "#5F6368", "#14965E", "#8C2593")  # inks of what has no technique


class SmallDrawing(Drawing):
    """A drawing that shows itself in 128 colours: a third of the bytes, and nobody sees it."""

    def png(self) -> bytes:
        """Return the figure as a PNG file with a palette."""
        out = io.BytesIO()
        image = Image.fromarray(self.pixels()).convert("RGB")
        few = image.quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
        return out.getvalue()


def small(drawing: Drawing) -> Drawing:
    """Make a drawing show itself in fewer colours."""
    return SmallDrawing(drawing.name, drawing.title, drawing.alt, drawing.figure)


def axis_label(unit: str) -> str:
    """Say what a bare unit of time measures; other labels stay as they are."""
    return f"time, {unit}" if unit in ("ms", "s") else unit


def three(value: float) -> str:
    """Write a value with three digits: means that differ in the picture differ in words too."""
    return short(value) if value >= 10 else f"{value:.3g}"


def listed(moments: Sequence[float]) -> str:
    """Write moments one by one, or a long row of whole numbers by its unbroken stretches."""
    if len(moments) <= 12 or any(one != int(one) for one in moments):
        return ", ".join(short(one) for one in moments[:12])
    whole = sorted({int(one) for one in moments})
    starts = [one for one in whole if one - 1 not in whole]
    ends = [one for one in whole if one + 1 not in whole]
    return ", ".join(f"{low} to {high}" for low, high in zip(starts, ends, strict=True))

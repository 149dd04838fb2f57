"""Formulas as pictures: a page that fetches nothing has no MathJax."""

import base64
import io
import re
from functools import cache
from html import escape

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from results.figures.style import lecture_style

_CODE = re.compile(r"(```.*?```|`[^`]*`)", re.DOTALL)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
_BASE = 10.0  # points, of which a picture's size is told in em


def with_formulas(markdown: str) -> str:
    """Return a text whose formulas are pictures, with their TeX as alternative text."""
    parts = _CODE.split(markdown)
    return "".join(
        part if place % 2 else _FORMULA.sub(_picture, part) for place, part in enumerate(parts)
    )


def _picture(found: re.Match[str]) -> str:
    stands_alone = found[1] is not None
    tex = " ".join((found[1] or found[2]).split())
    picture, width, height, depth = _drawn(tex)
    style = f"width:{width:.2f}em;height:{height:.2f}em;vertical-align:-{depth:.2f}em"
    image = f'<img class="formula" alt="{escape(tex)}" style="{style}" src="{picture}">'
    return f'\n\n<p class="formula">{image}</p>\n\n' if stands_alone else image


@cache
def _drawn(tex: str) -> tuple[str, float, float, float]:
    out = io.BytesIO()
    words = re.sub(r"\\le(?![a-z])", r"\\leq", tex)
    with lecture_style():
        depth = math_to_image(
            f"${words}$", out, dpi=72, format="svg", prop=FontProperties(size=_BASE)
        )
    svg = out.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    width, height = (float(one) for one in re.findall(r'(?:width|height)="([\d.]+)pt"', svg)[:2])
    coded = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{coded}"
    return source, width / _BASE, height / _BASE, depth / _BASE

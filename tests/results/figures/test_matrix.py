"""The grid of what gets through draws every row, and says itself in words."""

import pytest

from results.errors import ResultsError
from results.figures.matrix import brief, crossings
from results.record.crossings import Crossing, Matrix, Word

HEAD = {"silence_s": 0.0, "intermediaries": [{"name": "nginx", "title": "nginx"}]}


def one(setup: str, word: Word, technique: str = "sse", **more: object) -> Crossing:
    return Crossing("nginx", setup, "in front", technique, word, **more)  # type: ignore[arg-type]


@pytest.mark.slow
def test_it_says_how_many_pass() -> None:
    rows = (
        one("distributed", Word.LATE, late_ms=208.0),
        one("push", Word.PASSES),
        one("push", Word.REFUSED, "web_socket", status=426),
    )
    drawing = crossings(Matrix(HEAD, rows))
    assert "Server-Sent Events 0 of 1 as distributed and 1 of 1 set for push" in drawing.alt
    said = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert {"+208 ms", "ok", "426", "nginx", "as distributed", "set for push"} <= set(said)


def test_a_matrix_without_rows_has_no_figure() -> None:
    with pytest.raises(ResultsError, match="no rows"):
        crossings(Matrix(HEAD, ()))


@pytest.mark.parametrize(
    ("crossing", "text"),
    [
        (one("push", Word.PASSES), "ok"),
        (one("push", Word.REFUSED), "refused"),
        (one("push", Word.CUT, cut_s=60.2), "60 s"),
        (one("push", Word.CUT, cut_s=15.0, busy=True), "15 s busy"),
        (one("push", Word.CUT, cut_s=50.0, late_ms=208.0), "+208 ms 50 s"),
        (one("push", Word.HALF), "half"),
    ],
)
def test_a_cell_is_brief(crossing: Crossing, text: str) -> None:
    assert brief(crossing) == text

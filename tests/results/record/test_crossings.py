"""A matrix is read as it was written, and what is none is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from results.errors import FormatError
from results.record.crossings import Crossing, Matrix, Word, read_matrix, unlike, write_matrix

CROSSINGS = (
    Crossing("nginx", "push", "in front", "sse", Word.PASSES),
    Crossing("nginx", "push", "in front", "web_socket", Word.REFUSED, 426, detail='no, "why"'),
    Crossing("haproxy", "distributed", "in front", "sse", Word.CUT, None, 208.0, 50.1),
    Crossing("envoy", "distributed", "in front", "sse", Word.CUT, 504, None, 15.0, busy=True),
)
HEAD = {"silence_s": 330.0, "intermediaries": [{"name": "nginx", "title": "nginx"}]}


def test_a_matrix_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_matrix(tmp_path, HEAD, CROSSINGS)
    found = read_matrix(tmp_path)
    assert found.crossings == CROSSINGS
    assert found.silence_s == 330
    assert found.titles == {"nginx": "nginx"}
    assert list(found.at("nginx", "push", "in front")) == ["sse", "web_socket"]
    assert [one.text for one in found.crossings] == [
        "passes",
        "refused (426)",
        "late by 208 ms, cut after 50 s",
        "cut after 15 s of use",
    ]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("between.json", "{}"),
        ("between.json", '{"format": 2}'),
        ("crossings.csv", "intermediary\nnginx\n"),
    ],
)
def test_what_is_no_matrix_is_told(file: str, text: str, tmp_path: Path) -> None:
    write_matrix(tmp_path, HEAD, CROSSINGS)
    (tmp_path / file).write_text(text, encoding="utf-8")
    with pytest.raises(FormatError):
        read_matrix(tmp_path)
    with pytest.raises(FormatError):
        read_matrix(tmp_path / "elsewhere")


def test_two_matrices_agree_but_for_what_a_busy_machine_adds() -> None:
    first = Matrix(HEAD, CROSSINGS)
    again = list(CROSSINGS)
    again[2] = replace(again[2], late_ms=240.0, cut_s=52.0)
    assert unlike(first, Matrix(HEAD, tuple(again))) == []
    again[2] = replace(again[2], cut_s=60.0)
    again[0] = replace(again[0], word=Word.HELD)
    lines = unlike(first, Matrix(HEAD, tuple(again)))
    assert len(lines) == 2
    assert "nginx push in front sse: passes, held" in lines

"""What is remembered, what the reader sees of it, and what a teacher reads of a class."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from notebooks.course import exercises
from notebooks.course.errors import LabError
from notebooks.course.exercises import check, done, reveal, submit
from notebooks.course.marks import record as remembered
from notebooks.course.marks.grades import main, read
from notebooks.course.marks.pages import START, SUMMARY, titles
from notebooks.course.marks.record import NAME, Record
from notebooks.course.marks.shown import INKS, SIGNS
from notebooks.course.opening import hand_out
from results.errors import ResultsError
from tests.notebooks.solutions import SOLUTIONS


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A reader's copy, in which this process is the kernel."""
    folder = hand_out("en", tmp_path)
    monkeypatch.chdir(folder)
    remembered.record.cache_clear()
    yield folder
    remembered.record.cache_clear()


def test_right_and_wrong_differ_in_words_sign_and_colour() -> None:
    shown = [check("00.1", answer)._repr_mimebundle_()["text/html"] for answer in (80, 40, ...)]
    assert len(set(SIGNS.values())) == len(set(INKS.values())) == 3
    for html, sign, ink, words in zip(
        shown, SIGNS.values(), INKS.values(), ("right", "not yet", "not answered"), strict=True
    ):
        assert '<span aria-hidden="true"' in html
        assert f">{sign}</span>" in html
        assert ink in html
        assert words in html
        assert 'role="status"' in html
    assert SIGNS["right"] in reveal(3, 3)._repr_html_()  # type: ignore[attr-defined]
    assert SIGNS["wrong"] in reveal(False, True)._repr_html_()  # type: ignore[attr-defined]
    assert SIGNS["open"] in reveal(..., 3)._repr_html_()  # type: ignore[attr-defined]


def test_what_a_reader_writes_is_no_markup() -> None:
    assert "<b>" not in check("06.1", "<b>")._repr_mimebundle_()["text/html"]
    assert "<script>" not in check("00.1", "<script>")._repr_mimebundle_()["text/html"]


def test_a_copy_remembers_and_its_pages_follow(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check("04.1", 80)
    check("04.1", 240)
    check("04.1", 7)  # a later slip takes nothing away
    check("04.4", "same")
    check("04.5", lambda rate, gap: rate * gap / (1 + rate * gap))
    monkeypatch.setattr(exercises, "cell_id", lambda: "04 cell-14")
    reveal(40, 44.2, "ms", within=0.25)
    reveal(44.2, 44.2, "ms", within=0.25)  # who has seen it predicts no more
    kept = json.loads((copy / NAME).read_text(encoding="utf-8"))
    assert kept["answers"]["04.1"] == {"answer": "240", "passed": True, "tries": 2}
    assert not kept["answers"]["04.4"]["passed"]
    assert kept["answers"]["04.5"]["answer"].strip().startswith("check(")
    assert kept["predictions"]["04 cell-14"]["guess"] == "40"
    start = (copy / START).read_text(encoding="utf-8")
    assert f"2 of {len(exercises.questions())} exercises are right" in start
    assert "✓ ○ ○ ✗ ✓ | 2 of 5 |" in start
    assert "1 of 1 predictions were right" in start
    summary = (copy / SUMMARY).read_text(encoding="utf-8")
    assert "you said 40; measured: 44.2 ms: well predicted" in summary
    assert "<code>240</code>" in summary
    end = done("04")
    assert repr(end) == "2 of 5 exercises are right. Still open: 04.2, 04.3, 04.4."
    assert f'href="{titles()["05"][0]}"' in end._repr_html_()
    assert f'href="{START}"' in end._repr_html_()
    assert "05_" not in done("13")._repr_html_()


def test_kernels_of_two_notebooks_share_the_file(copy: Path) -> None:
    one, other = Record(copy / NAME), Record(copy / NAME)
    one.answer("00.1", "80", True)
    other.answer("01.3", "1500", True)
    one.read()
    assert one.passed("00") | one.passed("01") == {"00.1", "01.3"}


def test_a_torn_file_is_no_reason_to_stop(copy: Path) -> None:
    (copy / NAME).write_text("{torn")
    assert check("00.1", 80).passed
    assert Record(copy / NAME).passed("00") == {"00.1"}


def test_elsewhere_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    remembered.record.cache_clear()
    try:
        check("00.1", 80)
        assert done("00").record.passed("00") == {"00.1"}
        with pytest.raises(LabError, match="nothing to hand in"):
            submit("Ada")
    finally:
        remembered.record.cache_clear()
    assert not list(tmp_path.iterdir())


def test_a_teacher_reads_a_class(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key, text in SOLUTIONS.items():
        if "(" not in text and "size" not in text and "byte" not in text:
            check(key, eval(text, {"rate": 1, "gap": 1, "interval_ms": 1, "delay_ms": 1}))
    check("00.1", 40)
    assert repr(submit("Ada Lovelace")) == "written: submission-ada-lovelace.json"
    with pytest.raises(LabError, match="who you are"):
        submit(" ")
    remembered.record().answers.clear()
    for name in ("Bea", "Călin"):
        file = {"name": name, "predictions": {"00 cell-1": {"right": False}}}
        answers = {
            "00.1": {"answer": "40", "passed": True, "tries": 1},  # says so itself
            "00.2": {"answer": "__import__('os')", "passed": True, "tries": 1},
            "04.5": {"answer": "def lost(): ...", "passed": True, "tries": 1},
        }
        (copy / f"submission-{name}.json").write_text(json.dumps({**file, "answers": answers}))
    (copy / "submission-z.json").write_text("torn")
    assert main([str(copy), "--csv", str(copy / "class.csv")]) == 1
    said = capsys.readouterr()
    assert "submission-z.json is no submission" in said.err
    lines = said.out.splitlines()
    assert lines[0].split()[:3] == ["name", "00", "01"]
    assert [line.split()[0] for line in lines[1:4]] == ["Ada", "Bea", "Călin"]
    bea = read(copy / "submission-Bea.json")
    assert bea.right == {"04.5"}
    assert set(bea.wrong) == {"00.1", "00.2"}
    assert next(line for line in lines if line.startswith("00.1")).split() == [
        *("00.1", "2", "1", "40", "(2)")
    ]
    assert (copy / "class.csv").read_text(encoding="utf-8").count("\n") == 4
    with pytest.raises(ResultsError, match="no submission"):
        read(copy / "class.csv")

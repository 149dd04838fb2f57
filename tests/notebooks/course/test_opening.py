"""A reader's copy of the course: in a language, without outputs, and never written over."""

from pathlib import Path

import pytest

from notebooks.course.marks.pages import Done
from notebooks.course.marks.record import NAME, Record
from notebooks.course.opening import asked_language, hand_out, main
from notebooks.course.translation import mark, texts, translations
from tests.notebooks.books import PATHS, cells, read


def test_a_copy_is_in_its_language_and_without_outputs(tmp_path: Path) -> None:
    folder = hand_out("es", tmp_path)
    assert folder == tmp_path / "es"
    for path in PATHS:
        copy = folder / path.name
        assert cells(copy, "code") == cells(path, "code")
        code = [cell for cell in read(copy)["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    first = texts(PATHS[0])[0]
    assert texts(folder / PATHS[0].name)[0] == translations("es", PATHS[0].stem)[mark(first)]


def test_what_the_reader_wrote_stays(tmp_path: Path) -> None:
    mine = hand_out("ro", tmp_path) / PATHS[3].name
    mine.write_text("mine", encoding="utf-8")
    gone = mine.with_name(PATHS[4].name)
    gone.unlink()
    hand_out("ro", tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert gone.exists()


@pytest.mark.parametrize("given", [["--language", "ro"], ["--language=ro"]])
def test_a_language_is_taken_out_of_jupyters_options(given: list[str]) -> None:
    assert asked_language(["--no-browser", *given, "--x=1"]) == ("ro", ["--no-browser", "--x=1"])
    assert asked_language(["--no-browser"]) == ("", ["--no-browser"])


@pytest.mark.parametrize("given", [["--language", "fr"], ["--language"], ["--language="]])
def test_a_language_that_is_not_there_gets_a_word(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 2
    assert "es (Español), ro (Română)" in capsys.readouterr().err


def test_the_end_of_a_notebook_names_the_next_in_its_language(tmp_path: Path) -> None:
    record = Record(hand_out("ro", tmp_path) / NAME)
    heading = translations("ro", PATHS[1].stem)[mark(texts(PATHS[1])[0])].splitlines()[0]
    assert heading.removeprefix("# ") in Done("00", record)._repr_html_()

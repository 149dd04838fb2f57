"""All notebooks run from clean kernels; solved ones say that they are."""

from pathlib import Path
from typing import Any

import pytest

from notebooks.course.execution import execute, normalise, outputs
from notebooks.course.progress import MARK
from results.errors import ResultsError
from tests.notebooks import programs
from tests.notebooks.books import CHECK, PATHS, solve
from tests.notebooks.solutions import SOLUTIONS

pytestmark = pytest.mark.slow
SOLVED = {**SOLUTIONS, **programs.SOLUTIONS}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_offline_and_solved(path: Path) -> None:
    def edit(text: str) -> str:
        match = CHECK.search(text)
        return solve(text, SOLVED[match[1]]) if match else text

    book = execute(path, live=False, edit=edit)
    said = "".join(output.data["text/plain"] for _, output in outputs(book) if "data" in output)
    keys = [match[1] for cell in book.cells for match in CHECK.finditer(cell.source)]
    for key in keys:
        assert f"{key}: right." in said


@pytest.mark.timeout(300)
def test_one_live() -> None:
    (path,) = (path for path in PATHS if path.stem.startswith("06"))
    book = execute(path, live=True)
    said = "".join(str(output) for _, output in outputs(book))
    assert "Live: everything" in said
    assert "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" in said


def notebook_of(path: Path, code: str) -> Path:
    import nbformat

    v4: Any = nbformat.v4
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(code)]), path)  # type: ignore[no-untyped-call]
    return path


def test_an_error_names_the_notebook(tmp_path: Path) -> None:
    path = notebook_of(tmp_path / "mine.ipynb", "1 / 0")
    with pytest.raises(ResultsError, match=r"(?s)mine\.ipynb.*ZeroDivisionError"):
        execute(path, live=False)


def test_what_a_cell_says_while_it_measures_is_not_kept() -> None:
    import nbformat

    v4: Any = nbformat.v4
    said = v4.new_output("display_data", {"text/plain": "3 s"}, metadata={MARK: True})
    found = v4.new_output("display_data", {"text/plain": "11"})
    cell = v4.new_code_cell("lab.measure()", outputs=[said, found])
    book = v4.new_notebook(cells=[cell])
    normalise(book)
    assert [output.data["text/plain"] for _, output in outputs(book)] == ["11"]


def test_a_path_in_an_output_is_refused(tmp_path: Path) -> None:
    path = notebook_of(tmp_path / "mine.ipynb", "print('/home/ana/x')")
    with pytest.raises(ResultsError, match="names a path, '/home/ana/x'"):
        execute(path, live=False)

"""All notebooks run from clean kernels; solved ones say that they are."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notebooks.course.execution import execute, load_nbformat, normalise, outputs
from notebooks.course.progress import MARK
from results.errors import ResultsError
from tests.notebooks import programs
from tests.notebooks.books import CHECK, PATHS, solve
from tests.notebooks.solutions import SOLUTIONS

if TYPE_CHECKING:
    from tests.notebooks.forked import Parent

pytestmark = pytest.mark.slow
SOLVED = {**SOLUTIONS, **programs.SOLUTIONS}


@pytest.fixture(scope="module")
def parent() -> Iterator["Parent | None"]:
    if not hasattr(os, "fork"):  # as on Windows
        yield None
        return
    from tests.notebooks.forked import parent_of_kernels

    with parent_of_kernels() as parent:
        yield parent


@pytest.fixture
def forked(parent: "Parent | None") -> Iterator[None]:
    """Fork the test's kernels from one process: most of a kernel's time goes into loading."""
    if parent is None:
        yield
        return
    from tests.notebooks.forked import kernels_forked_from

    with kernels_forked_from(parent):
        yield


@pytest.mark.usefixtures("forked")
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
def test_one_live_in_a_kernel_that_is_started_as_students_start_theirs() -> None:
    (path,) = (path for path in PATHS if path.stem.startswith("06"))
    book = execute(path, live=True)
    said = "".join(str(output) for _, output in outputs(book))
    assert "Live: everything" in said
    assert "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" in said


def notebook_of(path: Path, code: str) -> Path:
    nbformat = load_nbformat()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
    return path


@pytest.mark.usefixtures("forked")
def test_an_error_names_the_notebook(tmp_path: Path) -> None:
    path = notebook_of(tmp_path / "mine.ipynb", "1 / 0")
    with pytest.raises(ResultsError, match=r"(?s)mine\.ipynb.*ZeroDivisionError"):
        execute(path, live=False)


def test_what_a_cell_says_while_it_measures_is_not_kept() -> None:
    v4 = load_nbformat().v4
    said = v4.new_output("display_data", {"text/plain": "3 s"}, metadata={MARK: True})
    found = v4.new_output("display_data", {"text/plain": "11"})
    cell = v4.new_code_cell("lab.measure()", outputs=[said, found])
    book = v4.new_notebook(cells=[cell])
    normalise(book)
    assert [output.data["text/plain"] for _, output in outputs(book)] == ["11"]


@pytest.mark.usefixtures("forked")
def test_a_path_in_an_output_is_refused(tmp_path: Path) -> None:
    path = notebook_of(tmp_path / "mine.ipynb", "print('/home/ana/x')")
    with pytest.raises(ResultsError, match="names a path, '/home/ana/x'"):
        execute(path, live=False)

"""What every notebook must have, and how big it may be."""

import re
from pathlib import Path
from statistics import median

import pytest

from notebooks.course.execution import LARGEST
from tests.notebooks.books import CHECK, PATHS, cells, code_lines, read, source

BOOKS = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
# Definitions that are the lesson itself may be longer than six lines.
LESSONS = {"chunks", "events"}
# What stands in each of them, and is not counted.
SAME = re.compile(r'LIVE = True|lab$|done\("\d\d"\)')
PATH = re.compile(r"(?:/(?:home|root|tmp|work|Users|usr|opt|var)/|[A-Z]:\\)")


def test_they_are_numbered() -> None:
    assert [path.name[:2] for path in PATHS] == [f"{n:02}" for n in range(18)]


@BOOKS
def test_it_asks_predicts_and_ends_well(path: Path) -> None:
    text = cells(path, "markdown")
    assert text[0].startswith(f"# {path.name[:2]} · ")
    assert "**The question: " in text[0]
    headings = [line for one in text for line in one.splitlines() if line.startswith("## ")]
    assert headings[-2:] == ["## Summary", "## Exercises"]
    code = "\n".join(cells(path, "code"))
    assert "reveal(" in code
    assert "LIVE = True" in code
    assert f'open_lab("{path.name[:2]}", LIVE)' in code
    assert cells(path, "code")[-1] == f'done("{path.name[:2]}")'


@BOOKS
def test_its_end_leads_on(path: Path) -> None:
    end = cells(path, "markdown")[-1]
    links = re.findall(r"\]\(([^)]+)\)", end)
    assert links[-1] == "README.md"
    following = PATHS[PATHS.index(path) + 1 :]
    assert links[0] == (following[0].name if following else "claims.md")
    assert all((path.parent / link).exists() for link in links)


@BOOKS
def test_what_is_predicted_has_a_place_to_put_it(path: Path) -> None:
    asked = "\n".join(cells(path, "markdown")).count("**Predict")
    assert asked == len(re.findall(r"\breveal\(", "\n".join(cells(path, "code"))))


# Bytes with heads or buffers that nobody can count in advance, what is lost by chance; whole ms.
GUESSED = ("swallowed", "len(page)", "added", '["up"]', 'lost, "messages"', "grown")


@BOOKS
def test_only_what_a_machine_measures_may_be_missed(path: Path) -> None:
    for code in cells(path, "code"):
        for call in re.findall(r"\breveal\(.*", code):
            timed = re.search(r'"(ms|s|KiB|times slower|a share)\b', call) and "round(" not in call
            assert ("within=" in call) == bool(timed) or any(one in call for one in GUESSED), call


@BOOKS
def test_it_has_three_to_five_exercises_in_order(path: Path) -> None:
    found = [match[1] for text in cells(path, "code") for match in CHECK.finditer(text)]
    assert found == [f"{path.name[:2]}.{n}" for n in range(1, len(found) + 1)]
    assert 3 <= len(found) <= 5


@BOOKS
def test_it_is_thin(path: Path) -> None:
    code = cells(path, "code")
    sizes = [len([line for line in code_lines(text) if not SAME.match(line)]) for text in code]
    assert sum(sizes) <= 60
    assert median(sizes) <= 5
    for text in code:
        for definition in re.split(r"^(?=def )", text, flags=re.M)[1:]:
            body = [line for line in definition.splitlines() if line.startswith((" ", "def "))]
            name = definition[4 : definition.index("(")]
            assert len(body) <= 6 or name in LESSONS, name


@BOOKS
def test_it_is_committed_executed_small_and_clean(path: Path) -> None:
    assert path.stat().st_size <= LARGEST
    book = read(path)
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert book["metadata"]["language_info"] == {"name": "python"}
    for cell in code:
        for output in cell["outputs"]:
            assert output["output_type"] != "error", source(cell)
            assert output.get("name") != "stderr", source(cell)
            shown = output.get("text", []) + output.get("data", {}).get("text/plain", [])
            assert not PATH.search("".join(shown)), source(cell)


@BOOKS
def test_its_cells_have_ids_of_the_format(path: Path) -> None:
    ids = [cell["id"] for cell in read(path)["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids)


@BOOKS
def test_every_figure_says_itself_in_words(path: Path) -> None:
    figures = [
        output
        for cell in read(path)["cells"]
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    assert figures or path.name[:2] == "00"
    for output in figures:
        alt = output["metadata"]["image/png"]["alt"]
        assert len(alt) > 40
        assert re.search(r"\d", alt)


@BOOKS
def test_the_untouched_notebook_shows_no_exercise_as_solved(path: Path) -> None:
    for cell in read(path)["cells"]:
        if match := CHECK.search(source(cell)):
            said = "".join("".join(out["data"]["text/plain"]) for out in cell["outputs"])
            assert said.startswith(f"{match[1]}: not ")

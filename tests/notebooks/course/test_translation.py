"""Every text of the course is there in each language, and keeps what is no language's own."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from notebooks.course.execution import NOTEBOOKS
from notebooks.course.translation import (
    behind,
    in_language,
    mark,
    page_in_language,
    sources,
    texts,
    translations,
)
from notebooks.course.words import LANGUAGES
from tests.notebooks.books import PATHS, read

OTHERS = [code for code in LANGUAGES if code != "en"]
EACH = pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
# What must come through a translation unchanged, in whatever order the language puts it.
KEPT = {
    "blocks of code": r"(?s)```.*?```",
    "code": r"(?<!`)`[^`]+`(?!`)",
    "formulas": r"(?s)\$\$.*?\$\$|(?<!\$)\$[^$]+\$(?!\$)",
    "links": r"\]\(([^)]+)\)",
    "headings": r"(?m)^#+ ",
    "rows of tables": r"(?m)^\|",
    "points of lists": r"(?m)^\* ",
    "bold words": r"\*\*[^*]+\*\*",
}
NUMBER = r"\d+(?:[.,]\d+)*"
QUOTED = r"«[^»]+»|„[^”]+”"
GLOSS = (
    r" · \*[^*]+\*"  # what a quoted document says, in the reader's language: not needed in its own
)


def words_only(text: str) -> str:
    for pattern in [*list(KEPT.values())[:4], GLOSS]:
        text = re.sub(pattern, " ", text)
    return text


def kept(text: str) -> dict[str, Counter[str]]:
    """Count what no translator may change."""
    found = {name: Counter(re.findall(pattern, text)) for name, pattern in KEPT.items()}
    bold = Counter({"bold": sum(found["bold words"].values())})
    return found | {"bold words": bold, "numbers": Counter(re.findall(NUMBER, words_only(text)))}


@EACH
@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_behind(language: str, path: Path) -> None:
    told = behind(language, path)
    assert not told, "\n".join(
        [*told, "notebooks/course/translation.py says how they belong together"]
    )


@EACH
@pytest.mark.parametrize("language", OTHERS)
def test_code_formulas_links_and_numbers_stay(language: str, path: Path) -> None:
    found = translations(language, path.stem)
    for english in texts(path):
        told = found.get(mark(english), english)
        for name, those in kept(english).items():
            these = kept(told)[name]
            lacks, has = dict(those - these), dict(these - those)
            assert (lacks, has) == ({}, {}), f"{name} in <!-- {mark(english)} -->"
        for quoted in re.findall(QUOTED, english):
            assert quoted in told, f"a document's words in <!-- {mark(english)} -->: {quoted}"


@pytest.mark.parametrize("language", OTHERS)
def test_only_texts_are_translated(language: str) -> None:
    for path in PATHS:
        notebook = read(path)
        told = in_language(notebook, path.stem, language)
        assert told["metadata"] == notebook["metadata"]
        for cell, other in zip(notebook["cells"], told["cells"], strict=True):
            if cell["cell_type"] == "code":
                assert other == cell


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_only_files_of_sources(language: str) -> None:
    stems = {path.stem for path in sources()}
    folder = NOTEBOOKS / "course" / language
    assert {path.stem for path in folder.glob("*.md")} == stems


def test_a_translation_follows_its_text_and_ends_with_it() -> None:
    path = PATHS[0]
    notebook = read(path)
    first, *others = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    moved = {"cells": [*others, first, {"cell_type": "markdown", "source": ["Some", " news"]}]}
    told = in_language(moved, path.stem, "es")["cells"]
    assert told[-2]["source"] == translations("es", path.stem)[mark("".join(first["source"]))]
    assert told[-1]["source"] == "Some news"


def test_what_is_behind_is_told_with_the_mark_to_write(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": [text]} for text in texts(PATHS[0])[1:]]
    cells.append({"cell_type": "markdown", "source": ["Some news"]})
    path = tmp_path / PATHS[0].name
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    lacks, stale = behind("ro", path)
    assert f"<!-- {mark('Some news')} --> for “Some news" in lacks
    assert f"<!-- {mark(texts(PATHS[0])[0])} --> for no text" in stale


def test_pages_are_translated_by_parts() -> None:
    page = NOTEBOOKS / "README.md"
    told = page_in_language(page, "es")
    assert len(re.findall("^## ", told, re.MULTILINE)) == len(texts(page)) - 1
    assert page_in_language(page, "en") == page.read_text(encoding="utf-8")

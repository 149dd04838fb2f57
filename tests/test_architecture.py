"""The page that shows the house is true, and links and paths of all pages lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.architecture import PAGE, with_picture
from tests.test_structure import GRID, modules, room_of
from wire.techniques import TECHNIQUES, Technique

ROOT = PAGE.parent
# Not ours, or meant for another place: a copy of the course stands in a folder of its own, and
# tests/notebooks/course/test_translation.py holds that translations link as the English does.
OTHERS = {".venv", ".peers", "node_modules", ".git", "runs", "my-notebooks", "es", "ro"}
PAGES = [page for page in ROOT.rglob("*.md") if not OTHERS & set(page.relative_to(ROOT).parts)]


def test_the_picture_shows_the_rooms_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_picture(page), "python -m tests.architecture draws it anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def anchors(page: Path) -> set[str]:
    """Return what GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.slug)
def test_the_front_page_has_a_row_for_each_technique(technique: Technique) -> None:
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {technique.title}, {technique.year} \|.*$", front, re.MULTILINE)
    cells = re.findall(r"\]\((.*?)\)", row)
    assert cells == [cell.format(slug=technique.slug) for cell in GRID]


@pytest.mark.parametrize("language", ["es", "ro"])
def test_the_front_page_in_another_language_shows_the_same(language: str) -> None:
    front, other = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", f"README.{language}.md")
    )
    assert re.findall(r"^\| .+, (\d{4}) \|", other, re.MULTILINE) == [
        str(technique.year) for technique in TECHNIQUES
    ]
    for pattern in (r"!\[[^]]*\]\((.*?)\)", r"^python3 lab\.py (?:compare|serve)\b"):
        shown = re.findall(pattern, front, re.MULTILINE)
        assert shown
        assert re.findall(pattern, other, re.MULTILINE) == shown


def test_the_page_on_results_tells_each_module_in_its_room() -> None:
    page = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    room, told = "", set()
    for row in page.partition("\n| room |")[2].partition("\n\n")[0].splitlines()[2:]:
        first, names, _ = row.strip("|").split("|", 2)
        room = first.strip(" []").partition("]")[0] or room
        told |= {(room, stem) for stem in re.findall(r"`(\w+)`", names)}
    real = {
        ((room_of(path) or "").removeprefix("result "), path.stem)
        for path in modules("results")
        if path.name != "__init__.py"
    }
    assert told == real

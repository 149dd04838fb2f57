"""The site: every link leads somewhere, nothing is fetched from outside, every picture speaks."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from notebooks.course.site.build import build
from notebooks.course.site.formulas import with_formulas
from tests.notebooks.books import PATHS, ROOT


class Page(HTMLParser):
    """Collects links, what is fetched, ids and pictures without words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.silent: list[str] = []
        self.tags: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.ids |= {told["id"]} if "id" in told else set()
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "link":
            self.fetched.append(told["href"])
        if "src" in told:
            self.fetched.append(told["src"])
        if tag == "img" and not told.get("alt"):
            self.silent.append(told.get("src", "")[:60])


def test_a_formula_is_a_picture_that_says_its_tex_and_code_is_left_alone() -> None:
    page = with_formulas("a $T/2$ b `$x$` $$L = \\frac{T}{2}$$")
    assert page.count("<img") == 2
    assert 'alt="T/2"' in page
    assert "`$x$`" in page
    for picture in re.findall(r"base64,([^\"]+)", page):
        assert base64.b64decode(picture).startswith(b"<svg")


@pytest.mark.slow
def test_its_links_work_and_nothing_comes_from_outside(tmp_path: Path) -> None:
    written = build(tmp_path, ["en"])
    assert len(written) == len(PATHS) + 2 + 1
    pages = {path.resolve(): Page(path) for path in written}
    for path, page in pages.items():
        assert "script" not in page.tags, path
        assert not page.silent, path
        for one in page.fetched:
            assert one.startswith("data:") or (path.parent / one).exists(), (path, one)
        for link in page.links:
            if link.startswith("https://"):  # to be followed, not fetched
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.is_file(), (path, link)
            assert not anchor or target not in pages or anchor in pages[target].ids, (path, link)
    assert (tmp_path / "index.html").is_file()
    assert (tmp_path / "wireshark" / "1_polling.pcapng").is_file()
    text = (tmp_path / "04_long_polling.html").read_text(encoding="utf-8")
    assert str(ROOT) not in text

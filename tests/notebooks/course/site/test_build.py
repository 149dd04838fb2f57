"""The site: every link leads somewhere, nothing is fetched from outside, every picture speaks."""

import base64
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notebooks.course.execution import load_nbformat
from notebooks.course.site.build import build
from notebooks.course.site.formulas import with_formulas
from notebooks.course.site.launchers import launchers
from notebooks.course.site.printing import found_browser
from tests.notebooks.books import PATHS, ROOT, read, source
from tests.support.axe import violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOME = "https://github.com/owner/name"


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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Path, Page]]:
    """All of it but what is printed, which takes a browser for each chapter."""
    folder = tmp_path_factory.mktemp("site").resolve()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("notebooks.course.site.build.found_browser", lambda: None)
        return folder, {path: Page(path) for path in build(folder, ["en"])}


@pytest.mark.slow
def test_its_links_work_and_nothing_comes_from_outside(site: tuple[Path, dict[Path, Page]]) -> None:
    folder, pages = site
    assert len(pages) == len(PATHS) + 2 + 1
    for path, page in pages.items():
        assert "script" not in page.tags, path
        assert not page.silent, path
        for one in page.fetched:
            assert one.startswith("data:") or (path.parent / one).exists(), (path, one)
        for link in page.links:
            if link.startswith("https://"):  # to be followed, not fetched
                assert not re.search(r"binder|colab", link), "nobody said where the project is"
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.is_file(), (path, link)
            assert not anchor or target not in pages or anchor in pages[target].ids, (path, link)
    assert (folder / "index.html").is_file()
    assert (folder / "wireshark" / "1_polling.pcapng").is_file()
    text = (folder / "04_long_polling.html").read_text(encoding="utf-8")
    assert str(ROOT) not in text


@pytest.mark.slow
def test_axe_finds_nothing_in_light_and_dark(
    site: tuple[Path, dict[Path, Page]], browser: "Browser"
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for name in ("index.html", "claims.html", "04_long_polling.html"):
        page.goto((site[0] / name).as_uri())
        page.emulate_media(color_scheme="light")
        found = violations(page)
        page.emulate_media(color_scheme="dark")
        found += violations(page, others=False)
        assert not [(one["id"], [node["target"] for node in one["nodes"]]) for one in found], name
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert page.evaluate(wide), f"{name} sticks out to the right"


@pytest.mark.slow
def test_a_chapter_is_there_as_pdf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if found_browser() is None:
        pytest.skip("Chromium is missing: `apt install chromium`, or any Chrome on the PATH")
    monkeypatch.setattr("notebooks.course.site.build.notebook_paths", lambda: PATHS[3:5])
    build(tmp_path, ["en"])
    for path in PATHS[3:5]:
        pdf = tmp_path / f"{path.stem}.pdf"
        assert pdf.name in Page(pdf.with_suffix(".html")).links
        assert pdf.read_bytes().startswith(b"%PDF-")


@pytest.mark.slow
def test_without_a_browser_it_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("notebooks.course.site.build.notebook_paths", lambda: PATHS[:1])
    build(tmp_path, ["en"])
    assert "no PDFs" in capsys.readouterr().err
    assert ".pdf" not in (tmp_path / "00_tour.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a program here is a script of a shell")
def test_a_page_that_does_not_print_has_no_link_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("notebooks.course.site.build.notebook_paths", lambda: PATHS[:1])
    build(tmp_path, ["en"])
    assert "could not print 00_tour.html" in capsys.readouterr().err
    assert ".pdf" not in (tmp_path / "00_tour.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_site_that_knows_its_repository_leads_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = load_nbformat()
    monkeypatch.setenv("PATH", str(tmp_path))  # nothing is to be printed
    monkeypatch.setattr("notebooks.course.site.build.notebook_paths", lambda: PATHS[:1])
    build(tmp_path, ["en", "ro"], HOME)
    for language, place in (("en", tmp_path), ("ro", tmp_path / "ro")):
        text = (place / "00_tour.html").read_text(encoding="utf-8")
        for link in launchers(HOME, language, "00_tour.ipynb").values():
            assert f'href="{link}"' in text
        copy = place / "colab" / "00_tour.ipynb"
        nbformat.validate(nbformat.read(copy, as_version=4))
        first, *rest = read(copy)["cells"]
        assert HOME in source(first)
        assert f'"DUPLEX_LANGUAGE": "{language}"' in source(first)
        assert not any(one.get("outputs") for one in rest)

"""``python3 lab.py course site [FOLDER]`` writes the course as a site, in all languages.

The executed notebooks with their figures and exercises, the claims, the traces for Wireshark, and
each notebook for download, also as PDF where a Chromium is found. It fetches nothing and needs no
server: open ``index.html``. ``--repository URL`` adds links to where the notebooks can be run.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from notebooks.course.execution import NOTEBOOKS, ROOT, load_nbformat, notebook_paths
from notebooks.course.marks.pages import heading, titles
from notebooks.course.site.formulas import with_formulas
from notebooks.course.site.launchers import COLAB, for_colab, launchers, repository
from notebooks.course.site.printing import found_browser, print_pages
from notebooks.course.translation import in_language, page_in_language
from notebooks.course.words import LANGUAGES, say

WIRESHARK = "wireshark"
SITE = ROOT / "course-site"
STYLE = Path(__file__).with_name("site.css")
# What stands outside of the course is named, and not linked.
_OUTSIDE = re.compile(r'<a href="\.\./[^"]*">(.*?)</a>', re.DOTALL)
# What may be wider than a phone is scrolled by the keyboard, too.
_SCROLLS = re.compile(r'<table\b|<p class="formula"')
_LINK = re.compile(r'(href=")([^":#]+?)(#[^"]*)?(")')


class _Site(NamedTuple):
    folder: Path
    languages: Sequence[str]
    repository: str
    browser: str | None


def build(
    folder: Path, languages: Sequence[str] = tuple(LANGUAGES), repository: str = ""
) -> list[Path]:
    """Write the site into a folder and return its pages; English stands at its top.

    ``repository`` is an address as :func:`notebooks.course.site.launchers.repository` returns it.
    """
    written, site = [], _Site(folder, languages, repository, found_browser())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.css").write_text(_style(), encoding="utf-8")
    shutil.copytree(NOTEBOOKS / WIRESHARK, folder / WIRESHARK, dirs_exist_ok=True)
    (folder / WIRESHARK / "README.md").unlink()
    for path in notebook_paths():
        shutil.copy(path, folder)
    chapters = []
    for language in languages:
        place = folder if language == "en" else folder / language
        place.mkdir(exist_ok=True)
        chapters += [_notebook(path, place, site, language) for path in notebook_paths()]
        for path in sorted(NOTEBOOKS.glob("*.md")):
            text = page_in_language(path, language)
            written.append(_page(text, place / _name(path.name), site, language))
    text = (NOTEBOOKS / WIRESHARK / "README.md").read_text(encoding="utf-8")
    written.append(_page(text, folder / WIRESHARK / "index.html", site, "en"))
    _print(site, chapters)
    return chapters + written


def _notebook(path: Path, place: Path, site: _Site, language: str) -> Path:
    nbformat = load_nbformat()  # before nbconvert loads it with all that it can do without
    from nbconvert.exporters import TemplateExporter

    notebook: Any = nbformat.read(path, as_version=4)
    notebook = in_language(notebook, path.stem, language)
    links = {path.name: ("" if language == "en" else "../") + path.name}
    if site.browser:
        links["PDF"] = f"{path.stem}.pdf"
    if site.repository:
        links |= launchers(site.repository, language, path.name)
        copy = for_colab(notebook, site.repository, language)
        (place / COLAB).mkdir(exist_ok=True)
        nbformat.write(copy, place / COLAB / path.name)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_formulas(cell.source)
        for output in cell.get("outputs", ()):
            image = output.get("metadata", {}).get("image/png", {})
            if "image/png" in output.get("data", {}) and "alt" in image:
                output["metadata"]["alt"] = image["alt"]
    # HTMLExporter's own would parse the page once more, for what our template has not: that takes
    # nearly as long as all the rest.
    body, _ = TemplateExporter.from_notebook_node(_exporter(), notebook)
    foot = f'<p class="download">{" ".join(_download(*one) for one in links.items())}</p>'
    number = path.name[:2]
    title = f"{number} · {_titles(language)[number][1]}"
    return _write(body, foot, place / _name(path.name), site, language, title)


def _download(text: str, link: str) -> str:
    kept = "" if link.startswith("https:") else "download "
    return f'<a {kept}href="{link}">{text}</a>'


def _print(site: _Site, chapters: Sequence[Path]) -> None:
    """Print the chapters, and take the links to those away that did not come out."""
    if site.browser is None:
        print("No Chromium or Chrome was found, so there are no PDFs.", file=sys.stderr)
        return
    printed = print_pages(site.browser, chapters)
    for page in chapters:
        if (pdf := page.with_suffix(".pdf")) not in printed:
            print(f"{site.browser} could not print {page.name}: no PDF of it.", file=sys.stderr)
            text = page.read_text(encoding="utf-8")
            page.write_text(text.replace(_download("PDF", pdf.name), ""), encoding="utf-8")


@cache
def _titles(language: str) -> dict[str, tuple[str, str]]:
    """Return each notebook's file and title in a language by its number."""
    found = {}
    for number, (name, _) in titles().items():
        path = NOTEBOOKS / name
        told = in_language(json.loads(path.read_text(encoding="utf-8")), path.stem, language)
        found[number] = (name, heading("".join(told["cells"][0]["source"])))
    return found


@cache  # its templates are read and compiled for it
def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter
    from nbconvert.filters import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic", mathjax_url="", require_js_url=""
    )
    # What it would clean is all ours: a fifth of its time for nothing.
    exporter.register_filter("clean_html", _as_it_is)
    # What it would make anew for each notebook.
    code: Any = Highlight2HTML  # without types, as the next
    exporter.register_filter("highlight_code", code(pygments_lexer="python", parent=exporter))
    outputs: Any = WidgetsDataTypeFilter
    exporter.register_filter("filter_data_type", outputs(notebook_metadata={}, parent=exporter))
    return exporter


def _as_it_is(markup: str | bytes) -> str:
    return markup.decode() if isinstance(markup, bytes) else markup


def _page(markdown: str, target: Path, site: _Site, language: str) -> Path:
    from nbconvert.filters import markdown2html_mistune

    title = markdown.splitlines()[0].lstrip("# ")
    return _write(markdown2html_mistune(with_formulas(markdown)), "", target, site, language, title)


def _write(body: str, foot: str, target: Path, site: _Site, language: str, title: str) -> Path:
    """Wrap a page in what all have, lead its links to pages, and write it."""
    up = "" if target.parent == site.folder else "../"
    is_trace = target.parent.name == WIRESHARK
    here = up if is_trace else ""
    numbers = "".join(
        f'<a href="{here}{_name(name)}" title="{escape(told)}">{number}</a> '
        for number, (name, told) in _titles(language).items()
    )
    page = "index.html" if is_trace else target.name
    others = " ".join(
        f'<a lang="{code}" href="{up}{"" if code == "en" else code + "/"}{page}">{own}</a>'
        for code, own in LANGUAGES.items()
        if code in site.languages
    )
    claims = say("The claims", in_language=language)
    body = _SCROLLS.sub(r'\g<0> tabindex="0"', body)
    body = _OUTSIDE.sub(r"\1", body)
    body = _LINK.sub(lambda one: f'href="{_led(str(one[2]), up)}{one[3] or ""}"', body)
    target.write_text(
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="{up}site.css"></head><body>'
        f'<nav aria-label="Duplex"><a href="{here}index.html">Duplex</a> {numbers}'
        f'<a href="{here}claims.html">{claims}</a> <a href="{up}wireshark/index.html">Wireshark</a>'
        f"<span>{others}</span></nav><main>{body}{foot}</main></body></html>\n",
        encoding="utf-8",
    )
    return target


def _led(link: str, up: str) -> str:
    if link == "start.md":  # there is one in a copy only
        return "index.html"
    if link.endswith("README.md") and WIRESHARK in link:
        return f"{up}wireshark/index.html"
    return link if link.startswith("../") else _name(link)


def _name(file: str) -> str:
    """Return the page that a notebook or a text becomes."""
    if file.endswith("README.md"):
        return f"{file.removesuffix('README.md')}index.html"
    return re.sub(r"\.(ipynb|md)$", ".html", file)


def _style() -> str:
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    code: str = HtmlFormatter(style="default").get_style_defs(".highlight")
    return STYLE.read_text(encoding="utf-8") + code + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the site and say where it begins."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m notebooks.course") + " site",
        description="Write the course as a site to read without running anything.",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=SITE)
    parser.add_argument(
        "--repository",
        metavar="URL",
        default="",
        help="where the project is published: its pages lead to Binder, and to Colab from GitHub",
    )
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    try:
        pages = build(asked.folder, repository=repository(asked.repository))
    except ValueError as error:
        parser.error(f"--repository: {error}")
    if asked.repository:
        first = launchers(repository(asked.repository), "en", notebook_paths()[0].name)
        print("For a README:", " · ".join(f"[{name}]({link})" for name, link in first.items()))
    print(f"{len(pages)} pages in {time.monotonic() - began:.0f} s: {asked.folder / 'index.html'}")
    return 0

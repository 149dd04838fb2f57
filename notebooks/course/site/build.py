"""``python3 lab.py course site [FOLDER]`` writes the course as a site, in all languages.

The executed notebooks with their figures and exercises, the claims, the traces for Wireshark, and
each notebook for download. It fetches nothing and needs no server: open ``index.html``.
"""

import argparse
import os
import re
import shutil
import time
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from notebooks.course.execution import NOTEBOOKS, ROOT, notebook_paths
from notebooks.course.marks.pages import titles
from notebooks.course.site.formulas import with_formulas
from notebooks.course.translation import in_language, page_in_language
from notebooks.course.words import LANGUAGES

WIRESHARK = "wireshark"
SITE = ROOT / "course-site"
STYLE = Path(__file__).with_name("site.css")
# What stands outside of the course is named, and not linked.
_OUTSIDE = re.compile(r'<a href="\.\./[^"]*">(.*?)</a>', re.DOTALL)
_LINK = re.compile(r'(href=")([^":#]+?)(#[^"]*)?(")')


class _Site(NamedTuple):
    folder: Path
    languages: Sequence[str]


def build(folder: Path, languages: Sequence[str] = tuple(LANGUAGES)) -> list[Path]:
    """Write the site into a folder and return its pages; English stands at its top."""
    written, site = [], _Site(folder, languages)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.css").write_text(_style(), encoding="utf-8")
    shutil.copytree(NOTEBOOKS / WIRESHARK, folder / WIRESHARK, dirs_exist_ok=True)
    (folder / WIRESHARK / "README.md").unlink()
    for path in notebook_paths():
        shutil.copy(path, folder)
    for language in languages:
        place = folder if language == "en" else folder / language
        place.mkdir(exist_ok=True)
        for path in notebook_paths():
            written.append(_notebook(path, place, site, language))
        for path in sorted(NOTEBOOKS.glob("*.md")):
            text = (
                page_in_language(path, language)
                if path.stem == "README"
                else path.read_text("utf-8")
            )
            written.append(_page(text, place / _name(path.name), site, language))
    text = (NOTEBOOKS / WIRESHARK / "README.md").read_text(encoding="utf-8")
    written.append(_page(text, folder / WIRESHARK / "index.html", site, "en"))
    return written


def _notebook(path: Path, place: Path, site: _Site, language: str) -> Path:
    import nbformat

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook = in_language(notebook, path.stem, language)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = with_formulas(cell.source)
        for output in cell.get("outputs", ()):
            image = output.get("metadata", {}).get("image/png", {})
            if "image/png" in output.get("data", {}) and "alt" in image:
                output["metadata"]["alt"] = image["alt"]
    body, _ = _exporter().from_notebook_node(notebook)
    download = "" if language == "en" else "../"
    foot = f'<p class="download"><a download href="{download}{path.name}">{path.name}</a></p>'
    return _write(body, foot, place / _name(path.name), site, language, titles()[path.name[:2]][1])


@cache  # its templates are read and compiled for it
def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter

    return HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="basic", mathjax_url="", require_js_url=""
    )


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
        for number, (name, told) in titles().items()
    )
    page = "index.html" if is_trace else target.name
    others = " ".join(
        f'<a lang="{code}" href="{up}{"" if code == "en" else code + "/"}{page}">{own}</a>'
        for code, own in LANGUAGES.items()
        if code in site.languages
    )
    body = _OUTSIDE.sub(r"\1", body)
    body = _LINK.sub(lambda one: f'href="{_led(str(one[2]), up)}{one[3] or ""}"', body)
    target.write_text(
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="{up}site.css"></head><body>'
        f'<nav aria-label="course"><a href="{here}index.html">Duplex</a> {numbers}'
        f'<a href="{here}claims.html">claims</a> <a href="{up}wireshark/index.html">Wireshark</a>'
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

    code: str = HtmlFormatter(style="friendly").get_style_defs(".highlight")
    return STYLE.read_text(encoding="utf-8") + code + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the site and say where it begins."""
    parser = argparse.ArgumentParser(
        os.environ.pop("DUPLEX_COMMAND", "python -m notebooks.course") + " site",
        description="Write the course as a site to read without running anything.",
    )
    parser.add_argument("folder", nargs="?", type=Path, default=SITE)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    pages = build(asked.folder)
    print(f"{len(pages)} pages in {time.monotonic() - began:.0f} s: {asked.folder / 'index.html'}")
    return 0

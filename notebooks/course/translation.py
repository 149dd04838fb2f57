"""The course's prose in other languages; code and outputs stay those of the one notebook.

``notebooks/course/es/01_reload_and_polling.md`` says in Spanish what the text cells of that
notebook say, ``es/README.md`` what the parts of that page say. Each translation stands under the
mark of the English that it translates, a comment such as ``<!-- 5f2c81aa -->``. So it follows its
cell wherever that moves to; and when the English changes, its mark does too, and there is no
translation until somebody has read it again. Readers get such a cell in English.

``python -m notebooks.course.translation`` tells what is behind.
"""

import copy
import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from notebooks.course.execution import NOTEBOOKS, notebook_paths
from notebooks.course.words import HERE, LANGUAGES

_MARK = re.compile(r"^<!-- ([0-9a-f]{8}) -->\n", re.MULTILINE)
_PARTS = re.compile(r"^(?=## |\| \d+ \|)", re.MULTILINE)  # and rows of a numbered table


def sources() -> list[Path]:
    """Return what is translated: the notebooks, the page that leads to them, and the claims."""
    return [*notebook_paths(), NOTEBOOKS / "README.md", NOTEBOOKS / "claims.md"]


def mark(english: str) -> str:
    """Return the mark of a text: eight digits of its SHA-256, without regard to its margins."""
    return sha256(english.strip().encode()).hexdigest()[:8]


def texts(path: Path) -> list[str]:
    """Return the English texts of a notebook or page, in their order."""
    written = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return [part.strip() for part in _PARTS.split(written)]
    cells = json.loads(written)["cells"]
    return ["".join(one["source"]).strip() for one in cells if one["cell_type"] == "markdown"]


def translations(language: str, stem: str) -> dict[str, str]:
    """Return the translated texts of a notebook or page by their marks; none if it has no file."""
    path = HERE / language / f"{stem}.md"
    if not path.exists():
        return {}
    _, *found = _MARK.split(path.read_text(encoding="utf-8"))
    return {mark: text.strip() for mark, text in zip(found[::2], found[1::2], strict=True)}


def behind(language: str, path: Path) -> list[str]:
    """Tell what in one notebook or page has no translation, and which translations have no text."""
    written, found = {mark(text): text for text in texts(path)}, translations(language, path.stem)
    stale = [key for key in found if key not in written]
    told = []
    for key in (key for key in written if key not in found):
        beginning = written[key].replace("\n", " ")[:60]
        told.append(f"{language}/{path.stem}.md lacks <!-- {key} --> for “{beginning}…”")
    return told + [f"{language}/{path.stem}.md has <!-- {key} --> for no text now" for key in stale]


def in_language(notebook: Any, stem: str, language: str) -> Any:
    """Return a notebook (as of JSON or nbformat) with its texts in that language."""
    found, told = translations(language, stem), copy.deepcopy(notebook)
    for cell in told["cells"]:
        if cell["cell_type"] == "markdown":
            english = "".join(cell["source"])
            cell["source"] = found.get(mark(english), english)
    return told


def page_in_language(path: Path, language: str) -> str:
    """Return a page with its parts in that language."""
    found, told = translations(language, path.stem), []
    for part in _PARTS.split(path.read_text(encoding="utf-8")):
        english = part.strip()
        told.append(part.replace(english, found.get(mark(english), english)))
    return "".join(told)


def main() -> int:
    """Print what is behind; status 1 if anything is."""
    told = [
        one
        for code in LANGUAGES
        if code != "en"
        for path in sources()
        for one in behind(code, path)
    ]
    print("\n".join(told) or "Every text is translated.")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())

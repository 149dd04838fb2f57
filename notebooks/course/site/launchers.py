"""Where a chapter runs without installing anything: Binder, and Colab for what is on GitHub.

Only a site that is told its repository leads there. Binder builds what ``.binder`` says and opens
a reader's copy. Colab knows a notebook and nothing around it, so the site has copies that fetch the
project first; Colab reads them from the branch that GitHub serves as the repository's pages.
"""

import copy
import re
from typing import Any
from urllib.parse import quote

from notebooks.course.execution import load_nbformat

PAGES = "gh-pages"
COLAB = "colab"  # the folder of the copies
# What a replay imports, and Colab does not bring.
MISSING_THERE = ("hdrhistogram",)
_REPOSITORY = re.compile(r"https://[\w.:-]+(/[\w.~-]+)+")
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)")
_FETCH = """\
# On Colab this gets the course. Nothing is measured there: what was recorded is replayed.
import os, sys
home = os.path.expanduser("~/duplex")
if not os.path.isdir(home):
    !git clone --quiet --depth 1 {repository} {{home}}
%pip install --quiet {packages}
%cd -q {{home}}/notebooks
sys.path.insert(0, home)
os.environ |= {{"DUPLEX_LIVE": "0", "DUPLEX_LANGUAGE": "{language}"}}"""


def repository(address: str) -> str:
    """Return the address of a repository as others want it, "" for none.

    Raises :class:`ValueError` that shows what one looks like.
    """
    address = address.rstrip("/").removesuffix(".git")
    if address and not _REPOSITORY.fullmatch(address):
        raise ValueError(f"{address!r} is no repository such as https://github.com/OWNER/NAME")
    return address


def launchers(repository: str, language: str, name: str) -> dict[str, str]:
    """Return where one notebook can be opened, by the names of those who run it."""
    github = _GITHUB.fullmatch(repository)
    place = f"gh/{github[1]}" if github else f"git/{quote(repository, safe='')}"
    path = quote(f"lab/tree/{language}/{name}", safe="")
    found = {"Binder": f"https://mybinder.org/v2/{place}/HEAD?urlpath={path}"}
    if github:
        folder = COLAB if language == "en" else f"{language}/{COLAB}"
        there = f"https://colab.research.google.com/github/{github[1]}/blob/{PAGES}"
        found["Colab"] = f"{there}/{folder}/{name}"
    return found


def for_colab(notebook: Any, repository: str, language: str) -> Any:
    """Put the cell that fetches the project before a notebook's own, and take outputs away."""
    nbformat = load_nbformat()
    fetch = _FETCH.format(
        repository=repository, packages=" ".join(MISSING_THERE), language=language
    )
    cell: Any = nbformat.v4.new_code_cell(fetch, id="colab")
    made = copy.deepcopy(notebook)
    for own in made.cells:
        if own.cell_type == "code":
            own.outputs, own.execution_count = [], None
    made.cells.insert(0, cell)
    return made

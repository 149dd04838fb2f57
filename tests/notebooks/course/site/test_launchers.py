"""Binder and Colab: where their links lead, and whether what they run has all that it needs."""

import re
import subprocess
import sys

import pytest

from notebooks.course.site.launchers import MISSING_THERE, launchers, repository
from tests.notebooks.books import PATHS, ROOT, code_lines, read, source

HOME = "https://github.com/owner/name"
# Modules that Colab brings, with what they import themselves, and those of what a copy fetches.
THERE = {
    *("matplotlib", "mpl_toolkits", "PIL", "cycler", "dateutil", "fontTools", "kiwisolver"),
    *("numpy", "pandas", "packaging", "pyparsing", "pytz", "six", "cython_runtime", "psutil"),
}
FETCHED = {"hdrhistogram": {"hdrh", "pyhdrh"}}
OURS = {"clients", "loadtests", "notebooks", "outside_venv", "results", "wire"}
IMPORTED = """
import sys
before = set(sys.modules)
sys.path.insert(0, {root!r})
{imports}
tops = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(top for top in tops if top not in sys.stdlib_module_names and top[0] != "_"))
"""


@pytest.mark.parametrize("given", [HOME, f"{HOME}/", f"{HOME}.git"])
def test_a_repository_is_known_however_it_is_written(given: str) -> None:
    assert repository(given) == HOME


@pytest.mark.parametrize(
    "given", ["owner/name", "http://github.com/a/b", "https://github.com", f"{HOME}; rm -r x"]
)
def test_what_is_no_repository_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValueError, match=r"such as https://.*OWNER/NAME"):
        repository(given)


def test_links_lead_to_the_readers_copy_and_to_the_published_site() -> None:
    found = launchers(HOME, "es", "00_tour.ipynb")
    assert found["Binder"] == (
        "https://mybinder.org/v2/gh/owner/name/HEAD?urlpath=lab%2Ftree%2Fes%2F00_tour.ipynb"
    )
    assert found["Colab"] == (
        "https://colab.research.google.com/github/owner/name/blob/gh-pages/es/colab/00_tour.ipynb"
    )


def test_elsewhere_than_on_github_there_is_binder_alone() -> None:
    (link,) = launchers("https://forge.example/a/b", "en", "00_tour.ipynb").values()
    assert "/v2/git/https%3A%2F%2Fforge.example%2Fa%2Fb/HEAD" in link


@pytest.mark.slow
def test_colab_misses_only_what_its_copies_fetch() -> None:
    """Who adds an import to a notebook breaks Colab, where nobody of us looks."""
    wanted = {
        line
        for path in PATHS
        for cell in read(path)["cells"]
        if cell["cell_type"] == "code"
        for line in code_lines(source(cell))
        if re.match(r"(from|import) [^(]+$", line)
    }
    program = IMPORTED.format(root=str(ROOT), imports="\n".join(sorted(wanted)))
    out = subprocess.check_output([sys.executable, "-c", program], text=True, cwd=ROOT)
    fetched = set().union(*(FETCHED[name] for name in MISSING_THERE))
    others = set(out.split()) - OURS
    assert fetched <= others
    assert others <= THERE | fetched, (
        "say in notebooks/course/site/launchers.py what is missing there"
    )

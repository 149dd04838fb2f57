"""Execute the notebooks from clean kernels and keep them in a form that can be compared.

Fails on an error, on a cell that takes too long, on an output that names a path of this machine,
and on a notebook that grows too big. Timestamps and versions are left out, so that a new
execution changes what was measured and nothing else.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from notebooks.course.progress import MARK
from results.errors import ResultsError

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
CELL_S = 30
WIDGET = "application/vnd.jupyter.widget-view+json"
LARGEST = 400_000  # bytes of one notebook
_PATHS = re.compile(r"(?:/(?:home|root|tmp|work|Users|usr|opt|var)/|[A-Z]:\\)[\w.\\/-]*")


def notebook_paths(names: tuple[str, ...] = ()) -> list[Path]:
    """Return the notebooks whose file names begin so; all of them without ``names``."""
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    return [path for path in found if not names or path.name.startswith(names)]


def load_nbformat() -> Any:
    """Import ``nbformat`` without a grammar of all IRIs, which takes seconds to be made.

    jsonschema takes it along where it is installed, for a check that no notebook's schema asks for.
    """
    with _without("rfc3987_syntax"):
        import nbformat
    return nbformat


def execute(path: Path, live: bool, edit: Callable[[str], str] = lambda source: source) -> Any:
    """Execute one notebook and return it, normalised; ``edit`` may change a code cell first.

    Raises :class:`~results.errors.ResultsError` that says which cell and what was wrong.
    """
    nbformat = load_nbformat()
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = edit(cell.source), [], None
    client = NotebookClient(
        notebook,
        timeout=CELL_S,
        record_timing=False,
        kernel_name="python3",
        extra_arguments=["--log-level=40"],  # its warnings are about a network; this is loopback
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    with _environment({"DUPLEX_LIVE": "1" if live else "0"}):
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise ResultsError(f"{path.name}: {error}") from error
    normalise(notebook)
    complain(notebook, path.name)
    return notebook


def normalise(notebook: Any) -> None:
    """Take away what differs from run to run without meaning."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:  # whose ids stay: other files point to them
        cell.metadata = {}
        if "outputs" in cell:
            kept = [one for one in cell.outputs if MARK not in one.get("metadata", {})]
            for one in kept:
                one.get("data", {}).pop(WIDGET, None)  # without a kernel it is nothing
            cell.outputs = kept


def outputs(notebook: Any) -> Iterator[tuple[int, Any]]:
    """Yield every output with the number of its cell."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            yield number, output


def complain(notebook: Any, name: str) -> None:
    """Raise :class:`~results.errors.ResultsError` for what must not be in an executed notebook."""
    nbformat = load_nbformat()
    for number, output in outputs(notebook):
        data = output.get("data", {})
        texts = [
            output.get("text", ""),
            *(data.get(kind, "") for kind in ("text/plain", "text/html")),
        ]
        found = _PATHS.search("\n".join(texts)) if output.output_type != "error" else None
        if found:
            raise ResultsError(f"{name}, cell {number}: an output names a path, {found[0]!r}")
        if output.get("name") == "stderr":
            raise ResultsError(f"{name}, cell {number}: said on stderr {output.text[:200]!r}")
        if "image/png" in data and not output.metadata.get("image/png", {}).get("alt"):
            raise ResultsError(f"{name}, cell {number}: a figure without alternative text")
    size = len(nbformat.writes(notebook).encode())
    if size > LARGEST:
        raise ResultsError(
            f"{name} has {size:,} bytes; at most {LARGEST:,} are readable on the web"
        )


def execute_all(names: tuple[str, ...], live: bool, write: bool) -> float:
    """Execute notebooks one after the other, print how long each took, return the sum in s."""
    nbformat = load_nbformat()
    total = 0.0
    for path in notebook_paths(names):
        began = time.monotonic()
        notebook = execute(path, live)
        took = time.monotonic() - began
        total += took
        if write:
            nbformat.write(notebook, path)
        print(f"{path.name:34} {took:6.1f} s  {path.stat().st_size / 1000:6.0f} kB", flush=True)
    print(f"{'together':34} {total:6.1f} s", flush=True)
    return total


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a module that is not loaded yet be missing meanwhile."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    # Kernels import our rooms from wherever they run, and find this interpreter's kernel first.
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    new = {
        **values,
        "PYTHONPATH": path,
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
    }
    before = {name: os.environ.get(name) for name in new}
    os.environ.update(new)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

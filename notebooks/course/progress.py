"""What stands under a cell that takes long: what is being measured, a bar, and dots as they fall.

One line for each execution of a cell, however much it measures. It carries a mark by which
:mod:`notebooks.course.execution` leaves it out of what is committed.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from notebooks.course.live_plot import strip
from notebooks.course.words import say

MARK = "duplex_progress"  # in the output's metadata
TOLD = "dots "  # how a line of an experiment begins that tells what it has so far
SHORT_S = 1.0  # who is done sooner needs no line


Dots = Mapping[str, Sequence[float]]  # what was measured so far, by technique
Watch = Callable[[str, float, float, Dots], None]  # told what runs, s so far, s planned, dots


class Progress:
    """Shows a line, a bar and the dots in a Jupyter kernel; anywhere else it is silent."""

    def __init__(self) -> None:
        self._cell: int | None = None
        self._began = 0.0
        self._handle: Any = None
        self._said = ""

    @contextmanager
    def line(
        self, what: str, planned_s: float = 0.0, watch: Watch | None = None
    ) -> Iterator[Callable[[Dots], None]]:
        """Give a function to call again and again while ``what`` runs, with the dots so far.

        ``planned_s`` is how long it will take, 0 where nobody knows. Who gives a ``watch`` is told,
        and shows it in a way of their own.
        """
        began, here = time.monotonic(), shell()
        if here is not None and here.execution_count != self._cell:
            self._cell, self._began, self._handle = here.execution_count, began, None

        def tick(dots: Dots) -> None:
            took = time.monotonic() - began
            if watch is not None:
                watch(what, took, planned_s, dots)
            elif here is not None and took >= SHORT_S:
                fallen = strip(dots) if any(dots.values()) else ""
                self._show(
                    f"{what}: {_so_far(took, planned_s)}", bar(what, took, planned_s) + fallen
                )

        try:
            yield tick
        finally:
            if self._handle is not None and watch is None:
                took = time.monotonic() - self._began
                self._show(say("measured for {took:.0f} s", took=took))

    def _show(self, text: str, html: str = "") -> None:
        from IPython.display import display

        if text == self._said:
            return
        self._said = text
        how: dict[str, Any] = {"raw": True, "metadata": {MARK: True}}
        data = {"text/plain": text, **({"text/html": html} if html else {})}
        if self._handle is None:
            self._handle = display(data, display_id=True, **how)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, **how)


def bar(what: str, took: float, planned: float) -> str:
    """Return a bar in HTML that says what runs and how long."""
    share = f' value="{min(took, planned):.1f}" max="{planned:.1f}"' if planned else ""
    text = escape(f"{what}: {_so_far(took, planned)}")
    return f'<div><progress{share} aria-label="{text}"></progress> {text}</div>'


def _so_far(took: float, planned: float) -> str:
    if planned:
        return say("{took:.0f} of about {planned:.0f} s", took=took, planned=planned)
    return f"{took:.0f} s"


def what_runs(experiment: str, delay_ms: float, asked: Mapping[str, Any]) -> str:
    """Say in a few words what an experiment measures."""
    technique = asked.get("technique", "")
    if isinstance(technique, str):
        who = technique
    else:
        who = say("{count} techniques", count=len(technique))
    where = say("{delay:g} ms away", delay=delay_ms) if delay_ms else ""
    parts = [part for part in (who, where) if part]
    return experiment + (f" ({', '.join(parts)})" if parts else "")


def dots_of(output: str) -> dict[str, list[float]]:
    """Collect what an experiment has told so far: lines that begin with ``dots``, then JSON."""
    found: dict[str, list[float]] = {}
    for line in output.splitlines():
        if line.startswith(TOLD) and line.endswith("}"):
            for name, values in json.loads(line.removeprefix(TOLD)).items():
                found.setdefault(name, []).extend(values)
    return found


def planned_s(asked: Mapping[str, Any]) -> float:
    """Return for how many seconds an experiment publishes, as far as it was asked; else 0."""
    if "seconds" in asked:
        return float(asked["seconds"])
    return asked["count"] / asked["rate"] if {"count", "rate"} <= asked.keys() else 0.0


def shell() -> Any:
    """Return the shell of the Jupyter kernel in which we run, if we do."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None


def cell_id() -> str:
    """Return the notebook and cell that is executed, as ``04 cell-14``; empty outside of Jupyter.

    The notebook is the one that :func:`~notebooks.course.lab.open_lab` has named.
    """
    here = shell()
    if here is None:
        return ""
    metadata = here.get_parent().get("metadata", {})
    return f"{_opened['notebook']} {metadata.get('cellId', here.execution_count)}"


def opened(notebook: str) -> None:
    """Remember which notebook this kernel is for."""
    _opened["notebook"] = notebook


_opened = {"notebook": ""}

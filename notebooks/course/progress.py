"""A line under a cell that takes long: what is being measured, and for how long already.

One line for each execution of a cell, however much it measures. It carries a mark by which
:mod:`notebooks.course.execution` leaves it out of what is committed.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from notebooks.course.words import say

MARK = "duplex_progress"  # in the output's metadata
SHORT_S = 1.0  # who is done sooner needs no line


class Progress:
    """Shows lines in a Jupyter kernel; anywhere else it is silent."""

    def __init__(self) -> None:
        self._cell: int | None = None
        self._began = 0.0
        self._handle: Any = None
        self._said = ""

    @contextmanager
    def line(self, what: str, planned_s: float = 0.0) -> Iterator[Callable[[], None]]:
        """Give a function to call again and again while ``what`` runs.

        ``planned_s`` is how long it will take, 0 where nobody knows.
        """
        began, shell = time.monotonic(), _shell()
        if shell is not None and shell.execution_count != self._cell:
            self._cell, self._began, self._handle = shell.execution_count, began, None

        def tick() -> None:
            took = time.monotonic() - began
            if shell is None or took < SHORT_S:
                return
            if planned_s:
                so_far = say("{took:.0f} of about {planned:.0f} s", took=took, planned=planned_s)
            else:
                so_far = f"{took:.0f} s"
            self._show(f"{what}: {so_far}")

        try:
            yield tick
        finally:
            if self._handle is not None:
                took = time.monotonic() - self._began
                self._show(say("measured for {took:.0f} s", took=took))

    def _show(self, text: str) -> None:
        from IPython.display import display

        if text == self._said:
            return
        self._said = text
        how: dict[str, Any] = {"raw": True, "metadata": {MARK: True}}
        if self._handle is None:
            self._handle = display(  # type: ignore[no-untyped-call]
                {"text/plain": text}, display_id=True, **how
            )
        else:
            self._handle.update({"text/plain": text}, **how)


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


def planned_s(asked: Mapping[str, Any]) -> float:
    """Return for how many seconds an experiment publishes, as far as it was asked; else 0."""
    if "seconds" in asked:
        return float(asked["seconds"])
    return asked["count"] / asked["rate"] if {"count", "rate"} <= asked.keys() else 0.0


def _shell() -> Any:
    """Return the shell of the Jupyter kernel in which we run, if we do."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None

"""The tour: where the lecturer is, told to all pages.

``at`` is a view of the page, such as ``race?preset=half``: what is shown for everybody to see goes
there. ``step`` counts in the page's script, whose words are the page's; times are of this host's
monotonic clock, as in ``/lecture/clock``.
"""

import re
import time
from collections.abc import Callable
from typing import Any, Final

from servers.front.problems import Problem

MOST_STEPS: Final = 100
_AT: Final = re.compile(r"[a-z]{1,12}(\?[a-z]{1,12}=[a-z_]{1,20})?")


class Tour:
    """Where the lecturer is: in the page, and in the script."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._at = ""
        self._step: int | None = None
        self._began_ms = self._step_ms = 0.0

    def go(self, order: dict[str, Any]) -> None:
        """Go to a view (``at``), to a step of the script, or to both; a step ``null`` ends it."""
        at, step = order.get("at", self._at), order.get("step", self._step)
        if not isinstance(at, str) or (at and not _AT.fullmatch(at)):
            raise Problem(400, "at is a view of the page, such as race?preset=half")
        is_step = isinstance(step, int) and not isinstance(step, bool) and 0 <= step < MOST_STEPS
        if step is not None and not is_step:
            raise Problem(400, f"step is a number from 0 to {MOST_STEPS - 1}, or null")
        now = round(self._now() * 1e3, 1)
        if step is not None and self._step is None:
            self._began_ms = now
        if step != self._step:
            self._step_ms = now
        self._at, self._step = at, step

    def state(self) -> dict[str, Any]:
        """Describe it to the page."""
        told: dict[str, Any] = {"at": self._at, "step": self._step}
        if self._step is not None:
            told |= {"began_ms": self._began_ms, "step_ms": self._step_ms}
        return told

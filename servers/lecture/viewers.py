"""Who watches: the open pages, what waits to be told to each, and when all are told the state.

A page that does not take its news costs a bounded number of bytes: then the oldest are dropped and
it is told how many, as a gap. One address opens a bounded number of pages; places are kept for
those that have shown the lecturer's key.
"""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final

from servers.front.budget import Budget
from servers.front.problems import Problem

MOST_PAGES: Final = 200
PAGES_EACH: Final = 40
_KEPT_PAGES: Final = 8  # above the most, for the lecturer
_MOST_BYTES: Final = 2 * 2**20  # that wait for one page
_UPKEEP: Final = 200  # bytes that a row or a report costs beside its own
SOON_S: Final = 0.5


class Viewer:
    """One open page: what waits to be told to it."""

    def __init__(self, name: str, address: str = "", budget: Budget | None = None) -> None:
        self.name = name
        self.address = address
        self.news = asyncio.Event()
        self._budget = Budget(_MOST_BYTES) if budget is None else budget
        self._rest: dict[str, Any] = {}
        self._trace: deque[list[Any]] = deque()
        self._trace_bytes = 0
        self._missed = 0
        self._plugin: list[dict[str, Any]] = []
        self._plugin_bytes = 0  # of reports that wait, or that are being written
        self._writing = 0
        self._gaps: dict[int, dict[str, Any]] = {}

    def tell(self, **rest: Any) -> None:
        """Tell the newest value of something; a value not yet told is replaced."""
        self._rest |= rest
        self.news.set()

    def trace(self, row: list[Any]) -> None:
        """Tell an event of a line; the oldest ones are dropped where too much waits."""
        self._trace.append(row)
        self._trace_bytes += _weight(row)
        while self._trace_bytes > _MOST_BYTES:
            self._trace_bytes -= _weight(self._trace.popleft())
            self._missed += 1
        self.news.set()

    def plugin(self, report: dict[str, Any], size: int = 0) -> bool:
        """Tell what an emulated plugin has to say, in about ``size`` bytes; false without room."""
        now = self._plugin_bytes + size + _UPKEEP
        fits = now <= _MOST_BYTES or not self._plugin_bytes
        if not (fits and self._budget.change(self._plugin_bytes, now)):
            return False
        self._plugin_bytes = now
        self._plugin.append(report)
        self.news.set()
        return True

    def plugin_gap(self, number: int, cursor: str) -> None:
        """Tell that messages of a plugin were dropped, up to ``cursor``."""
        self._gaps[number] = {"plugin": number, "gap": True, "cursor": cursor}
        self.news.set()

    def take(self) -> str:
        """Return all that waited, as JSON; its room is given back once it was written."""
        told = self._rest
        if self._trace:
            told["trace"] = list(self._trace)
        if self._missed:
            told["missed"] = self._missed
        if reports := [*self._plugin, *self._gaps.values()]:
            told["plugin"] = reports
        self._rest, self._plugin, self._gaps = {}, [], {}
        self._trace.clear()
        self._trace_bytes = self._missed = 0
        self._writing = self._plugin_bytes
        self.news.clear()
        return json.dumps(told, separators=(",", ":"))

    def written(self) -> None:
        """Give back the room of what was taken."""
        self._budget.change(self._plugin_bytes, self._plugin_bytes - self._writing)
        self._plugin_bytes -= self._writing
        self._writing = 0

    def forget(self) -> None:
        """Give back all room."""
        self._writing = self._plugin_bytes
        self.written()


def _weight(row: list[Any]) -> int:
    last = row[-1]
    return _UPKEEP + (len(last) if isinstance(last, str) else 0)


class Seats:
    """Lets pages in and out; ``viewers`` maps the names of the open ones to them."""

    def __init__(self, viewers: dict[str, Viewer], budget: Budget) -> None:
        self.viewers = viewers
        self._budget = budget
        self._each: Counter[str] = Counter()
        self._kept: dict[str, None] = {}  # names of pages that showed the key, the newest last

    def keep(self, name: str) -> None:
        """Keep a place for the page of that name, which has the lecturer's key."""
        self._kept.pop(name, None)
        self._kept[name] = None
        if len(self._kept) > _KEPT_PAGES:
            del self._kept[next(iter(self._kept))]

    def open(self, name: str, address: str) -> Viewer:
        """Let a page in. Raises :class:`~servers.front.problems.Problem` where it cannot be."""
        if name in self.viewers:
            raise Problem(409, "this page hears of its news already; come back when it does not")
        if name not in self._kept:
            if len(self.viewers) >= MOST_PAGES:
                raise Problem(503, f"{MOST_PAGES} pages are open already; close one")
            if self._each[address] >= PAGES_EACH:
                raise Problem(429, f"{PAGES_EACH} pages are open from your address; close one")
        self._each[address] += 1
        viewer = self.viewers[name] = Viewer(name, address, self._budget)
        return viewer

    def close(self, viewer: Viewer) -> None:
        """Let a page out."""
        del self.viewers[viewer.name]
        viewer.forget()
        self._each[viewer.address] -= 1
        if not self._each[viewer.address]:
            del self._each[viewer.address]


class Bulletin:
    """Tells all viewers the state: at once, or soon, with all else that changes until then.

    What a person did is told at once. What goes on by itself, or comes from a whole room, is told
    soon: fifty messages a second are no reason to tell everybody everything fifty times.
    """

    def __init__(self, viewers: dict[str, Viewer], state: Callable[[], dict[str, Any]]) -> None:
        self._viewers, self._state = viewers, state
        self._timer: asyncio.TimerHandle | None = None

    def tell(self) -> None:
        """Tell it now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        state = self._state()
        for viewer in self._viewers.values():
            viewer.tell(state=state)

    def tell_soon(self) -> None:
        """Tell it ``SOON_S`` seconds from now at the latest."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON_S, self.tell)

"""The lecturer's controls: the orders that change the network, the race and the server.

    fits     {}                                        nothing: the key was checked
    link     {"delay_s", "bytes_per_s", "stalled"}     what the lines are like
    cut      {"seconds"}                               cut all lines, heal them after so long
    source   {"rate", "size", "preset"}                what the race's messages are like; with a
                                                       preset's name, on a fresh channel
    burst    {"count"} or {"picture": true}
    restart  {}                                        kill the techniques' server, start it anew
    workers  {"count", "common"}                       start it anew as so many processes, which
                                                       share a log, or nothing at all
    front    {}                                        start HTTP/2 for the limits lab
    ask, show, go                                      see :mod:`servers.lecture.hall`

An order is checked before anything is done, and refused by a problem that tells what is accepted.
"""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from servers.front.problems import Problem
from servers.lecture.lines import Lines
from servers.lecture.source import MOST_BURST, MOST_RATE, MOST_SIZE, Source
from servers.lecture.stage_process import StageProcess

_MOST_DELAY_S: Final = 10.0
_MOST_CUT_S: Final = 60.0
_MOST_STARTS: Final = 5
_MOST_WORKERS: Final = 4
_LEAST_BYTES_PER_S: Final = 1000
_Order = Callable[[dict[str, Any]], Awaitable[None]]
_PRESET: Final = re.compile(r"[a-z]{1,20}")


class Controls:
    """Carries orders out; ``changed`` hears when the state is another one.

    ``more`` are orders that others carry out.
    """

    def __init__(
        self,
        lines: Lines,
        stage: StageProcess,
        source: Source,
        changed: Callable[[], None],
        more: Mapping[str, _Order],
    ) -> None:
        self._lines = lines
        self._stage = stage
        self._publisher = source
        self._changed = changed
        self._heal: asyncio.TimerHandle | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._arranging = asyncio.Lock()
        # What carries an order out, by its name; it raises a Problem with status 400.
        self.orders: Final[dict[str, _Order]] = {
            "fits": self._fits,
            "link": self._link,
            "cut": self._cut,
            "source": self._source,
            "burst": self._burst,
            "restart": self._restart,
            "workers": self._workers,
            **more,
        }

    async def _fits(self, order: dict[str, Any]) -> None:
        """Nothing to do: the key was checked."""

    async def _link(self, order: dict[str, Any]) -> None:
        change: dict[str, Any] = {}
        if "delay_s" in order:
            change["delay_s"] = _number(order, "delay_s", 0, _MOST_DELAY_S)
        if "bytes_per_s" in order:
            is_free = order["bytes_per_s"] is None
            rate = None if is_free else _number(order, "bytes_per_s", _LEAST_BYTES_PER_S, 1e9)
            change["bytes_per_s"] = rate
        if "stalled" in order:
            change["stalled"] = order["stalled"] is True
        self._lines.set(**change)

    async def _cut(self, order: dict[str, Any]) -> None:
        seconds = _number(order, "seconds", 0, _MOST_CUT_S)
        self._lines.set(down=True)
        self._lines.cut()
        if self._heal is not None:
            self._heal.cancel()
        self._heal = asyncio.get_running_loop().call_later(seconds, self._healed)

    def _healed(self) -> None:
        self._heal = None
        self._lines.set(down=False)
        self._changed()

    async def _source(self, order: dict[str, Any]) -> None:
        preset = order.get("preset")
        if preset is not None and not (isinstance(preset, str) and _PRESET.fullmatch(preset)):
            raise Problem(400, "preset is a name of up to 20 letters a-z")
        state = self._publisher.state()
        rate = _number(state | order, "rate", 0, MOST_RATE)
        self._publisher.set(rate, round(_number(state | order, "size", 1, MOST_SIZE)))
        # The answer tells the last number of the old schedule: who counts anew starts behind it.
        await self._publisher.settle()
        if preset is not None:
            self._publisher.begin(preset)

    async def _burst(self, order: dict[str, Any]) -> None:
        if order.get("picture") is True:
            await self._publisher.send_picture()
        else:
            self._publisher.burst(round(_number(order, "count", 1, MOST_BURST)))

    async def _restart(self, order: dict[str, Any]) -> None:
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.get_running_loop().create_task(self._restart_stage())
            await asyncio.sleep(0)

    async def _workers(self, order: dict[str, Any]) -> None:
        count = round(_number(order, "count", 1, _MOST_WORKERS))
        is_common = count > 1 and order.get("common") is True
        async with self._arranging:
            if (count, is_common) == (self._stage.workers, self._stage.is_common):
                return
            await self._stage.arrange(count, is_common)
            await self._restart(order)
            self._changed()
            if self._restarting is not None:
                await asyncio.shield(self._restarting)

    async def _restart_stage(self) -> None:
        for _ in range(_MOST_STARTS):
            with contextlib.suppress(OSError, TimeoutError):
                await self._stage.restart()
                break
        self._changed()


def _number(order: dict[str, Any], name: str, least: float, most: float) -> float:
    value = order.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise Problem(400, f"{name} is a number from {least:g} to {most:g}")
    return float(value)

"""When to flush: at once on an idle channel, never for more than half of the time on a busy one.

Writing to a thousand sockets takes milliseconds. If every publish were flushed by itself, a fast
publisher would leave the loop no time to read requests. So after a flush the next one waits as
long as the last one took; what is published meanwhile is joined into one write per subscriber.
Measured (:mod:`loadtests.limits`): this carries ten times the deliveries of one write each.
"""

import asyncio
import time
from typing import Protocol

# Both event loops round timers up to whole milliseconds; below this it is not worth resting.
_WORTH_RESTING = 0.00025


class Flushable(Protocol):
    """A channel, as the pacer sees it."""

    def flush(self) -> None:
        """Bring what is due."""


class Pacer:
    """Calls ``flush`` on what was declared due, soon, and not too often."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[Flushable, None] = {}
        self._busy = False

    def due(self, channel: Flushable) -> None:
        """Flush ``channel`` as soon as it is time."""
        self._due[channel] = None
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        started = time.monotonic()
        due, self._due = self._due, {}
        try:
            while due:
                due.popitem()[0].flush()
        finally:  # a fault in one flush must not be the last of all
            self._due = due | self._due
            # uvloop writes to the sockets at the end of this turn of the loop; measure that too.
            self._loop.call_soon(self._rest, started)

    def _rest(self, started: float) -> None:
        took = time.monotonic() - started
        if took > _WORTH_RESTING:
            self._loop.call_later(took, self._wake)
        else:
            self._wake()

    def _wake(self) -> None:
        if self._due:
            self._flush()
        else:
            self._busy = False

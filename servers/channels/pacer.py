"""When to flush: at once, and after messages were joined, not before as much time has passed again.

Writing to a thousand sockets takes milliseconds. What is published meanwhile is joined into one
write per subscriber, which is many times cheaper than a write for each message. Where messages
come faster than they can be written one by one, a rest after each flush lets more of them join,
and leaves the loop time to read requests: this carries ten times the deliveries of one write each
(:mod:`loadtests.limits`, ``pace``).

But a rest makes whoever comes next wait. So it may only use up what joining has saved: a flush that
brought n messages took the place of n flushes, and rests once as long as it took, where it saved
so much. A message that was brought alone saved nothing, and nothing rests after it: at every load
that one write each could carry, nobody waits longer than with that (``edge``).
"""

import asyncio
import time
from typing import Protocol

# Both event loops round timers up to whole milliseconds; below this it is not worth resting.
_WORTH_RESTING = 0.00025


class Flushable(Protocol):
    """A channel, as the pacer sees it."""

    @property
    def size(self) -> int:
        """How many clients a flush writes to."""

    def flush(self) -> None:
        """Bring what is due."""


class Pacer:
    """Calls ``flush`` on what was declared due, soon, and not too often."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[Flushable, int] = {}  # and how many messages it has
        self._busy = False

    def due(self, channel: Flushable) -> None:
        """Flush ``channel``, which has one more message, as soon as it is time."""
        self._due[channel] = self._due.get(channel, 0) + 1
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        started = time.monotonic()
        due, self._due = self._due, {}
        writes = sum(channel.size for channel in due)
        singly = sum(channel.size * messages for channel, messages in due.items())
        saved = (singly - writes) / writes if writes else 0.0
        try:
            while due:
                due.popitem()[0].flush()
        finally:  # a fault in one flush must not be the last of all
            self._due = due | self._due
            # uvloop writes to the sockets at the end of this turn of the loop; measure that too.
            self._loop.call_soon(self._rest, started, min(saved, 1.0))

    def _rest(self, started: float, share: float) -> None:
        rest = share * (time.monotonic() - started)
        if rest > _WORTH_RESTING:
            self._loop.call_later(rest, self._wake)
        else:
            # Not at once: what was read meanwhile has its turn first.
            self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        if self._due:
            self._flush()
        else:
            self._busy = False

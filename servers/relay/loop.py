"""An event loop whose timers are right to well under a millisecond, where the system can.

``epoll_wait`` counts in milliseconds, so asyncio rounds its waits up: bytes that should wait
25 ms wait 25.5 on average. ``select`` counts in microseconds and can wait for the epoll descriptor
itself: one more system call per turn, and the relay's delay is what it says.
"""

import asyncio
import select
import selectors
import sys

if sys.platform == "linux":

    class _FineEpoll(selectors.EpollSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is not None and timeout > 0:
                select.select([self.fileno()], [], [], timeout)
                timeout = 0
            return super().select(timeout)


def new_loop() -> asyncio.AbstractEventLoop:
    """Make the loop, for ``asyncio.Runner(loop_factory=new_loop)``; asyncio's own elsewhere."""
    if sys.platform == "linux":
        selector = _FineEpoll()
        if selector.fileno() < 1024:  # select() knows no more descriptors
            return asyncio.SelectorEventLoop(selector)
        selector.close()
    return asyncio.new_event_loop()

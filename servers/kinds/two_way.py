"""Sockets on which messages also go up: what becomes of a message that was sent there.

A socket waits for no answer: what cannot be published is told by a problem on its way down. A log
that keeps messages at once costs nothing here. Behind one that takes its time, a client that sends
ahead is not read for a while, so that it cannot pile up what waits.
"""

import asyncio

from servers.channels.log import Appended
from servers.front.problems import Problem
from servers.kinds.streams import Stream
from servers.publish import kept

_MOST_ON_THEIR_WAY = 64  # messages of one socket that wait for the log, before it is read no more


class TwoWay(Stream):
    """A stream that publishes, too; ``complain`` tells of what was not published."""

    __slots__ = ("_on_their_way",)

    _on_their_way: int

    def complain(self, problem: Problem) -> None:
        """Tell of a message that was not published."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to write."""
        self._on_their_way = 0
        super().connection_made(transport)

    def see_kept(self, appended: Appended) -> None:
        """Complain if the log does not keep a message."""
        if isinstance(appended, int):
            return
        self._on_their_way += 1
        if self._on_their_way == _MOST_ON_THEIR_WAY:
            self.transport.pause_reading()
        asyncio.get_running_loop().create_task(kept(appended)).add_done_callback(self._is_kept)

    def _is_kept(self, keeping: asyncio.Task[int]) -> None:
        self._on_their_way -= 1
        error = None if keeping.cancelled() else keeping.exception()
        if self._is_closing or self.transport.is_closing():
            return
        if self._on_their_way == 0:
            self.transport.resume_reading()
        if error is None:
            return
        if not isinstance(error, Problem):
            raise error  # a mistake of ours, which is the loop's to log
        self.complain(error)

"""Sockets on which messages also go up: what becomes of a message that was sent there.

A socket waits for no answer: what cannot be published is told by a problem on its way down. A log
that keeps messages at once costs nothing here. Behind one that takes its time, a client that sends
ahead is not read for a while, so that it cannot pile up what waits. A message has to be finished
in time, and a large one needs room for as long as it is not.
"""

import asyncio
import time
from functools import partial

from servers.channels.channel import Channel
from servers.channels.log import Appended
from servers.front.budget import NO_ROOM
from servers.front.problems import Problem
from servers.kinds.streams import Stream, gap_notice
from servers.publish import kept
from wire.cursor import Cursor

_MESSAGE_SECONDS = 30.0  # for one message; as for the body of a request
_MOST_ON_THEIR_WAY = 64  # messages of one socket that wait for the log, before it is read no more


class TwoWay(Stream):
    """A stream that publishes, too; ``complain`` tells of what was not published."""

    __slots__ = ("_began", "_on_their_way", "_unfinished", "opening")

    opening: asyncio.Task[Channel] | None  # of the channel that the client has asked for
    _on_their_way: int
    _unfinished: int  # bytes of a message of which more must come
    _began: float  # when it did

    def complain(self, problem: Problem) -> None:
        """Tell of a message that was not published."""
        raise NotImplementedError

    def give_up(self, problem: Problem) -> None:
        """Tell why, and end the connection: its unfinished message cannot be waited for."""
        self.complain(problem)
        self.finish()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to write."""
        self._on_their_way = self._unfinished = 0
        self.opening = None
        super().connection_made(transport)

    def hold(self, unfinished: int, has_finished: bool) -> None:
        """Keep so many bytes of a message that is not whole; ``has_finished`` one before it."""
        if has_finished or not self._unfinished:
            self._began = time.monotonic()
        if self._service.budget.change(self._unfinished, unfinished):
            self._unfinished = unfinished
        else:
            self.give_up(NO_ROOM)

    def check(self) -> None:
        """End the connection also if a message does not come to its end."""
        super().check()
        if self._unfinished and time.monotonic() - self._began > _MESSAGE_SECONDS:
            self.give_up(Problem(408, f"the message did not come within {_MESSAGE_SECONDS:.0f} s"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave nothing behind."""
        self._service.budget.change(self._unfinished, 0)
        self._unfinished = 0
        super().connection_lost(exc)

    def begin(self, channel: Channel) -> None:
        """Subscribe, and read no more before it was announced who came: what they say is later."""
        super().begin(channel)
        roll = self._service.presence.roll
        if roll is not None and roll.announcing is not None:
            self.transport.pause_reading()
            roll.announcing.add_done_callback(self._is_announced)

    def _is_announced(self, _: asyncio.Future[None]) -> None:
        if not (self._is_closing or self.transport.is_closing()):
            self.transport.resume_reading()

    def on_open(self, name: str, cursor: str) -> None:
        """Tell that the channel ``name`` is open, from ``cursor`` on."""
        raise NotImplementedError

    def may_go_on(self) -> bool:
        """Whether to act on more of what the client sent."""
        return not (self.opening or self._is_closing or self.transport.is_closing())

    def go_on(self) -> None:
        """Act on what the client sent while the channel was opened."""
        raise NotImplementedError

    def open(self, name: str, after: Cursor | None) -> None:
        """Follow a channel, and read no more of the client before it is open.

        If it cannot be had, complain.
        """
        self.transport.pause_reading()
        opening = self._service.open(name, after)
        self.opening = asyncio.get_running_loop().create_task(opening)
        self.opening.add_done_callback(partial(self._opened, after))

    def _opened(self, after: Cursor | None, opening: asyncio.Task[Channel]) -> None:
        self.opening = None
        error = None if opening.cancelled() else opening.exception()
        if opening.cancelled() or self._is_closing or self.transport.is_closing():
            return
        self.transport.resume_reading()
        if error is None:
            self._follow(opening.result(), after)
            self.go_on()
        elif isinstance(error, Problem):
            self.complain(error)
        else:
            raise error  # a mistake of ours, which is the loop's to log

    def _follow(self, channel: Channel, after: Cursor | None) -> None:
        self.position, has_gap = channel.resume(after)
        self.on_open(channel.name, channel.cursor(self.position))
        if has_gap:
            self.row.gaps += 1
            self.write(gap_notice(channel, self._framing, self.position))
        self.begin(channel)

    def see_kept(self, appended: Appended) -> None:
        """Complain if the log does not keep a message."""
        if isinstance(appended, Cursor):
            return
        self._on_their_way += 1
        if self._on_their_way == _MOST_ON_THEIR_WAY:
            self.transport.pause_reading()
        asyncio.get_running_loop().create_task(kept(appended)).add_done_callback(self._is_kept)

    def _is_kept(self, keeping: asyncio.Task[Cursor]) -> None:
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

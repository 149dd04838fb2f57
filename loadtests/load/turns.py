"""When the loop last looked whether something had come: how late a read may have been.

A kernel stamps what it takes in, but one read gives everything in it the last stamp. What is read
in one turn of the loop was not there yet when the loop looked in the turn before, else it would
have been read then. So messages that are read together lie no further apart than that.

The shorter a turn, the less there is to doubt. So whoever has read gives way: all the others may
read what is there, then one looks into what it has read, then the loop looks again. Decoding and
counting take several times as long as reading.
"""

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import gevent

if TYPE_CHECKING:
    from gevent import Greenlet

# The watch wakes the loop every few ms. A look that took longer was asleep or stopped, and then
# the system may have ended it without telling what had come meanwhile.
_PROMPT_NS = 10_000_000


@dataclass(slots=True)
class _LastRead:
    """Of a greenlet: when it read the last time, and how often the loop had looked as it went on.

    What it read then may have been there since ``before_ns``.
    """

    before_ns: int = 0
    at_ns: int = 0
    looks: int = -1


class Turns:
    """Notes the turns of this process' loop; ``before_ns`` is monotonic."""

    def __init__(self) -> None:
        self.before_ns = 0
        self._looks = 0
        self._began_ns = self._ended_ns = 0
        self._last_reads: WeakKeyDictionary[Greenlet, _LastRead] = WeakKeyDictionary()
        loop = gevent.get_hub().loop
        self._line: deque[Greenlet] = deque()  # who has read and not yet looked into it
        self._idle = loop.idle()  # called when nothing is there to read
        self._prepare, self._check = loop.prepare(ref=False), loop.check(ref=False)

    def start(self) -> None:
        """Begin to note."""
        self.before_ns = self._began_ns = self._ended_ns = time.monotonic_ns()
        self._prepare.start(self._begin_look)
        self._check.start(self._end_look)

    def stop(self) -> None:
        """Note nothing any more."""
        self._prepare.stop()
        self._check.stop()

    def give_way(self) -> None:
        """Let all read who can; call it after a read, in the greenlet that did."""
        mine = self._last_reads.setdefault(gevent.getcurrent(), _LastRead())
        # The loop looks only for who waits. Who found something without waiting is on its own.
        waited = self._looks > mine.looks
        mine.before_ns = self.before_ns if waited else mine.at_ns
        mine.at_ns = time.monotonic_ns()
        self._stand_in_line()
        mine.looks = self._looks

    def _stand_in_line(self) -> None:
        """Wait until it is this greenlet's turn: one goes on in each turn of the loop."""
        me = gevent.getcurrent()
        if not self._line:
            self._idle.start(self._call_next)
        self._line.append(me)
        try:
            gevent.get_hub().switch()
        except BaseException:  # it is killed, or has waited too long
            self._line.remove(me)
            raise

    def _call_next(self) -> None:
        if self._line:
            self._line.popleft().switch()
        if not self._line:
            self._idle.stop()

    @property
    def unread_since_ns(self) -> int:
        """Since when what this greenlet read last may have been there, unread (0: not known)."""
        return self._last_reads.get(gevent.getcurrent(), _LastRead()).before_ns

    def _begin_look(self) -> None:
        prompt = self._ended_ns - self._began_ns < _PROMPT_NS
        self.before_ns = self._ended_ns if prompt else self._began_ns
        self._began_ns = time.monotonic_ns()

    def _end_look(self) -> None:
        self._ended_ns = time.monotonic_ns()
        self._looks += 1

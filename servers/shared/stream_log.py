"""One channel's stream as a server sees it: the newest entries, kept in memory.

It is a log like any other to those who read it. The keeper fills it, from what it reads of the
stream at first and hears of it later on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from servers.channels.log import Entry, MemoryLog, Unavailable, tell_nobody
from wire.cursor import Cursor

BODY = b"d"  # the field of an entry that has the message; an entry without one marks a birth
_ID = b'{"id":%d,'
_BEFORE_BODY = len(_ID % 0)

StreamEntry = tuple[bytes, dict[bytes, bytes]]


def place(entry: StreamEntry) -> tuple[int, int]:
    """Return the epoch and the number of an entry of a stream."""
    epoch, _, number = entry[0].partition(b"-")
    return int(epoch), int(number)


def json_of(entry: StreamEntry) -> bytes:
    """Return the JSON of an entry's message."""
    return _ID % place(entry)[1] + entry[1].get(BODY, b"}")


@dataclass(eq=False, slots=True)
class Waiting:
    """A message on its way to the engine: all of its JSON but its id, and who waits for it."""

    log: "StreamLog"
    body: bytes
    kept: asyncio.Future[Cursor]
    since: float = field(default_factory=time.monotonic)

    def keep(self, cursor: Cursor) -> None:
        """Tell that it has its place."""
        if not self.kept.done():
            self.kept.set_result(cursor)

    def refuse(self, error: Unavailable) -> None:
        """Tell that it was not taken."""
        if not self.kept.done():
            self.kept.set_exception(error)
            self.kept.exception()  # who asked may be gone, and then nobody misses it


class Source(Protocol):
    """What a log asks of its keeper."""

    def publish(self, waiting: Waiting) -> None:
        """Send a message to the engine, after all before it."""

    def catch_up(self, log: "StreamLog") -> asyncio.Task[None]:
        """Read a stream to its end."""

    def forget(self, log: "StreamLog") -> None:
        """Hear no more of a stream."""


class StreamLog:
    """The newest entries of a channel's stream; ``messages`` and ``size`` bound what is held."""

    def __init__(self, keeper: Source, name: str, messages: int, size: int) -> None:
        self.key = b"duplex:channel:" + name.encode()
        self.born = 0  # the epoch, as a number; 0 until the stream was read
        self.news: Callable[[], None] = tell_nobody
        self.is_closed = False
        self.reading = asyncio.Lock()  # one at a time reads the stream
        self.next_reading: asyncio.Task[None] | None = None  # which has not begun yet
        self._keeper = keeper
        self.bounds = messages, size
        self._held = MemoryLog(messages, size)
        self._placed: deque[tuple[Cursor, Waiting]] = deque()  # but not to be read yet

    @property
    def epoch(self) -> str:
        """Which life of the history this is."""
        return str(self.born)

    @property
    def size(self) -> int:
        """Bytes of JSON held."""
        return self._held.size

    @property
    def first(self) -> int:
        """The oldest id held."""
        return self._held.first

    @property
    def last(self) -> int:
        """The newest id held."""
        return self._held.last

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return entries after id ``after``, as any log does."""
        return self._held.read(after, limit)

    def ready(self, after: Cursor | None) -> asyncio.Future[None] | None:
        """Tell whether the stream was read, as far as who comes has read it elsewhere."""
        if self.born and (after is None or (after.epoch == self.epoch and after.id <= self.last)):
            return None
        return self._keeper.catch_up(self)

    def append(self, make: Callable[[int], bytes]) -> asyncio.Future[Cursor]:
        """Send one message to the engine, which gives it its place."""
        kept: asyncio.Future[Cursor] = asyncio.get_running_loop().create_future()
        self._keeper.publish(Waiting(self, make(0)[_BEFORE_BODY:], kept))
        return kept

    def close(self) -> None:
        """Hear no more of the stream."""
        self.is_closed = True
        self._keeper.forget(self)
        self._tell_placed()

    def is_read(self, reading: asyncio.Task[None]) -> None:
        """Take note that a reading is over, perhaps before it began."""
        if self.next_reading is reading:
            self.next_reading = None
        if not reading.cancelled():
            reading.exception()  # told to those who wait, if any do

    @property
    def at(self) -> bytes:
        """The stream's id of the newest entry that was delivered."""
        return b"%d-%d" % (self.born, self.last)

    def newest(self) -> bytes:
        """Return the JSON of the newest entry that was delivered; none before the first."""
        found = self._held.read(self.last - 1, 0)
        return found[-1][1] if found else b""

    def take(self, entries: Iterable[StreamEntry]) -> None:
        """Hold what follows in the stream, skipping what is held already, or of an older life."""
        news = 0
        for entry in entries:
            born, number = place(entry)
            if born < self.born:
                continue
            if born > self.born:
                self._begin(born, max(number, 1))
                news = max(news, 1)
            if number > self.last + 1:  # what was between is gone
                self._begin(born, number)
            if number == self.last + 1:
                self._held.add(json_of(entry))
                news += 1
        if news:
            self._tell_placed()
        for _ in range(news):
            self.news()

    def _begin(self, born: int, first: int) -> None:
        self.born = born
        self._held = MemoryLog(*self.bounds, first=first)

    def put(self, waiting: Waiting, placed: bytes) -> None:
        """Tell who published that the message has its place, once it can be read there."""
        born, number = place((placed, {}))
        self._placed.append((Cursor(str(born), number), waiting))
        if born == self.born and number == self.last + 1:  # nothing else came before it
            self.take([(placed, {BODY: waiting.body})])
        else:
            self._tell_placed()

    def _tell_placed(self) -> None:
        placed, epoch = self._placed, self.epoch
        while placed and (
            self.is_closed or placed[0][0].id <= self.last or placed[0][0].epoch != epoch
        ):
            cursor, waiting = placed.popleft()
            waiting.keep(cursor)

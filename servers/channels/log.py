"""The log of a channel: the newest messages, kept so that clients can resume.

:class:`Log` is the small interface behind which history lives. In memory is the default; another
keeper (:mod:`servers.shared` has one that several servers share) needs these names and nothing
else.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Protocol

from wire.cursor import Cursor

Entry = tuple[int, bytes]  # a message's id and its JSON
Appended = Cursor | asyncio.Future[Cursor]  # the place behind a message, now or later


class Unavailable(Exception):
    """The log took no message, or cannot be read; the text says why."""


class Unsure(Unavailable):
    """The log may have taken the message, or not: it was sent, and no answer came."""


def tell_nobody() -> None:
    """Hear of news, and do nothing."""


class Log(Protocol):
    """A bounded history; ids are consecutive, ``first`` to ``last``.

    The log chooses ids and epochs. What is asked of it here is answered from this process's memory,
    once it is there; ``append`` and ``ready`` may take their time.
    """

    news: Callable[[], None]
    """What the log calls when it holds more than before, or another epoch, whoever appended: this
    process or another. The channel sets it."""

    @property
    def epoch(self) -> str:
        """Names this life of the history: ids of different epochs cannot be compared.

        It has the form that a cursor gives it (:mod:`wire.cursor`), and may change when a history
        was lost.
        """

    @property
    def size(self) -> int:
        """Bytes of JSON held."""

    @property
    def first(self) -> int:
        """The oldest id still held (``last + 1`` while nothing is)."""

    @property
    def last(self) -> int:
        """The newest id, 0 before the first message."""

    def ready(self, after: Cursor | None) -> asyncio.Future[None] | None:
        """Tell whether who has seen ``after`` can be served from memory: ``None`` if so.

        Else returns what to wait for: until a history that others keep is here, and is not behind
        what the client has seen elsewhere. It ends within seconds, and raises :class:`Unavailable`
        if the keeper cannot be asked.
        """

    def append(self, make: Callable[[int], bytes]) -> Appended:
        """Add the message whose JSON ``make(id)`` writes, in the order of the calls.

        Returns the cursor after it, or a future of it that is done when :meth:`read` finds the
        message, and raises :class:`Unavailable` if it was not taken. Whoever waits for it may give
        up and cancel it. ``make`` may be called at any time and more than once: what it writes
        behind the id is the same each time.
        """

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return entries after id ``after``: at least one if any, else about ``limit`` bytes."""

    def close(self) -> None:
        """End what keeps the log up to date: its channel is forgotten."""


class MemoryLog:
    """A log in memory, bounded by messages and by bytes of JSON; ``first`` is its next id."""

    def __init__(self, messages: int = 10_000, size: int = 16 * 2**20, first: int = 1) -> None:
        self.epoch = secrets.token_hex(4)
        self.size = 0
        self.news: Callable[[], None] = tell_nobody
        self._most_messages = messages
        self._most_bytes = size
        self._entries: dict[int, bytes] = {}
        self._first = first

    @property
    def first(self) -> int:
        """The oldest id still held."""
        return self._first

    @property
    def last(self) -> int:
        """The newest id."""
        return self._first + len(self._entries) - 1

    def ready(self, after: Cursor | None) -> None:
        """Say that all is here."""

    def append(self, make: Callable[[int], bytes]) -> Cursor:
        """Add one message; forget the oldest past the bounds, but never the newest."""
        return self.add(make(self._first + len(self._entries)))

    def add(self, json: bytes) -> Cursor:
        """Add one message as JSON, which has the next id in it."""
        entries = self._entries
        number = self._first + len(entries)
        entries[number] = json
        self.size += len(json)
        while len(entries) > 1 and (
            len(entries) > self._most_messages or self.size > self._most_bytes
        ):
            self.size -= len(entries.pop(self._first))
            self._first += 1
        self.news()
        return Cursor(self.epoch, number)

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return entries after id ``after``, at least one if any, else about ``limit`` bytes."""
        entries = self._entries
        found: list[Entry] = []
        for number in range(max(after + 1, self._first), self.last + 1):
            json = entries[number]
            limit -= len(json)
            if limit < 0 and found:
                break
            found.append((number, json))
        return found

    def close(self) -> None:
        """Do nothing: nobody else writes here."""

"""The log of a channel: the newest messages, kept so that clients can resume.

:class:`Log` is the small interface behind which history lives. In memory is the default; another
keeper (a stream in Valkey, say) needs these six names and nothing else.
"""

import secrets
from typing import Protocol

Entry = tuple[int, bytes]  # a message's id and its JSON


class Log(Protocol):
    """A bounded history; ids are consecutive, ``first`` to ``last``."""

    epoch: str
    """Names this life of the history: ids of different epochs cannot be compared."""
    size: int
    """Bytes of JSON held."""

    @property
    def first(self) -> int:
        """The oldest id still held (``last + 1`` while nothing is)."""

    @property
    def last(self) -> int:
        """The newest id, 0 before the first message."""

    def append(self, json: bytes) -> None:
        """Add the message with id ``last + 1``."""

    def read(self, after: int, limit: int) -> list[Entry]:
        """Return entries after id ``after``: at least one if any, else about ``limit`` bytes."""


class MemoryLog:
    """A log in memory, bounded by messages and by bytes of JSON."""

    def __init__(self, messages: int = 10_000, size: int = 16 * 2**20) -> None:
        self.epoch = secrets.token_hex(4)
        self.size = 0
        self._most_messages = messages
        self._most_bytes = size
        self._entries: dict[int, bytes] = {}
        self._first = 1

    @property
    def first(self) -> int:
        """The oldest id still held."""
        return self._first

    @property
    def last(self) -> int:
        """The newest id."""
        return self._first + len(self._entries) - 1

    def append(self, json: bytes) -> None:
        """Add one message; forget the oldest past the bounds, but never the newest."""
        entries = self._entries
        entries[self._first + len(entries)] = json
        self.size += len(json)
        while len(entries) > 1 and (
            len(entries) > self._most_messages or self.size > self._most_bytes
        ):
            self.size -= len(entries.pop(self._first))
            self._first += 1

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

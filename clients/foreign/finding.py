"""Finding our messages in what somebody else's server says."""

import json
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from clients.foreign.peer_file import Place
from wire.message import Message
from wire.peer_text import read_text

_LONGEST_WORDS = 80  # of what a server said, in an error
_LONGEST = 4096  # bytes that are remembered for all receivers of one process


def values(place: Place, data: str) -> list[Any]:
    """Return what stands at a place in ``data``; nothing where it leads nowhere."""
    if not data.startswith(place.after):
        return []
    found: list[Any] = [data[len(place.after) :]]
    for step in place.at:
        found = [one for value in found for one in _inside(value, step)]
    return found


def _inside(value: Any, step: str | int) -> Iterable[Any]:
    if isinstance(value, str):  # JSON, by itself or within a text of JSON
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if step == "*":
        return value if isinstance(value, list) else ()
    if isinstance(value, dict):
        return (value[step],) if step in value else ()
    if isinstance(value, list) and isinstance(step, int):
        return value[step : step + 1 or None]
    return ()


def _messages(place: Place, data: str) -> tuple[Message, ...]:
    found = (value for value in values(place, data) if isinstance(value, str))
    return tuple(message for value in found for message in read_text(value))


_known_messages = lru_cache(maxsize=512)(_messages)


class Finder:
    """Finds messages at a place; ``strays`` counts what else came, ``stray`` is the first of it.

    A server that keeps a history may tell of earlier tests: what was due before we came is theirs.
    """

    __slots__ = ("_place", "_since_ns", "_split", "stray", "strays")

    def __init__(self, place: Place, split: str = "") -> None:
        self._place = place
        self._split = split
        self._since_ns = time.monotonic_ns()
        self.strays = 0
        self.stray = ""

    def find(self, data: str) -> Iterator[Message]:
        """Yield the messages in one piece of data."""
        for piece in data.split(self._split) if self._split else (data,):
            find = _known_messages if len(piece) <= _LONGEST else _messages
            found = find(self._place, piece)
            if not found and piece:
                self.note(piece)
            for message in found:
                if message.sent_ns >= self._since_ns:
                    yield message

    def note(self, piece: str) -> None:
        """Count what was no message."""
        self.strays += 1
        self.stray = self.stray or piece[:_LONGEST_WORDS]

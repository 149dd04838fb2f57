"""Where a client stands in a channel, and how channels may be called.

To a client a cursor is opaque: it is handed out with messages and given back to resume. Inside
it is ``epoch-id``: the epoch names one life of the channel's history, the id is the last message
seen. A cursor of another epoch cannot be resumed, and the server says so with a gap notice.
"""

import re
from dataclasses import dataclass

from wire.errors import CursorError

DEFAULT_CHANNEL = "lobby"
_CURSOR = re.compile(r"([0-9a-z]{1,32})-([0-9]{1,18})")
_CHANNEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position just after message ``id`` of one ``epoch``; id 0 is before the first."""

    epoch: str
    id: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.id}"


def parse_cursor(text: str) -> Cursor:
    """Read ``epoch-id``.

    Raises :class:`~wire.errors.CursorError` for anything else.
    """
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise CursorError(
            f"cursor {text[:60]!r} is not of the form epoch-id; "
            "give back one that a message or an answer carried, or none to start from now"
        )
    return Cursor(match[1], int(match[2]))


def check_channel(name: str) -> str:
    """Return ``name`` if it may name a channel.

    Raises :class:`~wire.errors.CursorError` otherwise.
    """
    if _CHANNEL.fullmatch(name) is None:
        raise CursorError(
            f"channel {name[:80]!r} is not a channel name; "
            "accepted are 1 to 64 of the characters A-Z a-z 0-9 _ . -"
        )
    return name

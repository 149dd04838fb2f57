"""Who is there: ``joined`` and ``left`` notices on the channel, for clients that gave a name.

A held connection tells by its end that somebody left, be it closed or found dead. A client that
polls tells nothing; it has left when it has not asked for one and a half heartbeats.

Where several servers share channels, a :class:`Roll` knows who is at any of them.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from servers.channels.channel import Channel, Hub
from servers.channels.log import Appended

Who = tuple[str, str, str]  # channel, name, technique
_MOST = 10_000  # names remembered; beyond, people come and go unannounced


class Roll(Protocol):
    """Knows who is at which server; announces those who come to the first, and leave the last.

    ``announcing`` is there while somebody who came is not announced yet; it ends within seconds.
    """

    announcing: asyncio.Future[None] | None

    def enter(self, who: Who) -> None:
        """Somebody is at this server now."""

    def leave(self, who: Who) -> None:
        """Somebody is at this server no more."""


class Presence:
    """Counts the connections of each (channel, name, technique) and announces the changes.

    ``silence`` is for how many seconds a client that polls may say nothing; :meth:`sweep` is to
    be called now and then. ``may_say`` is asked before each notice, with the channel's name and
    the notice's bytes, as before any other message; who was not announced leaves unannounced.
    ``roll`` is there where others share the channels.
    """

    roll: Roll | None = None

    def __init__(self, hub: Hub, silence: float, may_say: Callable[[str, int], bool]) -> None:
        self._hub = hub
        self._silence = silence
        self._may_say = may_say
        self._held: dict[Who, int] = {}
        self._told: set[Who] = set()  # of those that hold, whose coming was announced
        self._seen: dict[Who, float] = {}

    def enter(self, channel: Channel, name: str, slug: str) -> None:
        """A named client holds one more connection."""
        who = (channel.name, name, slug)
        if not name or (len(self._held) >= _MOST and who not in self._held):
            return
        self._held[who] = self._held.get(who, 0) + 1
        if self._held[who] == 1 and self._arrives(who):
            self._told.add(who)

    def leave(self, channel: Channel, name: str, slug: str) -> None:
        """A named client holds one connection less."""
        who = (channel.name, name, slug)
        if who not in self._held:
            return
        self._held[who] -= 1
        if not self._held[who]:
            del self._held[who]
            if who in self._told:
                self._told.remove(who)
                self._departs(who)

    def seen(self, channel: Channel, name: str, slug: str) -> None:
        """A named client has just asked."""
        who = (channel.name, name, slug)
        is_new = who not in self._seen
        if not name or (is_new and len(self._seen) >= _MOST):
            return
        if not is_new or self._arrives(who):
            self._seen[who] = time.monotonic()

    def present(self, channel: str) -> list[tuple[str, str]]:
        """List who is on a channel: the name and the technique of each."""
        return [who[1:] for who in (*self._held, *self._seen) if who[0] == channel]

    def sweep(self) -> None:
        """Announce those who have been silent for too long."""
        since = time.monotonic() - self._silence
        for who, seen in list(self._seen.items()):
            if seen < since:
                del self._seen[who]
                self._departs(who)

    def _arrives(self, who: Who) -> bool:
        if self.roll is None:
            return self.say(who, "joined") is not None
        self.roll.enter(who)
        return True

    def _departs(self, who: Who) -> None:
        if self.roll is None:
            self.say(who, "left")
        else:
            self.roll.leave(who)

    def say(self, who: Who, presence: str) -> Appended | None:
        """Announce that somebody has ``joined`` or ``left``, if that may be said."""
        channel, name, slug = who
        if self._may_say(channel, len(name.encode("utf-8", "surrogatepass")) + len(slug)):
            return self._hub.channel(channel).notice(slug, name, presence)
        return None

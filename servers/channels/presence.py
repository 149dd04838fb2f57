"""Who is there: ``joined`` and ``left`` notices on the channel, for clients that gave a name.

A held connection tells by its end that somebody left, be it closed or found dead. A client that
polls tells nothing; it has left when it has not asked for one and a half heartbeats.
"""

import time
from collections.abc import Callable

from servers.channels.channel import Channel, Hub

_Who = tuple[str, str, str]  # channel, name, technique
_MOST = 10_000  # names remembered; beyond, people come and go unannounced


class Presence:
    """Counts the connections of each (channel, name, technique) and announces the changes.

    ``silence`` is for how many seconds a client that polls may say nothing; :meth:`sweep` is to
    be called now and then. ``may_say`` is asked before each notice, with the channel's name and
    the notice's bytes, as before any other message; who was not announced leaves unannounced.
    """

    def __init__(self, hub: Hub, silence: float, may_say: Callable[[str, int], bool]) -> None:
        self._hub = hub
        self._silence = silence
        self._may_say = may_say
        self._held: dict[_Who, int] = {}
        self._told: set[_Who] = set()  # of those that hold, whose coming was announced
        self._seen: dict[_Who, float] = {}

    def enter(self, channel: Channel, name: str, slug: str) -> None:
        """A named client holds one more connection."""
        who = (channel.name, name, slug)
        if not name or (len(self._held) >= _MOST and who not in self._held):
            return
        self._held[who] = self._held.get(who, 0) + 1
        if self._held[who] == 1 and self._say(who, "joined"):
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
                self._say(who, "left")

    def seen(self, channel: Channel, name: str, slug: str) -> None:
        """A named client has just asked."""
        who = (channel.name, name, slug)
        is_new = who not in self._seen
        if not name or (is_new and len(self._seen) >= _MOST):
            return
        if not is_new or self._say(who, "joined"):
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
                self._say(who, "left")

    def _say(self, who: _Who, presence: str) -> bool:
        channel, name, slug = who
        may = self._may_say(channel, len(name.encode("utf-8", "surrogatepass")) + len(slug))
        if may:
            self._hub.channel(channel).notice(slug, name, presence)
        return may

"""Who is there: ``joined`` and ``left`` notices on the channel, for clients that gave a name.

A held connection tells by its end that somebody left, be it closed or found dead. A client that
polls tells nothing; it has left when it has not asked for one and a half heartbeats.
"""

import time

from servers.channels.channel import Channel, Hub

_Who = tuple[str, str, str]  # channel, name, technique
_MOST = 10_000  # names remembered; beyond, people come and go unannounced


class Presence:
    """Counts the connections of each (channel, name, technique) and announces the changes.

    ``silence`` is for how many seconds a client that polls may say nothing; :meth:`sweep` is to
    be called now and then.
    """

    def __init__(self, hub: Hub, silence: float) -> None:
        self._hub = hub
        self._silence = silence
        self._held: dict[_Who, int] = {}
        self._seen: dict[_Who, float] = {}

    def enter(self, channel: Channel, name: str, slug: str) -> None:
        """A named client holds one more connection."""
        who = (channel.name, name, slug)
        if not name or (len(self._held) >= _MOST and who not in self._held):
            return
        self._held[who] = self._held.get(who, 0) + 1
        if self._held[who] == 1:
            channel.notice(slug, name, "joined")

    def leave(self, channel: Channel, name: str, slug: str) -> None:
        """A named client holds one connection less."""
        who = (channel.name, name, slug)
        if who not in self._held:
            return
        self._held[who] -= 1
        if not self._held[who]:
            del self._held[who]
            channel.notice(slug, name, "left")

    def seen(self, channel: Channel, name: str, slug: str) -> None:
        """A named client has just asked."""
        who = (channel.name, name, slug)
        is_new = who not in self._seen
        if not name or (is_new and len(self._seen) >= _MOST):
            return
        self._seen[who] = time.monotonic()
        if is_new:
            channel.notice(slug, name, "joined")

    def sweep(self) -> None:
        """Announce those who have been silent for too long."""
        since = time.monotonic() - self._silence
        for who, seen in list(self._seen.items()):
            if seen < since:
                del self._seen[who]
                channel, name, slug = who
                self._hub.channel(channel).notice(slug, name, "left")

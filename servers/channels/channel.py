"""The channel: a named topic with a log. It stamps messages and knows no transport.

What wants to hear of new messages registers a :class:`Reader` under a key of its own choosing;
when the log has news, each reader's ``flush`` is called as the pacer says, and reads what is due
from the log. So a burst is joined by itself, nothing is queued twice, and it is all the same
whether a message was published here or, where servers share a log, elsewhere.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from servers.channels.log import Appended, Log, tell_nobody
from servers.channels.pacer import Pacer
from wire.cursor import Cursor
from wire.message import Body, Message, encode_message

_LOG = logging.getLogger("servers")


class Reader(Protocol):
    """Brings a channel's new messages to the clients of one technique."""

    @property
    def size(self) -> int:
        """How many clients it serves."""

    def flush(self) -> None:
        """Bring what is due; must not wait for anybody."""


R = TypeVar("R", bound=Reader)


class Channel:
    """One topic. ``readers`` holds who listens; ``log`` holds what was said.

    ``heard_ns`` is when somebody last asked for what is new, or began to listen (monotonic).
    """

    def __init__(self, name: str, log: Log, pacer: Pacer) -> None:
        self.name = name
        self.log = log
        self.readers: dict[object, Reader] = {}
        self.heard_ns = 0
        self._pacer = pacer
        log.news = self._announce

    def publish(
        self, body: Body, sender: str = "", sent_ns: int | None = None, presence: str = ""
    ) -> Appended:
        """Stamp a message and log it; its readers hear of it from the log.

        ``sent_ns`` is the sender's monotonic time; without it, the message was sent now. Returns
        the cursor after it, or a future of it, as :meth:`~servers.channels.log.Log.append` does.
        """
        now = time.monotonic_ns()
        sent = now if sent_ns is None else sent_ns
        return self.log.append(
            lambda number: encode_message(Message(number, sender, sent, now, body, presence))
        )

    def notice(self, slug: str, name: str, presence: str) -> Appended:
        """Publish that somebody came or went; if the log refuses, nobody can be told."""
        appended = self.publish(slug, name, presence=presence)
        if isinstance(appended, asyncio.Future):
            appended.add_done_callback(self._noticed)
        return appended

    def _noticed(self, appended: asyncio.Future[Cursor]) -> None:
        if not appended.cancelled() and (error := appended.exception()) is not None:
            _LOG.warning("a notice on channel %s was not published: %s", self.name, error)

    def _announce(self) -> None:
        if self.readers:
            self._pacer.due(self)

    def close(self) -> None:
        """Forget the log; what still refers to the channel may read it to its end."""
        self.log.news = tell_nobody
        self.log.close()

    @property
    def size(self) -> int:
        """How many clients listen, by whichever technique."""
        return sum(reader.size for reader in self.readers.values())

    def flush(self) -> None:
        """Let every reader bring what is due."""
        for reader in list(self.readers.values()):
            reader.flush()

    def reader(self, key: object, make: Callable[[], R]) -> R:
        """Return the reader registered under ``key``, made on first use."""
        found = self.readers.get(key)
        if found is None:
            found = self.readers[key] = make()
        return found  # type: ignore[return-value]  # one key, one kind of reader

    def cursor(self, number: int | None = None) -> str:
        """Write the cursor after message ``number``, or of now."""
        return f"{self.log.epoch}-{self.log.last if number is None else number}"

    def resume(self, after: Cursor | None) -> tuple[int, bool]:
        """Find where a client goes on: the id it has seen, and whether there is a gap.

        ``None`` means from now. A cursor of another epoch, older than the log or ahead of it,
        is a gap: the client goes on with the oldest message that is still held.
        """
        log = self.log
        self.heard_ns = time.monotonic_ns()
        if after is None:
            return log.last, False
        if after.epoch != log.epoch or not log.first - 1 <= after.id <= log.last:
            return log.first - 1, True
        return after.id, False


class Hub:
    """All channels of a server.

    Channels are made on first use. Past ``most`` of them, or past ``most_bytes`` of history
    together, those longest unused that nobody listens to are forgotten; a client that returns
    to one finds another epoch, and so a gap notice.
    """

    def __init__(
        self,
        pacer: Pacer,
        make_log: Callable[[str], Log],
        most: int = 1000,
        most_bytes: int = 256 * 2**20,
    ) -> None:
        self.pacer = pacer
        self.channels: dict[str, Channel] = {}
        self._make_log = make_log
        self._most = most
        self._most_bytes = most_bytes
        self._until_check = 0

    def channel(self, name: str) -> Channel:
        """Return the channel of that (checked) name."""
        channel = self.channels.pop(name, None)
        if channel is None:
            channel = Channel(name, self._make_log(name), self.pacer)
            self._until_check = 0
        self.channels[name] = channel  # the newest use is last
        self._until_check -= 1
        if self._until_check < 0:
            self._until_check = 100
            self._forget()
        return channel

    def _forget(self) -> None:
        total = sum(channel.log.size for channel in self.channels.values())
        # First those that nobody ever wrote to: asking for names must not push out what was said.
        known = sorted(list(self.channels.items())[:-1], key=lambda item: item[1].log.last > 0)
        for name, channel in known:
            if len(self.channels) <= self._most and total <= self._most_bytes:
                return
            if not channel.size:
                total -= channel.log.size
                self.channels.pop(name).close()

    def close(self) -> None:
        """Forget all channels: the server ends."""
        while self.channels:
            self.channels.popitem()[1].close()

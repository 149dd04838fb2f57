"""The channel: a named topic with a log. It stamps messages and knows no transport.

What wants to hear of new messages registers a :class:`Reader` under a key of its own choosing;
after a publish, each reader's ``flush`` is called when the pacer says so, and reads what is due
from the log. So a burst is joined by itself, and nothing is queued twice.
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from servers.channels.log import Log, MemoryLog
from servers.channels.pacer import Pacer
from wire.cursor import Cursor
from wire.message import Body, Message, encode_message


class Reader(Protocol):
    """Brings a channel's new messages to the clients of one technique."""

    @property
    def size(self) -> int:
        """How many clients it serves."""

    def flush(self) -> None:
        """Bring what is due; must not wait for anybody."""


R = TypeVar("R", bound=Reader)


class Channel:
    """One topic. ``readers`` holds who listens; ``log`` holds what was said."""

    def __init__(self, name: str, log: Log, pacer: Pacer) -> None:
        self.name = name
        self.log = log
        self.readers: dict[object, Reader] = {}
        self._pacer = pacer

    def publish(
        self, body: Body, sender: str = "", sent_ns: int | None = None, presence: str = ""
    ) -> Message:
        """Stamp a message, log it, and see that its readers hear of it.

        ``sent_ns`` is the sender's monotonic time; without it, the message was sent now.
        """
        now = time.monotonic_ns()
        sent_ns = now if sent_ns is None else sent_ns
        message = Message(self.log.last + 1, sender, sent_ns, now, body, presence)
        self.log.append(encode_message(message))
        if self.readers:
            self._pacer.due(self)
        return message

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
        make_log: Callable[[], MemoryLog],
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
            channel = Channel(name, self._make_log(), self.pacer)
            self._until_check = 0
        self.channels[name] = channel  # the newest use is last
        self._until_check -= 1
        if self._until_check < 0:
            self._until_check = 100
            self._forget()
        return channel

    def _forget(self) -> None:
        total = sum(channel.log.size for channel in self.channels.values())
        for name, channel in list(self.channels.items())[:-1]:
            if len(self.channels) <= self._most and total <= self._most_bytes:
                return
            if not any(reader.size for reader in channel.readers.values()):
                total -= channel.log.size
                del self.channels[name]

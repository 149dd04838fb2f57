"""Stand-ins for what a unit test does not want to be real: a transport, a pacer, a reader."""

import asyncio
from typing import Any

from servers.channels.channel import Channel
from wire.message import Message, decode_message


class FakeTransport(asyncio.Transport):
    """Keeps what is written; tells its protocol when asked to."""

    def __init__(self, **extra: object) -> None:
        super().__init__(extra)
        self.written = b""
        self.is_aborted = self.is_closed = self.has_ended = False
        self._is_reading = True

    def write(self, data: Any) -> None:
        self.written += data

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken, self.written = self.written, b""
        return taken

    def is_closing(self) -> bool:
        return self.is_closed or self.is_aborted

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.has_ended = True

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True

    def is_reading(self) -> bool:
        return self._is_reading


class AtOnce:
    """A pacer that flushes without waiting."""

    def due(self, channel: Channel) -> None:
        channel.flush()


class Listener:
    """A reader that notes the ids up to which it was told to flush."""

    size = 1

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.channel.log.last)


def newest(channel: Channel) -> Message:
    """Return the last message that the channel holds."""
    ((_, json),) = channel.log.read(channel.log.last - 1, 0)
    message = decode_message(json)
    assert isinstance(message, Message)
    return message

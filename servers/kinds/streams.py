"""Held streams: one response, frame sequence or socket on which the server goes on writing.

A :class:`Feed` brings one channel to all streams of one framing. A stream is *live* while it keeps
up: it gets the joined bytes of each flush. Once its write buffer passes asyncio's high-water mark
(64 KiB) it is *behind* and gets nothing; when the buffer has drained it catches up from the log
at its own pace, or is told of the gap if the log has moved on, and is live again. A new subscriber
that resumes from a cursor is just one that is behind. So what a slow reader costs is bounded, and
nobody waits for it: at most 512 KiB of this process's memory (the mark, and one joined write past
it; 240 KiB is the most that was measured, a message over 256 KiB adds its own size), and twice
``--send-buffer`` in the kernel. To measure it: ``DUPLEX_DEPTH=full
pytest -s -k stalled_reader tests/unbreakable``.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from servers.channels.channel import Channel
from servers.front.ledger import Row
from servers.service import Service
from wire.message import Gap, encode_gap

_AT_ONCE = 256 * 2**10  # bytes of JSON encoded for one write
_WHILE_BEHIND = 64 * 2**10
_NOWHERE = -1  # in the place of an id: behind anything that the log holds


@dataclass(frozen=True)
class Framing:
    """How one technique writes.

    ``message`` takes the cursor after a message and its JSON, ``gap`` the JSON of a notice and its
    cursor; ``heartbeat`` is a sign of life that no client takes for a message, ``farewell`` what
    ends the stream well. Streams of equal ``key`` share their encoded bytes.
    """

    slug: str
    key: object
    message: Callable[[str, bytes], bytes]
    gap: Callable[[str, bytes], bytes]
    heartbeat: bytes = b""
    farewell: bytes = b""


class Feed:
    """One channel in one framing, and the streams that want it."""

    def __init__(self, channel: Channel, framing: Framing, row: Row) -> None:
        self.size = 0
        self._channel = channel
        self._framing = framing
        self._row = row
        self._live: dict[Stream, Callable[[bytes], None]] = {}
        self._behind: set[Stream] = set()
        self._epoch = channel.log.epoch
        self._sent = channel.log.last  # the id up to which the live streams were written

    def join(self, stream: "Stream") -> None:
        """Serve ``stream`` from its position on."""
        self._follow_epoch()
        self.size += 1
        self._behind.add(stream)
        self.catch_up(stream)

    def leave(self, stream: "Stream") -> None:
        """Serve ``stream`` no more."""
        self.size -= 1
        self._live.pop(stream, None)
        self._behind.discard(stream)
        if not self.size:
            self._channel.readers.pop(self._framing.key, None)

    def flush(self) -> None:
        """Write what is due to everybody who is live: one encoding, one write each."""
        log = self._channel.log
        self._follow_epoch()
        if not self._live:
            self._sent = log.last
        while self._sent < log.last or self._sent == _NOWHERE:
            data, self._sent, count = self._encode(self._sent, _AT_ONCE, len(self._live))
            self._row.deliveries += count * len(self._live)
            self._row.bytes_down += len(data) * len(self._live)
            # A copy, as a write may find its stream's buffer full and drop it from the live.
            for write in list(self._live.values()):
                write(data)

    def fall_behind(self, stream: "Stream") -> None:
        """Write no more to ``stream`` than what it was just given."""
        if self._live.pop(stream, None) is not None:
            stream.position = self._sent
            self._behind.add(stream)

    def catch_up(self, stream: "Stream") -> None:
        """Write to ``stream`` from the log until it is behind again, or live."""
        log = self._channel.log
        self._follow_epoch()
        while stream.is_writable() and stream not in self._live:
            if stream.position < log.last or stream.position == _NOWHERE:
                data, stream.position, count = self._encode(stream.position, _WHILE_BEHIND, 1)
                self._row.deliveries += count
                self._row.bytes_down += len(data)
                stream.transport.write(data)
            else:
                self.flush()
                self._live[stream] = stream.transport.write
                self._behind.discard(stream)

    def _follow_epoch(self) -> None:
        """Where the log has begun another life, what everybody has read is no place in it."""
        if self._epoch != self._channel.log.epoch:
            self._epoch = self._channel.log.epoch
            self._sent = _NOWHERE
            for stream in self._behind:
                stream.position = _NOWHERE

    def _encode(self, after: int, limit: int, readers: int) -> tuple[bytes, int, int]:
        channel, framing = self._channel, self._framing
        parts = []
        if after < (oldest := channel.log.first - 1):
            after = oldest
            self._row.gaps += readers
            parts.append(gap_notice(channel, framing, oldest))
        entries = channel.log.read(after, limit)
        parts += [framing.message(channel.cursor(number), json) for number, json in entries]
        return b"".join(parts), entries[-1][0] if entries else after, len(entries)


def gap_notice(channel: Channel, framing: Framing, number: int) -> bytes:
    """Encode the notice that messages up to ``number`` may be missing."""
    cursor = channel.cursor(number)
    return framing.gap(cursor, encode_gap(Gap(cursor)))


class Stream(asyncio.Protocol):
    """One held connection on which ``feed`` writes; the base of everything that streams.

    ``head`` is written first; ``start`` is where the channel goes on, as
    :meth:`~servers.channels.channel.Channel.resume` found it; ``name`` announces the client's
    presence.
    """

    __slots__ = (
        "_channel",
        "_framing",
        "_head",
        "_is_closing",
        "_is_late",
        "_is_paused",
        "_name",
        "_service",
        "feed",
        "position",
        "row",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(
        self,
        service: Service,
        framing: Framing,
        channel: Channel | None,
        head: bytes,
        start: tuple[int, bool] = (0, False),
        name: str = "",
    ) -> None:
        self._service = service
        self._framing = framing
        self._channel = channel
        self._name = name
        self._is_paused = self._is_closing = self._is_late = False
        self.feed: Feed | None = None
        self.row = service.row(framing.slug)
        self.position, has_gap = start
        if channel is not None and has_gap:
            self.row.gaps += 1
            head += gap_notice(channel, framing, self.position)
        self._head = head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        row, service = self.row, self._service
        service.ledger.sockets += 1
        service.liveness.held[self] = 0
        row.open += 1
        row.held += 1
        row.connections += 1
        self.write(self._head)
        self._head = b""
        if self._channel is not None:
            self.begin(self._channel)

    def begin(self, channel: Channel) -> None:
        """Subscribe to ``channel`` from the position on."""
        feed = channel.reader(self._framing.key, lambda: Feed(channel, self._framing, self.row))
        self._channel, self.feed = channel, feed
        self._service.presence.enter(channel, self._name, self._framing.slug)
        feed.join(self)

    def write(self, data: bytes) -> None:
        """Write ``data`` besides what the feed writes."""
        self.row.bytes_down += len(data)
        self.transport.write(data)

    def is_writable(self) -> bool:
        """Whether there is room in the write buffer, and someone to read."""
        return not (self._is_paused or self._is_closing or self.transport.is_closing())

    def data_received(self, data: bytes) -> None:
        """Ignore what a client says on a one-way stream."""
        self.row.bytes_up += len(data)

    def pause_writing(self) -> None:
        """The write buffer is full: fall behind."""
        self._is_paused = True
        if self.feed is not None:
            self.feed.fall_behind(self)

    def resume_writing(self) -> None:
        """The write buffer has drained: catch up, but not from inside somebody's write."""
        self._is_paused = False
        if self.feed is not None:
            asyncio.get_running_loop().call_soon(self.feed.catch_up, self)

    def beat(self) -> None:
        """Write a sign of life, which a reader that is behind does not need."""
        if self.is_writable() and self._framing.heartbeat:
            self.write(self._framing.heartbeat)

    def check(self) -> None:
        """End the connection if the peer's kernel is silent, or a good-bye takes a heartbeat."""
        if self._is_late or self._service.liveness.is_deaf(self):
            self.transport.abort()
        self._is_late = self._is_closing

    def finish(self) -> None:
        """End the stream as its technique does."""
        if not self._is_closing:
            if self.feed is not None:
                self.feed.fall_behind(self)
            self._is_closing = True
            self.write(self._framing.farewell)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        row, service = self.row, self._service
        self._is_closing = True
        service.ledger.sockets -= 1
        service.liveness.held.pop(self, None)
        row.open -= 1
        row.held -= 1
        if self.feed is not None and self._channel is not None:
            self.feed.leave(self)
            self.feed = None
            service.presence.leave(self._channel, self._name, self._framing.slug)

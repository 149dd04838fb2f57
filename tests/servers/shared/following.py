"""Somebody who listens by an event stream, comes again wherever it can, and checks what came."""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence

from wire.cursor import Cursor, parse_cursor
from wire.event_stream import EventStreamDecoder
from wire.http_head import END, decode_response_head

_AGAIN_S = 0.05


class Follower:
    """Follows a channel at one of several ports, and after each end at the next of them.

    ``faults`` tells what came twice, out of order, or was left out in silence.
    """

    def __init__(self, ports: Sequence[int], channel: str) -> None:
        self.ports = ports
        self.places: list[Cursor] = []  # of all messages, in the order in which they came
        self.texts: list[str] = []
        self.gaps = 0
        self.latest_s = 0.0  # the longest that a message took from being published
        self.faults: list[str] = []
        self.at: Cursor | None = None
        self.is_here = asyncio.Event()
        self._channel = channel
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        turn = 0
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._listen(self.ports[turn % len(self.ports)])
            turn += 1
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        after = f"&after={self.at}" if self.at else ""
        # By HTTP/1.0 the body is the stream itself.
        line = f"GET /sse?channel={self._channel}{after} HTTP/1.0\r\nHost: here\r\n\r\n"
        try:
            writer.write(line.encode())
            head = decode_response_head(await reader.readuntil(END))
            if head.status != 200:
                return
            if self.at is None:
                self.at = parse_cursor(head.fields["duplex-cursor"])
            self.is_here.set()
            decoder = EventStreamDecoder()
            while chunk := await reader.read(65536):
                for event in decoder.decode(chunk):
                    self._take(parse_cursor(event.last_event_id), event.type, event.data)
        finally:
            writer.transport.abort()

    def _take(self, place: Cursor, kind: str, data: str) -> None:
        assert self.at is not None
        if kind == "gap":
            self.gaps += 1
        else:
            if place != Cursor(self.at.epoch, self.at.id + 1):
                self.faults.append(f"{place} after {self.at}")
            self.places.append(place)
            message = json.loads(data)
            self.texts.append(message["text"])
            took_s = (time.monotonic_ns() - message["published_ns"]) / 1e9
            self.latest_s = max(self.latest_s, took_s)
        self.at = place

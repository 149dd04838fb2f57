"""The lecture's own publisher: what all lanes of the race receive, on a fixed schedule.

Open-loop: each message has an intended time, and its latency counts from there, whatever happens
on the way. Intervals vary evenly between half and one and a half times their mean, so that no
technique's timer can fall into step. While the stage is down, messages wait here.
"""

import asyncio
import base64
import contextlib
import itertools
import random
import struct
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

import aiohttp

from servers.answering import written
from servers.lecture.stage import CLOCK, KEY_FIELD, RACE
from servers.lecture.stage_process import StageProcess

MOST_RATE, MOST_BURST, MOST_SIZE = 100.0, 200, 1_200_000
_MOST_WAITING = 1000
_RETRY_SECONDS = 0.1
_SETTLE_SECONDS = 3.0
_AT_ONCE = 50
_SIDE = 591  # of a square picture of about 1 MB, three bytes a pixel


def picture() -> bytes:
    """Make a picture of about 1 MB: an uncompressed BMP, a colour wheel of a gradient."""
    row = (3 * _SIDE + 3) // 4 * 4
    pixels = bytearray(row * _SIDE)
    for y in range(_SIDE):
        for x in range(_SIDE):
            at = y * row + 3 * x
            pixels[at : at + 3] = bytes((255 * y // _SIDE, 120, 255 * x // _SIDE))
    size = 54 + len(pixels)
    file = struct.pack("<2sIHHI", b"BM", size, 0, 0, 54)
    info = struct.pack("<IiiHHIIiiII", 40, _SIDE, _SIDE, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return file + info + bytes(pixels)


class Source:
    """Publishes ``rate`` messages a second of ``size`` bytes; ``changed`` hears of each batch.

    ``published`` is the number of the last message that the stage took. ``channel`` is the race's,
    a fresh one for each ``preset`` that the lecturer has chosen.
    """

    def __init__(self, stage: StageProcess, changed: Callable[[], None]) -> None:
        self.rate, self.size = 0.0, 40
        self.channel, self.preset = RACE, ""
        self.published = 0
        self._stage = stage
        self._changed = changed
        self._numbers = itertools.count(1)
        self._races = itertools.count(2)
        self._waiting: deque[tuple[int, int, bytes | str]] = deque(maxlen=_MOST_WAITING)
        self._wake = asyncio.Event()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._new_rate = asyncio.Event()
        self._picture: bytes | None = None
        self._place = 0  # in the text that is written

    def state(self) -> dict[str, Any]:
        """Describe it to the page."""
        names = ("rate", "size", "published", "channel", "preset")
        return {name: getattr(self, name) for name in names}

    def set(self, rate: float, size: int) -> None:
        """Change the schedule from now on."""
        self.rate, self.size = rate, size
        self._new_rate.set()

    def begin(self, preset: str) -> None:
        """Publish to a fresh channel from now on: nobody's reload brings what was there before."""
        self.preset, self._place = preset, 0
        self.channel = f"{RACE}-{next(self._races)}"

    async def settle(self) -> None:
        """Wait until the stage has taken all that is due, but not for ever: it may be away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_empty.wait(), _SETTLE_SECONDS)

    def burst(self, count: int) -> None:
        """Publish ``count`` messages at once."""
        for _ in range(count):
            self._add(time.monotonic_ns(), self._text())

    async def send_picture(self) -> None:
        """Publish a picture as bytes."""
        if self._picture is None:
            self._picture = await asyncio.to_thread(picture)
        self._add(time.monotonic_ns(), self._picture)

    def _text(self) -> str:
        """Go on with what is being written: each message has the next ``size`` characters."""
        text = written(self._place, self.size)
        self._place += self.size
        return text

    def _add(self, sent_ns: int, body: bytes | str) -> None:
        # Numbered here, so that what falls out of the queue is missed where it should arrive.
        self._waiting.append((next(self._numbers), sent_ns, body))
        self._is_empty.clear()
        self._wake.set()

    async def run(self) -> None:
        """Keep the schedules until cancelled."""
        headers = {KEY_FIELD: self._stage.key}
        async with aiohttp.ClientSession(headers=headers) as session, asyncio.TaskGroup() as group:
            group.create_task(self._schedule())
            group.create_task(self._tick(session))
            group.create_task(self._drain(session))

    async def _schedule(self) -> None:
        due = time.monotonic()
        wait: float | None
        while True:
            self._new_rate.clear()
            if self.rate:
                self._add(round(due * 1e9), self._text())
                due += (0.5 + random.random()) / self.rate
                wait = max(due - time.monotonic(), 0)
            else:
                wait = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._new_rate.wait()
                due = time.monotonic()  # a new schedule begins now

    async def _tick(self, session: aiohttp.ClientSession) -> None:
        """Tell the time about once a second on a channel of its own, for the living examples.

        As irregularly as the race's messages, and so to a tenth of a second: beside a steady
        tick, whoever asks each second would be always early or always late.
        """
        while True:
            await asyncio.sleep(0.5 + random.random())
            now = datetime.now().isoformat(" ", "milliseconds")[11:21]
            order = {"text": now, "sender": "clock", "sent_ns": time.monotonic_ns()}
            await self._post(session, CLOCK, [order])

    async def _drain(self, session: aiohttp.ClientSession) -> None:
        while True:
            while not self._waiting:
                self._is_empty.set()
                self._wake.clear()
                await self._wake.wait()
            batch: list[dict[str, Any]] = []
            while self._waiting and len(batch) < _AT_ONCE:
                number, sent_ns, body = self._waiting.popleft()
                batch.append(self._order(number, sent_ns, body))
                if isinstance(body, bytes):
                    break
            await self._post(session, self.channel, batch)
            self.published = number
            self._changed()

    def _order(self, number: int, sent_ns: int, body: bytes | str) -> dict[str, Any]:
        order: dict[str, Any] = {"sender": f"source {number}", "sent_ns": sent_ns}
        if isinstance(body, bytes):
            return order | {"base64": base64.b64encode(body).decode()}
        return order | {"text": body}

    async def _post(
        self, session: aiohttp.ClientSession, channel: str, messages: list[dict[str, Any]]
    ) -> None:
        """Publish; where the stage is away, try until it is back."""
        order = {"channel": channel, "messages": messages}
        while True:
            if await self._try_post(session, order):
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _try_post(self, session: aiohttp.ClientSession, order: dict[str, Any]) -> bool:
        url = f"http://127.0.0.1:{self._stage.port}/stage/publish"
        # Several workers get the batches dealt out, by a connection for each.
        fields = {"Connection": "close"} if self._stage.workers > 1 else {}
        timeout = aiohttp.ClientTimeout(5)
        try:
            async with session.post(url, json=order, headers=fields, timeout=timeout) as answer:
                return answer.status == 201
        except (aiohttp.ClientError, TimeoutError):
            return False

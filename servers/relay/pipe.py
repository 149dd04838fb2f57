"""One direction of a relayed connection: a queue in which bytes wait until they are due.

    source socket -> Side.data_received -> Pipe.put -> ... delay ... -> Pipe.release -> sink socket

The delay is fixed when bytes arrive. Bandwidth and stall act where they leave, hence at once when
the link changes: a line that is freed does not have to work off an old, slow schedule.
"""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from servers.relay.trace import Direction

End = Literal["eof", "reset"]

_CATCH_UP_NS: Final = 5_000_000  # timers fire late; without it a slow line would be slower still
_SLOWEST_PIECE: Final = 64  # bytes
_UPKEEP: Final = 128  # bytes that a waiting piece costs beside its own: a flood of tiny ones
# Far beyond any line, and far below what a timer or a clock in ns could not count.
_MOST_DELAY_S: Final = 3600.0
_MOST_BYTES_PER_S: Final = 1e12


@dataclass(frozen=True, slots=True)
class Link:
    """What the line is like, each way. Raises :class:`ValueError` for what no line can be.

    ``delay_s`` is one way; opening a connection costs a round trip before its first byte may go up.
    ``jitter_s`` lets each piece take up to so much longer, evenly by chance; what follows never
    overtakes it, as TCP would not let it. ``stalled`` freezes the line: bytes wait, none is lost.
    ``down`` refuses new connections (accepted, then reset) and leaves those alone that are open:
    cut or stall them. ``up_delay_s``, ``down_delay_s``, ``up_bytes_per_s`` and
    ``down_bytes_per_s`` are for one way alone; ``None`` leaves it as it is each way.
    """

    delay_s: float = 0.0
    bytes_per_s: float | None = None
    stalled: bool = False
    down: bool = False
    jitter_s: float = 0.0
    up_delay_s: float | None = None
    down_delay_s: float | None = None
    up_bytes_per_s: float | None = None
    down_bytes_per_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("delay_s", "jitter_s", "up_delay_s", "down_delay_s"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= _MOST_DELAY_S:
                raise ValueError(f"{name} must be 0 to {_MOST_DELAY_S:g} s, not {_short(value)}")
        for name in ("bytes_per_s", "up_bytes_per_s", "down_bytes_per_s"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= _MOST_BYTES_PER_S:
                raise ValueError(
                    f"{name} must be 1 to {_MOST_BYTES_PER_S:g}, or None for no limit, "
                    f"not {_short(value)}"
                )

    def delay(self, direction: Direction) -> float:
        """Return the delay of a piece that goes this way now, in seconds."""
        own = self.up_delay_s if direction == "up" else self.down_delay_s
        least = self.delay_s if own is None else own
        return least + random.uniform(0, self.jitter_s) if self.jitter_s else least

    def rate(self, direction: Direction) -> float | None:
        """Return how many bytes a second go this way, ``None`` without a limit."""
        own = self.up_bytes_per_s if direction == "up" else self.down_bytes_per_s
        return self.bytes_per_s if own is None else own


def _short(value: float) -> str:
    # A whole number from JSON may have thousands of digits, which Python would not write.
    return f"{value:g}" if isinstance(value, float) or abs(value) < 2**53 else "one so large"


class Line:
    """The link as it is now, and until when each direction of it is taken."""

    def __init__(self, link: Link, buffer_bytes: int) -> None:
        self.buffer_bytes = buffer_bytes
        self.set(link)

    def set(self, link: Link) -> None:
        """Change the line; what was booked on the old one is void."""
        self.link = link
        self._free_ns: dict[Direction, int] = {"up": 0, "down": 0}

    def book(self, direction: Direction, due_ns: int, now: int, size: int) -> tuple[int, int]:
        """Take the line for a piece of ``size`` bytes: when it is through, and its length."""
        rate = self.link.rate(direction)
        if rate is None or size == 0:
            return now, size
        size = min(size, max(_SLOWEST_PIECE, int(rate / 50)))
        start = max(due_ns, self._free_ns[direction], now - _CATCH_UP_NS)
        self._free_ns[direction] = start + math.ceil(size / rate * 1e9)
        return self._free_ns[direction], size


@dataclass(slots=True)
class _Waiting:
    entered_ns: int
    due_ns: int
    data: bytes | memoryview
    end: End | None = None


class Pipe:
    """Carries bytes one way: in order, delayed, paced, and never more than the line's buffer.

    ``admit(size)`` says how many bytes may pass now; ``passed(data, entered_ns)`` is told of the
    bytes handed to the sink; ``ended(sink, end, entered_ns)`` of the end of this direction; and
    ``came(data, end, entered_ns)``, if it is given, of all that enters.
    """

    def __init__(
        self,
        direction: Direction,
        line: Line,
        admit: Callable[[int], int],
        passed: Callable[[bytes, int], None],
        ended: Callable[[asyncio.Transport, End, int], None],
        came: Callable[[bytes, End | None, int], None] | None = None,
    ) -> None:
        self.waiting = 0  # bytes
        self.opens_ns = 0  # nothing could have been sent before
        self._direction: Direction = direction
        self._line = line
        self._admit, self._passed, self._ended, self._came = admit, passed, ended, came
        self._queue: deque[_Waiting] = deque()
        self._slot: tuple[int, int] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = False
        self.source: asyncio.Transport | None = None
        self.sink: asyncio.Transport | None = None
        self.sink_full = False

    def put(self, data: bytes, end: End | None = None) -> None:
        """Take what arrived. With a shorter delay now than before it still waits its turn."""
        if self._dropped:
            return
        now = time.monotonic_ns()
        if self._came is not None:
            self._came(data, end, now)
        due_ns = max(now, self.opens_ns) + round(self._line.link.delay(self._direction) * 1e9)
        self._queue.append(_Waiting(now, due_ns, data, end))
        self.waiting += len(data)
        self._throttle()
        if self._timer is None:
            self.release()

    def changed(self) -> None:
        """The link is another one now: look again at what may pass."""
        self._slot = None
        self.release()

    def release(self) -> None:
        """Pass on what is due, and set the timer for the rest."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue and self._may_write():
            head, now = self._queue[0], time.monotonic_ns()
            if now < head.due_ns:
                return self._wait_until(head.due_ns)
            if self._slot is None:
                self._slot = self._line.book(self._direction, head.due_ns, now, len(head.data))
            ready_ns, size = self._slot
            if now < ready_ns:
                return self._wait_until(ready_ns)
            self._slot = None
            self._pass_on(head, size)

    def drop(self) -> None:
        """Forget what waits and take nothing more: an end of this pipe is gone."""
        self._dropped = True
        self._queue.clear()
        self.waiting = 0
        self.sink = None
        self.release()  # cancels the timer

    def _may_write(self) -> bool:
        return not (
            self.sink is None or self.sink.is_closing() or self.sink_full or self._line.link.stalled
        )

    def _pass_on(self, head: _Waiting, size: int) -> None:
        assert self.sink is not None
        if head.end is not None:
            self._queue.popleft()
            return self._ended(self.sink, head.end, head.entered_ns)
        size = self._admit(size)
        data = bytes(head.data[:size])
        if size == len(head.data):
            self._queue.popleft()
        else:
            head.data = memoryview(head.data)[size:]
        self.waiting -= size
        self.sink.write(data)
        self._passed(data, head.entered_ns)
        self._throttle()

    def _throttle(self) -> None:
        if self.source is None or self.source.is_closing():
            return
        held = self.waiting + _UPKEEP * len(self._queue)
        if held >= self._line.buffer_bytes:
            self.source.pause_reading()
        elif held <= self._line.buffer_bytes // 2:
            self.source.resume_reading()

    def _wait_until(self, t_ns: int) -> None:
        # The loop's clock is time.monotonic(); should it fire early, release() waits again.
        self._timer = asyncio.get_running_loop().call_at(t_ns / 1e9, self.release)


class Side(asyncio.Protocol):
    """One of the two sockets: feeds the pipe that starts here, drains the one that ends here."""

    def __init__(
        self,
        feeds: Pipe,
        drains: Pipe,
        made: Callable[[asyncio.Transport], None],
        lost: Callable[[asyncio.Transport], None],
    ) -> None:
        self._feeds, self._drains, self._made, self._lost = feeds, drains, made, lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the socket to its two pipes."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._feeds.source = self._drains.sink = transport
        self._made(transport)
        self._drains.release()

    def data_received(self, data: bytes) -> None:
        """Send the bytes on their way."""
        self._feeds.put(data)

    def eof_received(self) -> bool:
        """Send the end on its way; the other direction stays open."""
        self._feeds.put(b"", "eof")
        return True

    def pause_writing(self) -> None:
        """The peer reads too slowly: bytes wait in the pipe, and then at their sender."""
        self._drains.sink_full = True

    def resume_writing(self) -> None:
        """The peer reads again.

        What may pass does so a little later: should the end be among it, asyncio, in the middle of
        a write, would tell twice that the connection is lost.
        """
        self._drains.sink_full = False
        asyncio.get_running_loop().call_soon(self._drains.release)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the other side after the delay; nothing can be written here any more."""
        self._drains.drop()
        self._feeds.source = None
        try:
            self._feeds.put(b"", "reset")
        finally:  # who is not told of the end waits for it at the relay's own
            self._lost(self._transport)

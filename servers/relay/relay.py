"""A TCP relay that plays the network between clients and a server.

    clients -> Relay (delay, jitter, bandwidth, stall, cut; counts, trace, capture) -> server

As a process ``python -m servers.relay --to 127.0.0.1:8000 --delay-ms 25``; in a running loop::

    async with Relay("127.0.0.1", 8000, link=Link(delay_s=0.025)) as relay:
        ...  # connect to relay.port
        relay.link = Link(delay_s=0.025, stalled=True)

It knows TCP only, no HTTP. Rules:

* what goes in comes out: same bytes, same order, half-close too (an end waits like bytes do);
* all connections of a relay share one line: ``bytes_per_s`` is for all of them together, each way;
* no packet is ever lost: to TCP that is a delay of what follows, which ``jitter_s`` plays;
* memory is bounded: ``buffer_bytes`` for each direction of a connection (and one read of up to
  256 KiB); past it the relay stops reading and TCP tells the sender. What is under way counts as
  held, so one connection carries at most ``buffer_bytes`` per ``delay_s``. Where ``most_held`` is
  given, many connections share so many bytes; ``places`` bounds how many of one address there are;
* a byte counts, and is traced, when it is handed to the socket of the other side;
* opening a connection costs a round trip, as on a real line: the first bytes up wait for it;
* an asyncio loop, best of :mod:`servers.relay.loop`, and not uvloop, whose timers may fire early;
  call it in the loop's thread only. asyncio sets TCP_NODELAY on both sides, as on all TCP.
"""

import asyncio
import itertools
from collections import deque
from dataclasses import dataclass
from typing import Final, Self

from servers.front.listening import listen
from servers.front.places import Places
from servers.relay.capture import Capture
from servers.relay.connection import Connection, ConnectionCount
from servers.relay.pipe import Line, Link
from servers.relay.trace import Direction, Trace

__all__ = ["ConnectionCount", "Connections", "Link", "Relay"]

_SOCKETS_EACH: Final = 2  # of a connection: the client's and the server's
_LEAST_BUFFER: Final = 64 * 2**10
_KEPT: Final = 1000  # closed connections whose counts are remembered one by one


@dataclass(frozen=True, slots=True)
class Connections:
    """A reading of the counters: totals since the start, and ``each`` with the last closed."""

    opened: int
    open: int
    refused: int
    bytes_up: int
    bytes_down: int
    each: tuple[ConnectionCount, ...]


@dataclass(slots=True)
class _CutRule:
    left: int
    connection: int | None
    reset: bool


class Relay:
    """Listens on ``listen:port`` (0: any free one) and relays to ``host:to_port``."""

    def __init__(
        self,
        host: str,
        to_port: int,
        *,
        port: int = 0,
        link: Link | None = None,
        buffer_bytes: int = 1 << 20,
        trace: Trace | None = None,
        capture: Capture | None = None,
        listen: str = "127.0.0.1",
        places: Places | None = None,
        most_held: int | None = None,
    ) -> None:
        self.host, self.to_port, self.port = host, to_port, port
        self._listen = listen
        self.trace = Trace() if trace is None else trace
        self.capture = capture
        self.line = Line(Link() if link is None else link, buffer_bytes)
        self._places = places
        self._buffer_bytes, self._most_held = buffer_bytes, most_held
        self._live: dict[int, Connection] = {}
        self._closed: deque[ConnectionCount] = deque(maxlen=_KEPT)
        self._numbers = itertools.count(1)
        self._opened = self._refused = self._bytes_up = self._bytes_down = 0
        self._cut_rule: _CutRule | None = None
        self._server: asyncio.Server | None = None
        self._all_gone = asyncio.Event()

    async def start(self) -> None:
        """Listen; :attr:`port` is the real one afterwards. Raises :class:`OSError` if taken."""
        if self._server is not None:
            raise RuntimeError("this relay was started before: make a new one")
        self._server = await listen(
            lambda: Connection(self, next(self._numbers)).client_side, self._listen, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset what is open; no task and no socket is left afterwards."""
        if self._server is None:
            return
        self._server.close()
        await asyncio.sleep(0)  # what was accepted in this turn of the loop appears in _live
        while self._live:
            self._all_gone.clear()
            for connection in tuple(self._live.values()):
                connection.close(reset=True)
            await self._all_gone.wait()
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def link(self) -> Link:
        """The line as it is now; assign another :class:`Link` to change it.

        The delay holds for bytes that arrive from then on; all the rest changes at once.
        """
        return self.line.link

    @link.setter
    def link(self, link: Link) -> None:
        self.line.set(link)
        for connection in tuple(self._live.values()):
            connection.up.changed()
            connection.down.changed()

    @property
    def connections(self) -> Connections:
        """Read the counters."""
        still_open = [c.count() for c in self._live.values() if c.open]
        return Connections(
            self._opened,
            len(still_open),
            self._refused,
            self._bytes_up,
            self._bytes_down,
            (*self._closed, *still_open),
        )

    def cut(self, connection: int | None = None, *, reset: bool = True) -> int:
        """Cut one connection or all, on both sides; return how many. Bytes in the relay are lost.

        With ``reset`` both sides see RST, else FIN, after what was already handed over.
        """
        chosen = [c for c in self._live.values() if c.open and connection in (None, c.number)]
        for c in chosen:
            c.close(reset=reset)
        return len(chosen)

    def cut_after(
        self, down_bytes: int, connection: int | None = None, *, reset: bool = False
    ) -> None:
        """Cut, once, the connection on which the ``down_bytes``-th byte down from now passes.

        That byte is the last one that is handed to the client. Counted over all connections, or
        on ``connection`` alone. A new call replaces the one before. FIN by default: RST may
        overtake the last bytes in the kernel.
        """
        if down_bytes < 1:
            raise ValueError(f"down_bytes must be 1 or more, not {down_bytes}; cut() cuts now")
        self._cut_rule = _CutRule(down_bytes, connection, reset)

    # What follows is for the connections of this relay.

    def admit_down(self, number: int, size: int) -> int:
        """How many of ``size`` bytes may go down before a cut is due."""
        rule = self._cut_rule
        return min(size, rule.left) if rule and rule.connection in (None, number) else size

    def passed(self, connection: Connection, direction: Direction, size: int) -> None:
        """Count bytes that were handed over, and cut where that was agreed."""
        if direction == "up":
            self._bytes_up += size
            return
        self._bytes_down += size
        rule = self._cut_rule
        if rule and rule.connection in (None, connection.number):
            rule.left -= size
            if rule.left == 0:
                self._cut_rule = None
                connection.close(reset=rule.reset)

    def appeared(self, connection: Connection) -> bool:
        """Take a new connection in; false where it has to be refused."""
        self._live[connection.number] = connection
        if self._places is not None:
            connection.has_place = self._places.take(connection.address, _SOCKETS_EACH)
        self._share_buffer()
        is_full = self._places is not None and not connection.has_place
        refuse = is_full or self.link.down or not (self._server and self._server.is_serving())
        if refuse:
            self._refused += 1
        else:
            self._opened += 1
        return not refuse

    def gone(self, connection: Connection) -> None:
        """Forget a connection that holds no socket and no task any more."""
        self._live.pop(connection.number, None)
        if self._places is not None and connection.has_place:
            self._places.give(connection.address, _SOCKETS_EACH)
            connection.has_place = False
        self._share_buffer()
        if not self._live:
            self._all_gone.set()

    def _share_buffer(self) -> None:
        if self._most_held is not None:
            share = self._most_held // max(len(self._live), 1)
            self.line.buffer_bytes = min(max(share, _LEAST_BUFFER), self._buffer_bytes)

    def remember(self, count: ConnectionCount) -> None:
        """Keep the last reading of a closed connection."""
        self._closed.append(count)

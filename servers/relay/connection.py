"""One relayed connection: two sockets, the two pipes between them, and what passed."""

import asyncio
import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from servers.relay.capture import Capture
from servers.relay.pipe import End, Line, Pipe, Side
from servers.relay.trace import Direction, Kind, Trace

_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # close with RST


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """The bytes of one connection; ``waiting`` are those in the relay now, both ways."""

    number: int
    client_port: int
    open: bool
    bytes_up: int
    bytes_down: int
    waiting: int


class Owner(Protocol):
    """What a connection knows of the relay that it is a part of."""

    host: str
    to_port: int
    line: Line
    trace: Trace
    capture: Capture | None

    def appeared(self, connection: "Connection") -> bool:
        """A client has come; false where it may not stay."""

    def admit_down(self, number: int, size: int) -> int:
        """Return how many of ``size`` bytes may still pass down."""

    def passed(self, connection: "Connection", direction: Direction, size: int) -> None:
        """Count bytes that were handed on."""

    def remember(self, count: ConnectionCount) -> None:
        """Keep the last reading of a closed connection."""

    def gone(self, connection: "Connection") -> None:
        """Forget a connection that holds no socket and no task any more."""


class Connection:
    """Two sockets and the two pipes between them."""

    def __init__(self, relay: Owner, number: int) -> None:
        self.number = number
        self.address = ""
        self.has_place: bool | None = None  # None where places are not counted
        self.open = False
        self._relay = relay
        self._client_port = 0
        self._bytes: dict[Direction, int] = {"up": 0, "down": 0}
        self._ended = 0
        self._closed = False
        self._transports: list[asyncio.Transport] = []
        self._task: asyncio.Task[None] | None = None
        self.up = self._pipe("up", lambda size: size)
        self.down = self._pipe("down", lambda size: relay.admit_down(number, size))
        self.client_side = Side(self.up, self.down, self._accepted, self._lost)

    def count(self) -> ConnectionCount:
        """Read the counters."""
        waiting = self.up.waiting + self.down.waiting
        up, down = self._bytes["up"], self._bytes["down"]
        return ConnectionCount(self.number, self._client_port, self.open, up, down, waiting)

    def close(self, *, reset: bool) -> None:
        """Let both sockets go, with RST or FIN. Closing again hastens a FIN that hangs."""
        was_open, self.open, self._closed = self.open, False, True
        self.up.drop()
        self.down.drop()
        if self._task is not None:
            self._task.cancel()
        for transport in self._transports:
            _reset(transport) if reset else transport.close()
        if was_open:
            self._record("close")
            self._relay.remember(self.count())
        if self._relay.capture is not None:
            self._relay.capture.closed(self, time.monotonic_ns(), "down" if reset else None)

    def _pipe(self, direction: Direction, admit: Callable[[int], int]) -> Pipe:
        def passed(data: bytes, entered_ns: int) -> None:
            self._bytes[direction] += len(data)
            self._record(direction, entered_ns, data)
            self._capture(direction, entered_ns, data)
            self._relay.passed(self, direction, len(data))

        def ended(sink: asyncio.Transport, end: End, entered_ns: int) -> None:
            if end == "reset":
                return self.close(reset=True)
            self._record(direction, entered_ns)
            self._capture(direction, entered_ns)
            with contextlib.suppress(OSError):  # the other side has gone meanwhile
                sink.write_eof()
            self._ended += 1
            if self._ended == 2:
                self.close(reset=False)

        captured = direction == "up" and self._relay.capture is not None
        came = self._capture_sent if captured else None
        return Pipe(direction, self._relay.line, admit, passed, ended, came)

    def _capture_sent(self, data: bytes, end: End | None, now: int) -> None:
        assert self._relay.capture is not None
        sent = max(now, self.up.opens_ns)
        if end == "reset":
            self._relay.capture.closed(self, sent, "up")
        else:
            self._relay.capture.sent(self, data, len(data), sent)

    def _capture(self, direction: Direction, entered_ns: int, data: bytes = b"") -> None:
        """Tell a capture what was handed on; without data that was an end."""
        capture, now = self._relay.capture, time.monotonic_ns()
        if capture is None:
            return
        if direction == "down":
            capture.received(self, data, len(data), entered_ns, now)
        else:
            back = now + round(self._relay.line.link.delay("down") * 1e9)
            capture.reached(self, len(data), max(entered_ns, self.up.opens_ns), now, back)
        capture.write(now)

    def _record(self, kind: Kind, entered_ns: int | None = None, data: bytes = b"") -> None:
        now = time.monotonic_ns()
        self._relay.trace.record(kind, self.number, self._client_port, now, entered_ns, data)

    def _accepted(self, transport: asyncio.Transport) -> None:
        self._transports.append(transport)
        peer = transport.get_extra_info("peername") or ("", 0)  # gone already
        self.address, self._client_port = peer[0], peer[1]
        if self._relay.appeared(self):
            self.open = True
            self._record("open")
            # On a real line a client may send only when its SYN has been answered: one round
            # trip, which the relay's own kernel has answered at once.
            link = self._relay.line.link
            round_trip_ns = round((link.delay("up") + link.delay("down")) * 1e9)
            now = time.monotonic_ns()
            self.up.opens_ns = now + round_trip_ns
            if self._relay.capture is not None:
                server = transport.get_extra_info("sockname")
                self._relay.capture.opened(self, peer[:2], server[:2], now, self.up.opens_ns)
            self._task = asyncio.get_running_loop().create_task(self._connect())
        else:
            if self.has_place is not False:  # else anybody could fill the trace with refusals
                self._record("refused")
            self.close(reset=True)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: Side(self.down, self.up, self._connected, self._lost),
                self._relay.host,
                self._relay.to_port,
            )
        except OSError:  # no server there: the client learns it as from a refused connection
            self._task = None
            self.close(reset=True)
        finally:
            self._task = None
            self._forget_if_gone()

    def _connected(self, transport: asyncio.Transport) -> None:
        self._transports.append(transport)
        if self._closed:
            transport.abort()

    def _lost(self, transport: asyncio.Transport) -> None:
        self._transports.remove(transport)
        self._forget_if_gone()

    def _forget_if_gone(self) -> None:
        if self._closed and not self._transports and self._task is None:
            self._relay.gone(self)


def _reset(transport: asyncio.Transport) -> None:
    with contextlib.suppress(OSError):  # the peer may have been faster
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    transport.abort()

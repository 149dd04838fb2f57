"""Finding peers that are gone without a word.

A peer whose cable was pulled closes nothing. It is found by writing to it and seeing that nothing
comes back. At every heartbeat something is written on each held connection (a comment, an empty
line, a ping); half a heartbeat later it is checked whether that was acknowledged: a WebSocket by
its pong or whatever else it sends, anything else by the kernel, which knows what the peer's kernel
has acknowledged (``TCP_INFO``, Linux). So the dead are found within one and a half heartbeats. Held
polls, on which nothing may be written, leave it to TCP keep-alive, set on the listening socket.

A slow reader is not dead: its kernel acknowledges, and only its window is closed.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Protocol

# Offsets into struct tcp_info (linux/tcp.h): tcpi_probes, which are those without an answer yet,
# tcpi_last_ack_recv in ms, tcpi_bytes_acked, and tcpi_bytes_sent with tcpi_bytes_retrans in it.
_PROBES = 3
_LAST_ACK = struct.Struct("<56xI")
_BYTES_ACKED = struct.Struct("<120xQ")
_BYTES_SENT = struct.Struct("<200xQQ")
_SLICE = 200  # connections looked at in one turn of the loop


class Living(Protocol):
    """A held connection."""

    transport: asyncio.Transport

    def beat(self) -> None:
        """Write a sign of life."""

    def check(self) -> None:
        """End the connection if the last sign of life was not answered."""

    def finish(self) -> None:
        """Say good-bye as the technique does, and close."""


class Liveness:
    """Goes round all held connections: writes at every heartbeat (seconds), checks in between.

    ``held`` tells of each how many bytes had been sent to it at its last beat, and is also the list
    of whom to say good-bye to when the server stops; ``rounds`` are called after each check.
    """

    def __init__(self, heartbeat: float) -> None:
        self.heartbeat = heartbeat
        self.held: dict[Living, int] = {}
        self.rounds: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin the rounds."""
        self._task = asyncio.create_task(self._go_round())

    async def stop(self) -> None:
        """End the rounds."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def is_deaf(self, living: Living) -> bool:
        """Whether the peer's kernel acknowledges nothing any more, as far as ours can tell.

        What was sent since the last beat is not asked for: its acknowledgement may be on its way.
        """
        try:
            info = _tcp_info(living.transport)
        except OSError:
            return True
        if not info:
            return False
        (acknowledged,) = _BYTES_ACKED.unpack_from(info)
        (silent_ms,) = _LAST_ACK.unpack_from(info)
        # A closed window leaves nothing unacknowledged, as what waits has not been sent; the peer's
        # kernel then answers each probe of ours, or is gone.
        is_owed = acknowledged < self.held.get(living, 0) or info[_PROBES] >= 2
        return is_owed and bool(silent_ms >= self.heartbeat * 400)

    def _beat(self, living: Living) -> None:
        living.beat()
        with contextlib.suppress(OSError):  # it ended just now
            info = _tcp_info(living.transport)
            if info and living in self.held:
                sent, again = _BYTES_SENT.unpack_from(info)
                self.held[living] = sent - again

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(self.heartbeat / 2)
            await self._each(self._beat)
            await asyncio.sleep(self.heartbeat / 2)
            await self._each(lambda living: living.check())
            for around in self.rounds:
                around()

    async def _each(self, do: Callable[[Living], None]) -> None:
        everyone = list(self.held)
        for start in range(0, len(everyone), _SLICE):
            for living in everyone[start : start + _SLICE]:
                if living in self.held:
                    do(living)
            await asyncio.sleep(0)


def _tcp_info(transport: asyncio.Transport) -> bytes:
    """Return as much of struct tcp_info as is read here; nothing where a system has less."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_INFO"):
        return b""
    info: bytes = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_SENT.size)
    return info if len(info) == _BYTES_SENT.size else b""

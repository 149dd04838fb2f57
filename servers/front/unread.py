"""Answers that nobody takes: how much of them is held, and for how long.

A peer that reads slowly is served; one that takes nothing at all is left. What is large must find
room in the budget for as long as it waits.
"""

import asyncio
import time
from dataclasses import dataclass

from servers.front.budget import Budget

_ROUND_SECONDS = 1.0
_UNREAD_SECONDS = 20.0  # without a byte taken
_LARGE = 16 * 2**10  # what is smaller fits into the kernel's buffers


@dataclass(slots=True)
class _Waiting:
    held: int
    left: int
    since: float
    is_stream: bool


class Unread:
    """Watches the transports that answers were written to."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._waiting: dict[asyncio.WriteTransport, _Waiting] = {}
        self._timer: asyncio.TimerHandle | None = None

    def owe(self, transport: asyncio.WriteTransport, size: int, is_stream: bool = False) -> bool:
        """Watch ``transport``, to which ``size`` bytes are to be written; false without room.

        A stream is watched to its end, anything else until it was read.
        """
        if not is_stream and size < _LARGE and not transport.get_write_buffer_size():
            return True
        waiting = self._waiting.get(transport)
        held = waiting.held if waiting else 0
        if not self._budget.change(held, held + size):
            return False
        if waiting is None:
            self._waiting[transport] = _Waiting(size, 0, time.monotonic(), is_stream)
        else:
            waiting.held += size
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_ROUND_SECONDS, self._go_round)
        return True

    def _go_round(self) -> None:
        now = time.monotonic()
        for transport, waiting in list(self._waiting.items()):
            left = transport.get_write_buffer_size()
            if not left and (transport.is_closing() or not waiting.is_stream):
                self._budget.change(waiting.held, 0)
                del self._waiting[transport]
            elif left < waiting.left or not left:
                waiting.since = now
            elif now - waiting.since > _UNREAD_SECONDS:
                transport.abort()
            waiting.left = left
        again = asyncio.get_running_loop().call_later
        self._timer = again(_ROUND_SECONDS, self._go_round) if self._waiting else None

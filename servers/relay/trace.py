"""What passed through the relay and when: a bounded ring of events.

Sequence diagrams and the byte viewer are drawn from it. It holds the last ``limit`` events and
of each the first ``bytes_each`` bytes, beside the true length: memory is bounded however long
the relay runs.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down"]
Kind = Literal["open", "up", "down", "close", "refused"]


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One thing that happened on a relayed connection.

    ``kind`` is ``up`` (client to server) or ``down`` for bytes that passed, with length 0 for the
    end of that direction (FIN); ``open``, ``close`` and ``refused`` tell of the connection itself.
    The bytes reached the relay at ``entered_ns`` and left it at ``t_ns`` (both the monotonic clock
    of the host), so an arrow in a diagram may lean. ``seq`` counts from 1 without holes.
    """

    seq: int
    t_ns: int
    entered_ns: int
    connection: int
    client_port: int
    kind: Kind
    length: int
    data: bytes


class Trace:
    """The last events, oldest first; iterate over it, or ask for what came after a ``seq``."""

    def __init__(self, limit: int = 4096, bytes_each: int = 4096) -> None:
        self.limit, self.bytes_each = limit, bytes_each
        self._events: deque[TraceEvent] = deque(maxlen=limit)
        self._last = 0

    def __iter__(self) -> Iterator[TraceEvent]:
        return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    @property
    def last_seq(self) -> int:
        """The ``seq`` of the newest event, 0 before there is one."""
        return self._last

    def after(self, seq: int) -> tuple[TraceEvent, ...]:
        """The events newer than ``seq``. Those that left the ring are missing: see their seqs."""
        newer = min(max(self._last - seq, 0), len(self._events))
        return tuple(self._events[i] for i in range(-newer, 0))

    def record(
        self,
        kind: Kind,
        connection: int,
        client_port: int,
        t_ns: int,
        entered_ns: int | None = None,
        data: bytes = b"",
    ) -> None:
        """Add an event. What did not wait in the relay has no ``entered_ns`` of its own."""
        self._last += 1
        self._events.append(
            TraceEvent(
                self._last,
                t_ns,
                t_ns if entered_ns is None else entered_ns,
                connection,
                client_port,
                kind,
                len(data),
                data[: self.bytes_each],
            )
        )

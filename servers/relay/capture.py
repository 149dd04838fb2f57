"""What passed a relay, as the packets that a capture beside its clients would have seen.

The relay sees bytes and when they came and went; the packets around them are made here: the three
that open a connection, segments of what an Ethernet would carry, acknowledgements, ends. Times are
those at the client: what it sends is stamped when it leaves there, what it gets when it arrives,
so a line's delay stands between a question and its answer. Bytes of the client that never reach
the server (a cut) stand in the capture all the same: the client did send them.
"""

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from servers.relay.trace import Direction, TraceEvent
from wire.pcapng import Packet, encode_packet, encode_start
from wire.tcp_packets import SEGMENT, Flag, Segment, encode_segment

_INTERFACE: Final = "the relay's line, at its clients' end"


class Sink(Protocol):
    """Where a capture is written."""

    def write(self, data: bytes, /) -> object:
        """Take bytes of the file."""


@dataclass(slots=True)
class _Side:
    """One end of a connection, in the numbers of its packets."""

    address: tuple[str, int]
    first: int  # the sequence number of its SYN
    sent: int = 0  # sequence numbers used so far
    acknowledges: int = 0  # sequence numbers of the other side
    echoes: int = 0  # the other side's latest timestamp, in ms


@dataclass(slots=True)
class _Talk:
    client: _Side
    server: _Side
    reached: deque[tuple[int, int, int]] = field(default_factory=deque)
    total: int = 1  # of the client's sequence numbers that reached the server
    over: bool = False  # by RST


class Capture:
    """Writes a pcapng file to ``sink`` while the relay runs; :meth:`write` it to its end then.

    All moments are in monotonic ns, packets are in the order of their times. ``packets`` and
    ``data_bytes`` count what was written, the latter without heads.
    """

    def __init__(self, sink: Sink) -> None:
        self.packets = self.data_bytes = self._seen = 0
        self._sink = sink
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._talks: dict[Hashable, _Talk] = {}
        self._later: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        sink.write(encode_start(_INTERFACE))

    def opened(
        self, key: Hashable, client: tuple[str, int], server: tuple[str, int], came: int, ready: int
    ) -> None:
        """A client ``came`` and may send when it is ``ready``, a round trip later.

        By its ``key`` the connection is known from then on.
        """
        talk = self._talks[key] = self._talk(client, server)

        def answer(now: int) -> None:
            talk.server.acknowledges, talk.server.echoes = 1, _ms(came)
            self._put(talk, talk.server, Flag.SYN | Flag.ACK, now)
            self._hear(talk, now)
            self._put(talk, talk.client, Flag.ACK, now)

        self._at(came, lambda now: self._put(talk, talk.client, Flag.SYN, now))
        self._at(ready, answer)

    def joined(self, key: Hashable, client: tuple[str, int], server: tuple[str, int]) -> None:
        """A connection has been open for long; what it had said is unknown."""
        talk = self._talks[key] = self._talk(client, server)
        for side in (talk.client, talk.server):
            side.sent = side.acknowledges = 1

    def sent(self, key: Hashable, data: bytes, length: int, now: int) -> None:
        """The client sent ``length`` bytes now, of which ``data`` are the first; 0 for its end."""
        if talk := self._talks.get(key):
            self._at(now, lambda now: self._say(talk, talk.client, data, length, now))

    def reached(self, key: Hashable, length: int, sent: int, now: int, back: int) -> None:
        """Of what was ``sent`` then, so much is at the server; who learns it when it is ``back``.

        A ``length`` of 0 is the client's end.
        """
        if talk := self._talks.get(key):
            total = talk.total = talk.total + (length or 1)
            talk.reached.append((now, total, _ms(sent)))

            def acknowledge(then: int) -> None:
                if talk.server.acknowledges < total:  # else data has told so before
                    self._learn(talk, now)
                    self._put(talk, talk.server, Flag.ACK, then)

            self._at(max(now, back), acknowledge)

    def received(self, key: Hashable, data: bytes, length: int, left: int, now: int) -> None:
        """Bytes that ``left`` the server then are at the client now; 0 for the server's end."""
        if talk := self._talks.get(key):

            def receive(now: int) -> None:
                self._learn(talk, left)
                self._say(talk, talk.server, data, length, now)
                self._hear(talk, now)
                self._put(talk, talk.client, Flag.ACK, now)

            self._at(now, receive)

    def closed(self, key: Hashable, now: int, reset_by: Direction | None = None) -> None:
        """The connection is no more; ``reset_by`` says whether, and which way, an RST went."""
        if (talk := self._talks.pop(key, None)) and reset_by:
            side, end = talk.client if reset_by == "up" else talk.server, Flag.RST | Flag.ACK
            self._at(now, lambda now: self._put(talk, side, end, now))

    def write(self, until: int | None = None) -> None:
        """Write what has passed until then; all, with what is still to come, without a time."""
        while self._later and (until is None or self._later[0][0] <= until):
            at, _, act = heapq.heappop(self._later)
            act(at)

    def _talk(self, client: tuple[str, int], server: tuple[str, int]) -> _Talk:
        self._seen += 1
        first = self._seen * 2_654_435_761 % 2**32  # without a pattern, and each time the same
        return _Talk(_Side(client, first), _Side(server, first ^ 0x5A5A5A5A))

    def _at(self, moment: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._later, (moment, next(self._order), act))

    def _learn(self, talk: _Talk, until: int) -> None:
        """Let the server acknowledge what had reached it by then."""
        while talk.reached and talk.reached[0][0] <= until:
            _, talk.server.acknowledges, talk.server.echoes = talk.reached.popleft()

    def _hear(self, talk: _Talk, now: int) -> None:
        talk.client.acknowledges, talk.client.echoes = talk.server.sent, _ms(now)

    def _say(self, talk: _Talk, side: _Side, data: bytes, length: int, now: int) -> None:
        """Put bytes into as many segments as they need; none are an end."""
        if not length:
            return self._put(talk, side, Flag.FIN | Flag.ACK, now)
        for at in range(0, length, SEGMENT):
            size = min(SEGMENT, length - at)
            push = Flag.PSH if at + size == length else Flag(0)
            self._put(talk, side, Flag.ACK | push, now, data[at : at + size], size)

    def _put(
        self, talk: _Talk, side: _Side, flags: Flag, now: int, data: bytes = b"", length: int = 0
    ) -> None:
        if talk.over:
            return
        talk.over = bool(flags & Flag.RST)
        other = talk.server if side is talk.client else talk.client
        sequence = side.first + side.sent
        acknowledged = other.first + side.acknowledges if flags & Flag.ACK else 0
        ends = (side.address, other.address)
        segment = Segment(*ends, flags, sequence, acknowledged, _ms(now), side.echoes, data, length)
        packet = encode_segment(segment, self.packets)
        whole = len(packet) + length - len(data)
        self._sink.write(encode_packet(Packet(self._epoch_ns + now, packet, whole)))
        side.sent += length + bool(flags & (Flag.SYN | Flag.FIN))
        self.packets += 1
        self.data_bytes += length


def replay(
    capture: Capture,
    events: Iterable[TraceEvent],
    client_host: str,
    server: tuple[str, int],
    round_trip: int,
) -> None:
    """Let a capture see what a trace of one relay has kept; write it afterwards.

    Of what was longer than a trace keeps, the rest is missing from its packets. ``round_trip`` (ns)
    is what opening a connection cost.
    """
    ready: dict[int, int] = {}
    for event in events:
        key, now, data, length = (server, event.connection), event.t_ns, event.data, event.length
        client = (client_host, event.client_port)
        if event.kind == "open":
            ready[event.connection] = now + round_trip
            capture.opened(key, client, server, now, now + round_trip)
        elif event.kind in ("up", "down") and event.connection not in ready:
            ready[event.connection] = 0
            capture.joined(key, client, server)
        if event.kind == "up":
            sent = max(event.entered_ns, ready[event.connection])
            capture.sent(key, data, length, sent)
            capture.reached(key, length, sent, now, now + round_trip // 2)
        elif event.kind == "down":
            capture.received(key, data, length, event.entered_ns, now)
        elif event.kind == "close":
            capture.closed(key, now)


def _ms(moment: int) -> int:
    return moment // 1_000_000

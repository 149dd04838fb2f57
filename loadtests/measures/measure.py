"""The one place where received messages are measured: times, audit, bytes.

One :class:`Measure` per technique and process. Whatever it holds adds up: :meth:`Measure.take`
gives away what came since the last time, as plain JSON values, and :meth:`Measure.add` puts such
a parcel into another process' measure; nothing is rounded or averaged on the way.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Any

from hdrh.histogram import HdrHistogram

from clients.net.traffic import TcpTotals, TlsTotals
from loadtests.measures.server_clock import CLOCK_APART, ServerClock
from loadtests.measures.tally import Tally
from results.record.rows import METRICS, Audit
from wire.message import Message, encode_message

WARM_UP = "warm-up"  # the sender of messages that are audited but not timed
_NS_PER_S = 1_000_000_000
_KEPT_ANSWERS = 3  # token by token
_KEPT_MESSAGES = 20_000  # whose first and last arrival are remembered


@dataclass(slots=True)
class Flow:
    """Bytes on connections; on a subscriber's from the moment when it was ready to receive.

    ``message_bytes`` is the JSON of the messages themselves that came down, ``message_bytes_up``
    the text of those sent up; ``tcp_down`` and ``tcp_up`` are TCP payload, ``segments`` of both
    directions as the kernel counted them (0 where it cannot). Of that payload ``tls`` is what
    stands around the records of TLS, and ``handshake`` what TLS says for itself.
    """

    message_bytes: int = 0
    message_bytes_up: int = 0
    tcp_down: int = 0
    tcp_up: int = 0
    segments_down: int = 0
    segments_up: int = 0
    requests: int = 0
    connections: int = 0
    tls_down: int = 0
    tls_up: int = 0
    handshake_down: int = 0
    handshake_up: int = 0

    def add(self, other: "Flow") -> None:
        """Add the counts of another connection or process."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    def count(
        self, kernel: TcpTotals | None, bytes_down: int, bytes_up: int, tls: TlsTotals
    ) -> None:
        """Take the kernel's counts of a client's connections, or else the client's own."""
        self.tls_down, self.tls_up = tls.down, tls.up
        self.handshake_down, self.handshake_up = tls.handshake_down, tls.handshake_up
        if kernel is None:
            self.tcp_down, self.tcp_up = bytes_down, bytes_up
        else:
            self.tcp_down, self.tcp_up = kernel.bytes_received, kernel.bytes_sent
            self.segments_down, self.segments_up = kernel.segs_in, kernel.segs_out

    def subtract(self, before: "Flow") -> None:
        """Take away what was counted before."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) - getattr(before, item.name))


@dataclass(slots=True)
class Arrivals:
    """What one process saw of one message: first and last arrival, and its size as JSON.

    ``publish_ns`` is how long it took from its intended send time to the channel, ``None`` where
    nobody tells; ``timed`` is false for a message of the warm-up.
    """

    first_ns: int
    last_ns: int
    size: int
    publish_ns: int | None
    timed: bool


@dataclass(slots=True)
class Doubts:
    """What speaks against the times of the deliveries.

    ``clumped`` messages were read together with a later one of the same stream, so that they bear
    that one's stamp. ``impossible`` ones were here before they were sent or published, by up to
    ``most_ns``: sender, server and receiver do not share a clock, and none of their times counts.
    """

    clumped: int = 0
    impossible: int = 0
    most_ns: int = 0

    def add(self, other: "Doubts") -> None:
        """Add those of another process."""
        self.clumped += other.clumped
        self.impossible += other.impossible
        self.most_ns = max(self.most_ns, other.most_ns)


@dataclass(slots=True)
class Measure:
    """Everything measured of one technique in one process.

    All times are by the server's clock: messages carry them so, and ``clock`` turns our own into
    them. What is before its cause by no more than both clocks may be wrong counts as the same
    moment.

    ``arrivals`` is by the time of publishing and the id: two servers may publish in the same
    nanosecond, and ids begin anew when a server does. ``earlier`` has what must be added to the
    delivery's counts so that each message is as early as it may have come: fewer late ones, more
    early ones. ``seconds`` has the deliveries by the second in which their message was due.
    ``answers`` has the first few that were received whole: when each token came, after the
    question. ``foreign`` are messages of which only the text is ours: nobody tells when they were
    in the channel.
    """

    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in METRICS})
    audit: Audit = field(default_factory=lambda: Audit(0, 0))
    flow: Flow = field(default_factory=Flow)
    arrivals: dict[tuple[int, int], Arrivals] = field(default_factory=dict)
    deliveries: int = 0
    doubts: Doubts = field(default_factory=Doubts)
    earlier: Tally = field(default_factory=Tally)
    seconds: dict[int, Tally] = field(default_factory=dict)
    answers: list[list[int]] = field(default_factory=list)
    foreign: bool = False
    clock: ServerClock = field(default_factory=ServerClock)

    def take_message(
        self, message: Message, asked_ns: int, arrived_ns: int, earliest_ns: int | None = None
    ) -> None:
        """Count one message that a subscriber has in hand now.

        ``arrived_ns`` is when it came in, ``asked_ns`` when the request that brought it was sent
        (0 on a stream, where nothing needs to be asked). ``earliest_ns`` is for one that was read
        together with a later one: it came somewhen from then until ``arrived_ns``. All three are
        by our own clock.
        """
        self.deliveries += 1
        now_ns = time.monotonic_ns()
        if self.clock.apart:
            to_server = self.clock.to_server
            now_ns, arrived_ns = to_server(now_ns), to_server(arrived_ns)
            asked_ns = to_server(asked_ns) if asked_ns else 0
            earliest_ns = to_server(earliest_ns) if earliest_ns is not None else None
        published_ns = message.published_ns
        before = max(published_ns - arrived_ns, message.sent_ns - published_ns)
        if before > 0:
            if before > self.clock.error_ns + self.clock.senders_error_ns:
                self.flow.message_bytes += self._size(message)
                self.doubts.add(Doubts(impossible=1, most_ns=before))
                return
            arrived_ns = max(arrived_ns, published_ns, message.sent_ns)
            now_ns = max(now_ns, arrived_ns)
        seen = self.arrivals.get((published_ns, message.id))
        if seen is None:
            seen = self._first_sight(message, arrived_ns)
        elif arrived_ns > seen.last_ns:
            seen.last_ns = arrived_ns
        elif arrived_ns < seen.first_ns:
            seen.first_ns = arrived_ns
        self.flow.message_bytes += seen.size
        if seen.timed:
            tallies = self.tallies
            tallies["delivery"].record(arrived_ns - message.sent_ns)
            tallies["handler"].record(now_ns - message.sent_ns)
            if earliest_ns is not None:
                self._doubt(message, arrived_ns, earliest_ns)
            self.second(message.sent_ns // _NS_PER_S).record(arrived_ns - message.sent_ns)
            if self.foreign:
                return
            if asked_ns > published_ns:
                tallies["wait"].record(asked_ns - published_ns)
                tallies["transfer"].record(arrived_ns - asked_ns)
            else:
                tallies["wait"].record(0)
                tallies["transfer"].record(arrived_ns - published_ns)

    def _doubt(self, message: Message, arrived_ns: int, earliest_ns: int) -> None:
        """Count that a message may have come earlier than its stamp says."""
        self.doubts.clumped += 1
        earliest_ns = min(max(earliest_ns, message.published_ns), arrived_ns)
        self.earlier.change(arrived_ns - message.sent_ns, -1)
        self.earlier.change(earliest_ns - message.sent_ns, 1)

    def second(self, at_s: int) -> Tally:
        """Return the tally of what was due in one second of the monotonic clock."""
        found = self.seconds.get(at_s)
        if found is None:
            found = self.seconds[at_s] = Tally()
        return found

    def keep_answer(self, tokens_ns: list[int]) -> None:
        """Keep an answer token by token, if it is among the first."""
        if len(self.answers) < _KEPT_ANSWERS:
            self.answers.append(tokens_ns)

    def _first_sight(self, message: Message, arrived_ns: int) -> Arrivals:
        if len(self.arrivals) >= 2 * _KEPT_MESSAGES:
            self._fold(_KEPT_MESSAGES)
        publish_ns = None if self.foreign else max(message.published_ns - message.sent_ns, 0)
        timed = message.sender != WARM_UP
        seen = Arrivals(arrived_ns, arrived_ns, self._size(message), publish_ns, timed)
        self.arrivals[message.published_ns, message.id] = seen
        return seen

    def _size(self, message: Message) -> int:
        """Return the bytes that are the message's own: its JSON, or the text alone."""
        if self.foreign and isinstance(message.body, str):
            return len(message.body)
        return len(encode_message(message))

    def _fold(self, count: int) -> None:
        """Count what is known once per message, not per receiver, of the oldest messages."""
        for key in list(self.arrivals)[:count]:
            seen = self.arrivals.pop(key)
            if seen.timed:
                if seen.publish_ns is not None:
                    self.tallies["publish"].record(seen.publish_ns)
                self.tallies["spread"].record(seen.last_ns - seen.first_ns)

    def take(self) -> dict[str, Any]:
        """Give away everything since the last time; what is left is empty."""
        parcel = {
            "tallies": {name: list(tally.items()) for name, tally in self.tallies.items() if tally},
            "audit": asdict(self.audit),
            "flow": asdict(self.flow),
            "deliveries": self.deliveries,
            "doubts": asdict(self.doubts),
            "earlier": list(self.earlier.items()),
            "seconds": [(at_s, list(tally.items())) for at_s, tally in self.seconds.items()],
            "answers": self.answers,
            "arrivals": [(*key, *astuple(seen)) for key, seen in self.arrivals.items()],
        }
        for tally in (*self.tallies.values(), self.earlier):
            tally.clear()
        self.doubts = Doubts()
        self.audit, self.flow, self.deliveries = Audit(0, 0), Flow(), 0
        self.arrivals.clear()
        self.seconds.clear()
        self.answers = []
        return parcel

    def add(self, parcel: Mapping[str, Any]) -> None:
        """Add what another process gave away."""
        for name, pairs in parcel["tallies"].items():
            self.tallies[name].merge(pairs)
        self.audit += Audit(**parcel["audit"])
        self.flow.add(Flow(**parcel["flow"]))
        self.deliveries += parcel["deliveries"]
        self.doubts.add(Doubts(**parcel["doubts"]))
        self.earlier.merge(parcel["earlier"])
        for at_s, pairs in parcel["seconds"]:
            self.second(at_s).merge(pairs)
        for tokens_ns in parcel["answers"]:
            self.keep_answer(tokens_ns)
        for published_ns, number, *values in parcel["arrivals"]:
            new = Arrivals(*values)
            seen = self.arrivals.setdefault((published_ns, number), new)
            seen.first_ns = min(seen.first_ns, new.first_ns)
            seen.last_ns = max(seen.last_ns, new.last_ns)
        self._fold(max(len(self.arrivals) - 2 * _KEPT_MESSAGES, 0))

    def histograms(self) -> dict[str, HdrHistogram]:
        """Return each metric's histogram, the empty ones left out; call it at the end."""
        self._fold(len(self.arrivals))
        if self.doubts.clumped:
            earliest = self.tallies["earliest"]
            earliest.clear()
            earliest.merge(self.tallies["delivery"].items())
            earliest.merge(self.earlier.items())
        return {name: tally.histogram() for name, tally in self.tallies.items() if tally}


def impossible(doubts: Doubts, deliveries: int, failures: Iterable[str]) -> str:
    """Say so if messages were received before they were sent, or workers' clocks differ."""
    if apart := next((what for what in failures if what.startswith(CLOCK_APART)), ""):
        return apart
    if not doubts.impossible:
        return ""
    return (
        f"{doubts.impossible:,} of {deliveries:,} deliveries came before they were sent, by "
        f"up to {doubts.most_ns / 1e6:,.3f} ms: the processes do not share a clock"
    )

"""The record of a run: what its tables hold, and in which format.

A run is one folder: ``run.json`` and tidy CSV tables, one row per observation. The first columns
of every table name the cell. A **cell** is one measured combination: technique, network,
scenario, variant, number of users, rate, size and repeat. ``results/README.md`` explains every
column and unit, and tells the history of the format.

A record grows at its end: a new column gets a default, the format a new number. A run that was
written before has no such column and is read with the default, so the default must say what that
run did; it never changes again.

``results.record.writer`` writes it, ``results.record.reading`` reads it.
"""

from dataclasses import MISSING, astuple, dataclass, fields
from typing import Any, ClassVar, get_args

from results.record.naming import CARRIERS, plain, way_of

FORMAT = 7
SPLIT_METRICS = ("publish", "wait", "transfer")
METRICS = (
    *("delivery", "handler", "earliest", *SPLIT_METRICS),
    *("round_trip", "connect", "spread", "naive"),
    *("first_token", "gap", "answer"),
)
FIGURES = ("p50", "p99")  # what of a latency is compared
LAYERS = ("message", "framing", "tls", "tls_handshake", "tcp_ip_headers")


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured combination; the unit of everything recorded.

    ``network`` is a label (``loopback``, ``relay 25 ms``) and ``delay_ms`` its added one-way
    delay; ``variant`` names whatever else was varied in this run (``T=1 s``), empty if nothing;
    ``rate`` is in messages per second that were asked for, ``size_bytes`` the size of a
    message's text, ``repeat`` counts from 1; ``carrier`` is one of
    :data:`~results.record.naming.CARRIERS`.
    """

    technique: str
    network: str = "loopback"
    delay_ms: float = 0.0
    scenario: str = "feed"
    variant: str = ""
    users: int = 1
    rate: float = 1.0
    size_bytes: int = 100
    repeat: int = 1
    carrier: str = CARRIERS[0]

    @property
    def way(self) -> str:
        """Network and carrier in words, the usual carrier left out."""
        return way_of(self.network, self.carrier)

    @property
    def key(self) -> str:
        """The cell's name, unique in its run; the column ``cell`` of every table.

        ``delay_ms`` is not in it: the network's label names the delay.
        """
        parts = [self.technique, self.way, self.scenario]
        parts += [self.variant] if self.variant else []
        people = "1 user" if self.users == 1 else f"{self.users} users"
        parts += [people, f"{plain(self.rate)}/s", f"{self.size_bytes} B"]
        return f"{', '.join(parts)} #{self.repeat}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of the deliveries of one cell: numbers of (message, receiver) pairs.

    ``received`` counts each pair once, so ``lost`` is ``expected - received``; a pair that came
    again counts in ``duplicated``, one that came after a later one in ``reordered``.
    """

    expected: int
    received: int
    duplicated: int = 0
    reordered: int = 0

    @property
    def lost(self) -> int:
        """Expected pairs that never came."""
        return self.expected - self.received

    @property
    def reach(self) -> float:
        """The share of the messages that reached each subscriber, on average; 1 where none was."""
        return self.received / self.expected if self.expected else 1.0

    @property
    def clean(self) -> bool:
        """Nothing lost, doubled or out of order."""
        return not (self.lost or self.duplicated or self.reordered)

    def __add__(self, other: "Audit") -> "Audit":
        """Add the audits of two subscribers or two processes."""
        return Audit(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """One metric of one cell; times in ms, percentiles from the histogram of the same name.

    The audit is on the row of ``delivery`` only (None elsewhere).
    """

    table: ClassVar[str] = "latency"
    metric: str
    count: int
    min_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    mean_ms: float
    expected: int | None
    received: int | None
    lost: int | None
    duplicated: int | None
    reordered: int | None
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One second of one cell, ``t_s`` seconds after its measuring began. See the README.

    What nobody knows of a foreign server is NaN.
    """

    table: ClassVar[str] = "ledger"
    t_s: float
    open_sockets: float
    held_requests: float
    requests_per_s: float
    connections_per_s: float
    deliveries_per_s: float
    bytes_per_s: float
    server_cpu: float
    server_rss_bytes: float
    generator_cpu: float
    generator_lag_ms: float
    server_wait_ms: float | None = None
    relay_wait_ms: float | None = None
    generator_wait_ms: float | None = None


@dataclass(frozen=True, slots=True)
class BytesRow:
    """Bytes of one layer in one direction of one cell.

    ``direction`` is ``down`` (to the subscriber) or ``up``; ``role`` whose connections
    (``subscriber`` or ``publisher``); ``layer`` one of ``LAYERS``, which add up to what was on
    the wire; ``source`` how it is known (``client``, ``kernel``, ``relay``, ``model``);
    ``per_message`` is ``bytes`` divided by the deliveries received (publisher: by the messages
    published).
    """

    table: ClassVar[str] = "bytes"
    role: str
    direction: str
    layer: str
    bytes: int
    per_message: float
    source: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One comparison with a model or an exact value; ``tolerance`` is in ``unit`` too."""

    table: ClassVar[str] = "checks"
    check: str
    expected: float
    measured: float
    tolerance: float
    unit: str
    passed: bool
    note: str


@dataclass(frozen=True, slots=True)
class TraceRow:
    """Something that passed the relay ``t_ms`` after the trace began; for sequence diagrams.

    ``direction`` is ``up`` or ``down``, ``connection`` counts from 1, ``sent_ms`` is when the
    sender's bytes reached the relay's near side and ``t_ms`` when they left its far side.
    """

    table: ClassVar[str] = "traces"
    connection: int
    direction: str
    sent_ms: float
    t_ms: float
    bytes: int
    label: str


@dataclass(frozen=True, slots=True)
class HistogramRow:
    """One encoded histogram (see ``results.record.histogram``)."""

    table: ClassVar[str] = "histograms"
    metric: str
    unit: str
    encoded: str


@dataclass(frozen=True, slots=True)
class SecondRow:
    """The deliveries of what was due in one second of a cell; times in ms.

    The second began ``t_s`` after the measured time; the first one may have begun before it and
    holds less. ``encoded`` is its histogram, and those of all seconds add up to the cell's.
    """

    table: ClassVar[str] = "seconds"
    t_s: float
    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    encoded: str


@dataclass(frozen=True, slots=True)
class HostRow:
    """One host of the load generator in one cell: its share, and its clock. See the README.

    What concerns the clock is None where nobody told the server's.
    """

    table: ClassVar[str] = "hosts"
    host: int
    processes: int
    subscribers: int
    deliveries: int
    p50_ms: float
    p99_ms: float
    generator_cpu: float
    clock_offset_s: float | None
    clock_drift_ppm: float | None
    clock_error_ms: float | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One token of one of the few answers that are kept whole: it came ``t_ms`` after the question.

    ``answer`` and ``token`` count from 1.
    """

    table: ClassVar[str] = "answers"
    answer: int
    token: int
    t_ms: float


# In the order of the fields of ``results.record.reading.Run``.
Row = (
    LatencyRow
    | LedgerRow
    | BytesRow
    | CheckRow
    | TraceRow
    | HistogramRow
    | SecondRow
    | HostRow
    | AnswerRow
)
ROW_TYPES: tuple[type[Row], ...] = get_args(Row)
CELL_COLUMNS = ("cell", *(field.name for field in fields(Cell)))


def columns(row_type: type[Row]) -> list[str]:
    """Return the header of a table: the cell's columns, then the row's."""
    return [*CELL_COLUMNS, *(field.name for field in fields(row_type))]


def defaults(row_type: type[Row] | type[Cell]) -> dict[str, Any]:
    """Return what a run that lacks a column meant, for each column that may be absent."""
    every = (*fields(Cell), *fields(row_type))
    return {field.name: field.default for field in every if field.default is not MISSING}

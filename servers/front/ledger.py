"""The connection ledger: what each technique holds open and has moved so far.

Totals only grow; a rate is the difference of two readings. ``/stats`` shows it as JSON,
``/metrics`` in the text format of Prometheus, ``/clock`` the server's monotonic clock.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import psutil

from wire.techniques import SLUGS

_PROCESS = psutil.Process()


@dataclass(slots=True)
class Row:
    """One technique's counters.

    ``open``: sockets it owns now; ``held``: those on which the server may speak at any moment
    (streams, sockets, waiting polls). The others are totals since the start: connections taken,
    requests answered, messages published through it, messages delivered, bytes read and
    written as the server's sockets saw them (TLS and TCP/IP not included), and gap notices.
    """

    open: int = 0
    held: int = 0
    connections: int = 0
    requests: int = 0
    publishes: int = 0
    deliveries: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    gaps: int = 0


@dataclass(slots=True)
class Ledger:
    """All rows, how many sockets the process has open, and how many of them to be refused."""

    rows: dict[str, Row] = field(default_factory=lambda: {slug: Row() for slug in SLUGS})
    sockets: int = 0
    refusals: int = 0

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return every row's counters by slug."""
        return {slug: asdict(row) for slug, row in self.rows.items()}


def metrics(rows: Mapping[str, Mapping[str, int]], process: Mapping[str, float]) -> str:
    """Write rows and what a process (or several) used up for Prometheus."""
    lines = []
    for name in Row.__slots__:
        gauge = name in ("open", "held")
        metric = f"duplex_{name}" if gauge else f"duplex_{name}_total"
        lines.append(f"# TYPE {metric} {'gauge' if gauge else 'counter'}")
        lines += [f'{metric}{{technique="{slug}"}} {row[name]}' for slug, row in rows.items()]
    lines += [
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {process['cpu_s']:.6f}",
        "# TYPE process_resident_memory_bytes gauge",
        f"process_resident_memory_bytes {process['rss_bytes']}",
        "# TYPE process_open_sockets gauge",
        f"process_open_sockets {process['open_sockets']}",
    ]
    return "\n".join(lines) + "\n"


def resident_bytes() -> int:
    """Return the resident memory of this process in bytes."""
    return int(_PROCESS.memory_info().rss)

"""What each host of the generator contributed, and by which clock.

Processes are of one host where they tell the same name and share a clock. The name is only
compared: what is recorded are numbers, the host that publishes first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtests.measures.condition import Condition
from loadtests.measures.server_clock import ClockFacts
from loadtests.measures.tally import Tally
from results.record.histogram import percentiles_ms
from results.record.quantiles import quantile
from results.record.rows import HostRow


@dataclass(slots=True)
class Share:
    """What one process contributed: ``users`` at most, ``deliveries`` and their times.

    Who hears of users between two parcels counts them.
    """

    host: str = ""
    users: int = 0
    deliveries: int = 0
    times: Tally = field(default_factory=Tally)
    clock: ClockFacts = field(default_factory=ClockFacts)

    def add(self, parcel: Mapping[str, Any]) -> None:
        """Add what the process gave away."""
        self.host = parcel["host"]
        self.clock = ClockFacts(**parcel["clock"])
        for measured in parcel["measures"].values():
            self.deliveries += measured["deliveries"]
            self.times.merge(measured["tallies"].get("delivery", ()))


def host_rows(shares: Mapping[str, Share], conditions: Mapping[str, Condition]) -> list[HostRow]:
    """Return a row for each host; both mappings are by process, the conductor's first."""
    hosts: dict[str, list[str]] = {}
    for process, share in shares.items():
        hosts.setdefault(share.host, []).append(process)
    return [
        _row(number, [(shares[name], conditions.get(name, Condition())) for name in processes])
        for number, processes in enumerate(hosts.values(), 1)
    ]


def _row(number: int, processes: Iterable[tuple[Share, Condition]]) -> HostRow:
    found = list(processes)
    times = Tally()
    for share, _ in found:
        times.merge(share.times.items())
    p50_ms, p99_ms = percentiles_ms(times.histogram(), 50, 99)
    # The least sure of them tells; they read the same clock.
    clock = max((share.clock for share, _ in found), key=lambda clock: clock.error_ns)
    return HostRow(
        host=number,
        processes=len(found),
        subscribers=sum(share.users for share, _ in found),
        deliveries=sum(share.deliveries for share, _ in found),
        p50_ms=p50_ms,
        p99_ms=p99_ms,
        generator_cpu=max(quantile(condition.cpu[1:], 0.5) for _, condition in found),
        clock_offset_s=clock.offset_ns / 1e9 if clock.known else None,
        clock_drift_ppm=round(clock.rate * 1e6, 3) if clock.known else None,
        clock_error_ms=clock.error_ns / 1e6 if clock.known else None,
    )

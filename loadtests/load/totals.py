"""What all processes of a test measured, added up."""

from collections.abc import Mapping
from typing import Any

from loadtests.measures.condition import Condition
from loadtests.measures.host import Share
from loadtests.measures.measure import Measure
from loadtests.measures.published import Published
from loadtests.measures.server_clock import largest_error


class Totals:
    """The sums, and who contributed what to them."""

    def __init__(self) -> None:
        self.measures: dict[str, Measure] = {}
        self.conditions: dict[str, Condition] = {}
        self.failures: dict[str, int] = {}
        self.connected: dict[str, int] = {}
        self.most_connected = 0
        self._most_of: dict[str, int] = {}  # each process
        self.shares: dict[str, Share] = {"": Share()}  # the conductor's first
        self.so_far: dict[str, dict[str, dict[str, int]]] = {}

    def measure(self, slug: str) -> Measure:
        """Return the sum of a technique's measures."""
        found = self.measures.get(slug)
        if found is None:
            found = self.measures[slug] = Measure()
        return found

    def add(self, process: str, parcel: Mapping[str, Any], published: Published) -> None:
        """Add what one process gave away."""
        for slug, measured in parcel["measures"].items():
            self.measure(slug).add(measured)
        self.conditions.setdefault(process, Condition()).add(parcel["condition"])
        for what, count in parcel["failures"].items():
            self.failures[what] = self.failures.get(what, 0) + count
        self.note_connected(process, parcel["connected"])
        share = self.shares.setdefault(process, Share())
        share.add(parcel)
        share.users = self._most_of[process]  # when all were, no parcel was perhaps on its way
        self.so_far[process] = parcel["so_far"]
        published.asked += parcel["asked"]
        published.accepted += parcel["accepted"]

    @property
    def clock_error_ns(self) -> int:
        """By how much a time of any of the processes may be wrong."""
        return largest_error(share.clock for share in self.shares.values())

    def note_connected(self, process: str, count: int) -> None:
        """Remember how many users of a process are connected."""
        self.connected[process] = count
        self._most_of[process] = max(self._most_of.get(process, 0), count)
        self.most_connected = max(self.most_connected, sum(self.connected.values()))

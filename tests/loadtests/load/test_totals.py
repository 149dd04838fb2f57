"""What processes tell is added up, and nobody is forgotten between two parcels."""

from dataclasses import asdict
from typing import Any

from loadtests.load.totals import Totals
from loadtests.measures.condition import Condition
from loadtests.measures.host import host_rows
from loadtests.measures.published import Published
from loadtests.measures.server_clock import ClockFacts


def parcel(connected: int) -> dict[str, Any]:
    """What a process gives away that has nothing to tell but its users."""
    nothing: dict[str, Any] = {"measures": {}, "failures": {}, "so_far": {}}
    told = {"clock": asdict(ClockFacts()), "condition": Condition().take(), "host": "here"}
    return {**nothing, **told, "asked": 0, "accepted": 0, "connected": connected}


def test_users_who_came_and_went_between_two_parcels_count() -> None:
    totals, published = Totals(), Published()
    totals.add("", parcel(0), published)
    totals.add("a", parcel(1), published)
    totals.note_connected("a", 2)
    totals.note_connected("b", 2)
    totals.add("a", parcel(1), published)
    totals.add("b", parcel(0), published)
    (row,) = host_rows(totals.shares, {name: Condition(cpu=[0.0, 0.5]) for name in totals.shares})
    assert (row.processes, row.subscribers, totals.most_connected) == (3, 4, 4)

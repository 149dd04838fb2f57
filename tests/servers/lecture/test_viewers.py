"""What one page may cost the lecture, and who finds a seat."""

import asyncio
import json

import pytest

from servers.front.budget import Budget
from servers.front.problems import Problem
from servers.lecture.viewers import MOST_PAGES, PAGES_EACH, SOON_S, Bulletin, Seats, Viewer
from tests.support.waiting import PATIENCE_S

MIB = 2**20


@pytest.mark.attack("fill the memory by what is unread", "on")
def test_reports_of_plugins_that_find_no_room_are_dropped_and_told_as_a_gap() -> None:
    budget = Budget(100 * MIB)
    viewer = Viewer("a" * 16, budget=budget)
    report = {"plugin": 1, "message": {"text": "x" * MIB}}
    kept = [viewer.plugin(report, MIB) for _ in range(5)]
    assert kept == [True, False, False, False, False]
    for number in range(4):
        viewer.plugin_gap(1, f"00000000-{number}")
    assert budget.used == pytest.approx(MIB, rel=0.01)
    told = json.loads(viewer.take())["plugin"]
    assert told == [report, {"plugin": 1, "gap": True, "cursor": "00000000-3"}]
    assert budget.used == pytest.approx(MIB, rel=0.01)  # until it was written
    assert not viewer.plugin(report, 2 * MIB)
    viewer.written()
    assert budget.used == 0
    assert json.loads(viewer.take()) == {}


def test_all_pages_share_the_room_for_large_reports() -> None:
    budget = Budget(3 * MIB)
    viewers = [Viewer(f"{n:016}", budget=budget) for n in range(5)]
    assert sum(one.plugin({}, MIB) for one in viewers) == 2
    assert all(one.plugin({}, 100) for one in viewers[2:])
    for one in viewers:
        one.forget()
    assert budget.used == 0


@pytest.mark.attack("take all seats", "on")
def test_one_address_opens_some_pages_and_never_all() -> None:
    seats = Seats({}, Budget(MIB))
    hostile = [seats.open(f"h{n:015}", "192.0.2.66") for n in range(PAGES_EACH)]
    with pytest.raises(Problem, match="from your address") as refused:
        seats.open("h" * 16, "192.0.2.66")
    assert refused.value.status == 429
    seats.open("friend0123456789", "192.0.2.7")
    seats.close(hostile[0])
    seats.open("h" * 16, "192.0.2.66")


@pytest.mark.attack("take all seats", "on")
def test_a_place_is_kept_for_the_key() -> None:
    seats = Seats({}, Budget(MIB))
    for number in range(MOST_PAGES):
        seats.open(f"v{number:015}", f"192.0.2.{number // PAGES_EACH}")
    with pytest.raises(Problem, match="pages are open already"):
        seats.open("lecturer01234567", "198.51.100.1")
    seats.keep("lecturer01234567")
    seats.open("lecturer01234567", "198.51.100.1")


def test_an_open_page_is_not_opened_again() -> None:
    seats = Seats({}, Budget(MIB))
    viewer = seats.open("a" * 16, "192.0.2.7")
    with pytest.raises(Problem) as refused:
        seats.open("a" * 16, "192.0.2.66")
    assert refused.value.status == 409
    seats.close(viewer)
    assert seats.open("a" * 16, "192.0.2.7") is not viewer


async def test_what_changes_often_is_told_together_and_what_somebody_did_at_once() -> None:
    asked = []
    viewers = {name: Viewer(name) for name in ("a" * 16, "b" * 16)}

    def state() -> dict[str, int]:
        asked.append(1)
        return {"published": len(asked)}

    bulletin = Bulletin(viewers, state)
    for _ in range(50):
        bulletin.tell_soon()
    assert not any(one.news.is_set() for one in viewers.values())
    async with asyncio.timeout(PATIENCE_S):
        for one in viewers.values():
            await one.news.wait()
            assert json.loads(one.take()) == {"state": {"published": 1}}
    bulletin.tell_soon()
    bulletin.tell()
    for one in viewers.values():
        assert json.loads(one.take()) == {"state": {"published": 2}}
    # What was to be told soon has been told.
    await asyncio.sleep(SOON_S)
    assert len(asked) == 2

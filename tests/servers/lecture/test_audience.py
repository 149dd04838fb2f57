"""Who takes part: nobody speaks for another, and nobody weighs more than one."""

import contextlib
from typing import Any

import pytest

from servers.front.problems import Problem
from servers.lecture import audience
from servers.lecture.audience import BINS, MOST_PEOPLE, PEOPLE_EACH, Audience
from servers.lecture.ballot import Ballot
from servers.lecture.viewers import Viewer


class Room:
    """An audience and a ballot, with a clock that is turned by hand."""

    def __init__(self) -> None:
        self.viewers: dict[str, Viewer] = {}
        self.now = 1000.0
        self.ballot = Ballot()
        self.audience = Audience(self.viewers, self.ballot.forget, lambda: self.now)

    def page(self, number: int, address: str = "192.0.2.7") -> Viewer:
        name = f"page{number:012}"
        return self.viewers.setdefault(name, Viewer(name, address))

    def vote(self, who: str, page: Viewer, choice: int) -> None:
        chosen = self.ballot.check({"question": "half", "choice": choice})
        self.audience.come(who, page)
        self.ballot.vote(who, chosen)

    def counts(self) -> list[int]:
        self.ballot.show({})
        counts: list[int] = (self.ballot.state() or {})["counts"]
        return counts


def who(number: int) -> str:
    return f"secret{number:010}"


def report(latency_class: int, count: int = 1, **more: Any) -> dict[str, Any]:
    sum_ms = count * 10 ** (latency_class / 10)
    return {"state": "open", "counts": {str(latency_class): count}, "sum_ms": sum_ms, **more}


def test_latencies_by_technique_are_those_of_the_last_half_minute() -> None:
    room = Room()
    for number, slug in enumerate(("sse", "sse", "polling"), 1):
        page = room.page(number)
        assert room.audience.subscribe(who(number), page, slug).number == number
        room.audience.hear(page, report(10 * number, number))
    told = room.audience.state()
    assert [row[:3] for row in told["people"]] == [
        [1, "sse", "open"],
        [2, "sse", "open"],
        [3, "polling", "open"],
    ]
    sse = told["techniques"]["sse"]
    assert (sse["measured"], sse["typical_ms"]) == (2, 55.0)  # the median of 10 and 100
    assert (sse["shares"][10], sse["shares"][20], sum(sse["shares"])) == (500, 500, 1000)
    room.now += audience.RECENT_S + 1
    assert room.audience.state()["techniques"] == {}


def test_who_drops_and_comes_back_is_told() -> None:
    room = Room()
    page = room.page(1)
    room.audience.subscribe(who(1), page, "web_socket")
    for state in ("open", "broken", "open"):
        room.audience.hear(page, {"state": state})
        room.now += 1
    room.audience.close(page.name)
    assert room.audience.state()["people"] == [[1, "web_socket", "away", 2, 1, 0]]
    assert len(room.audience) == 0
    again = room.page(2)  # a reloaded page: the same person
    room.audience.subscribe(who(1), again, "web_socket")
    room.audience.hear(again, {"state": "open", "lost": 3})
    assert room.audience.state()["people"] == [[1, "web_socket", "open", 2, 2, 3]]


def test_another_technique_begins_anew_and_none_ends_it() -> None:
    room = Room()
    page = room.page(1)
    room.audience.subscribe(who(1), page, "polling")
    room.audience.hear(page, report(5))
    room.audience.subscribe(who(1), page, "sse")
    assert room.audience.state()["techniques"] == {}
    room.audience.subscribe(who(1), page, None)
    assert room.audience.state()["people"] == []
    with pytest.raises(Problem) as refused:
        room.audience.hear(page, report(5))
    assert refused.value.status == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "well"},
        report(BINS),
        report(0, audience.MOST_AT_ONCE + 1),
        report(0, -1),
        report(0, lost=-1),
        report(0, lost=True),
        {"state": "open", "counts": [1]},
        {"state": "open", "counts": {"²": 1}},
        {"state": "open", "counts": {"1": 0.5}},
        {"state": "open", "sum_ms": 1},
        {"state": "open", "counts": {"1": 1}, "sum_ms": float("nan")},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    room = Room()
    page = room.page(1)
    room.audience.subscribe(who(1), page, "sse")
    with pytest.raises(Problem) as refused:
        room.audience.hear(page, wrong)
    assert refused.value.status == 400
    with pytest.raises(Problem):
        room.audience.subscribe(who(1), page, "telepathy")


def _by_number(self: Audience, name: str, page: Viewer) -> Any:
    person = next(one for one in self._people.values() if str(one.number) == name)
    person.page = page.name
    return person


@pytest.mark.attack("vote or measure for another", "off", "on")
@pytest.mark.parametrize("is_on", [False, True])
def test_the_number_that_all_see_speaks_for_nobody(
    is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = Room()
    victim, hostile = room.page(1), room.page(2, "192.0.2.66")
    number = str(room.audience.subscribe(who(1), victim, "sse").number)
    if not is_on:
        monkeypatch.setattr(Audience, "come", _by_number)
    room.audience.subscribe(number, hostile, "page_reload")
    technique = {row[0]: row[1] for row in room.audience.state()["people"]}[1]
    assert technique == ("sse" if is_on else "page_reload")


@pytest.mark.attack("vote often", "off", "on")
@pytest.mark.parametrize("is_on", [False, True])
def test_one_address_has_so_many_votes_however_often_it_comes(
    is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_on:
        monkeypatch.setattr(audience, "PEOPLE_EACH", MOST_PEOPLE)
    room = Room()
    room.ballot.ask({"question": "half", "choices": 3})
    for number in range(5):
        room.vote(who(900 + number), room.page(900 + number, f"192.0.2.{100 + number}"), 0)
    hostile = 0
    for number in range(150):
        room.now += 1
        page = room.page(number)
        room.vote(who(number), page, 1)
        room.vote(who(number), page, 1)  # twice is once
        room.audience.close(page.name)
        hostile += 1
    assert room.counts() == [5, PEOPLE_EACH if is_on else hostile, 0]


@pytest.mark.attack("drown what others measure", "off", "on")
@pytest.mark.parametrize("is_on", [False, True])
def test_a_thousand_latencies_weigh_as_much_as_one(
    is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_on:
        monkeypatch.setattr(audience, "_BETWEEN_S", 0.0)
    room = Room()
    pages = [room.page(number) for number in range(3)]
    for number, page in enumerate(pages):
        room.audience.subscribe(who(number), page, "sse")
    room.audience.hear(pages[0], report(10, 4))
    room.audience.hear(pages[1], report(10, 4))
    heard = 0
    for _ in range(20):
        with contextlib.suppress(Problem):
            room.audience.hear(pages[2], report(39, audience.MOST_AT_ONCE))
            heard += 1
    assert heard == (1 if is_on else 20)
    told = room.audience.state()["techniques"]["sse"]
    assert told["shares"][10] == 667  # of three people two
    assert told["typical_ms"] == 10.0


def test_nobody_who_is_there_makes_room_for_others() -> None:
    room = Room()
    for number in range(PEOPLE_EACH):
        room.audience.subscribe(who(number), room.page(number), "sse")
    with pytest.raises(Problem, match="from your address"):
        room.audience.subscribe(who(500), room.page(500), "sse")
    room.audience.close(room.page(3).name)
    assert room.audience.subscribe(who(500), room.page(500), "sse").number == 4
    for number in range(PEOPLE_EACH, MOST_PEOPLE):
        page = room.page(600 + number, f"198.51.100.{number}")
        room.audience.subscribe(who(600 + number), page, "sse")
    with pytest.raises(Problem) as refused:
        room.audience.subscribe(who(999), room.page(999, "203.0.113.1"), "sse")
    assert refused.value.status == 503

"""The ballot and the tour: what the lecturer asks, and where the lecturer is."""

from typing import Any

import pytest

from servers.front.problems import Problem
from servers.lecture.ballot import Ballot
from servers.lecture.tour import Tour


def test_votes_are_told_once_they_are_shown() -> None:
    ballot = Ballot()
    assert ballot.state() is None
    ballot.ask({"question": "half", "choices": 3})
    for who, choice in (("a", 0), ("b", 2), ("a", 2)):
        assert ballot.check({"question": "half", "choice": choice}) == choice
        ballot.vote(who, choice)
    asked = {"question": "half", "round": 1, "choices": 3, "votes": 2}
    assert ballot.state() == asked
    ballot.show({"measured": 1000.5, "fits": 2})
    assert ballot.state() == {**asked, "counts": [0, 0, 2], "measured": 1000.5, "fits": 2}
    ballot.forget("b")
    assert (ballot.state() or {})["counts"] == [0, 0, 1]
    ballot.ask({"question": "half", "choices": 3})
    assert ballot.state() == {**asked, "round": 2, "votes": 0}
    ballot.ask({"question": None})
    assert ballot.state() is None


@pytest.mark.parametrize(
    ("vote", "status"),
    [
        ({"question": "other", "choice": 0}, 409),
        ({"question": "half", "choice": 3}, 400),
        ({"question": "half", "choice": -1}, 400),
        ({"question": "half", "choice": True}, 400),
        ({"question": "half"}, 400),
        ({}, 409),
    ],
)
def test_a_vote_for_something_else_is_refused(vote: dict[str, Any], status: int) -> None:
    ballot = Ballot()
    ballot.ask({"question": "half", "choices": 3})
    with pytest.raises(Problem) as refused:
        ballot.check(vote)
    assert refused.value.status == status
    ballot.show({})
    with pytest.raises(Problem) as refused:
        ballot.check({"question": "half", "choice": 0})
    assert refused.value.status == 409  # too late


@pytest.mark.parametrize(
    "order", [{"measured": True}, {"measured": float("inf")}, {"fits": 3}, {"fits": 0.5}]
)
def test_what_is_shown_is_a_number(order: dict[str, Any]) -> None:
    ballot = Ballot()
    with pytest.raises(Problem, match="nothing was asked"):
        ballot.show({})
    ballot.ask({"question": "half", "choices": 3})
    with pytest.raises(Problem):
        ballot.show(order)
    assert "counts" not in (ballot.state() or {})


def test_a_tour_begins_goes_on_and_ends() -> None:
    now = 10.0
    tour = Tour(lambda: now)
    tour.go({"at": "timeline?era=sse"})
    assert tour.state() == {"at": "timeline?era=sse", "step": None}
    tour.go({"step": 0})
    now = 70.0
    tour.go({"step": 1, "at": "race?preset=half"})
    told = {"at": "race?preset=half", "step": 1, "began_ms": 10000, "step_ms": 70000}
    assert tour.state() == told
    now = 80.0
    tour.go({"at": "wire"})
    assert tour.state() == {**told, "at": "wire"}
    tour.go({"step": None})
    assert tour.state() == {"at": "wire", "step": None}


@pytest.mark.parametrize(
    "order",
    [
        {"at": 1},
        {"at": "javascript:alert(1)"},
        {"at": "race?key=a b"},
        {"step": 100},
        {"step": -1},
        {"step": True},
        {"step": "1"},
    ],
)
def test_a_tour_goes_nowhere_else(order: dict[str, Any]) -> None:
    tour = Tour()
    with pytest.raises(Problem):
        tour.go(order)
    assert tour.state() == {"at": "", "step": None}

import pytest

from servers.front.guard import Guard
from servers.front.problems import Problem

HERE = {"host": "here:8000"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"origin": "http://here:8000"},
        {"origin": "https://here:8000"},
        {"origin": "HTTP://HERE:8000"},
        {"sec-fetch-site": "same-origin", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "none", "sec-fetch-dest": "document"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"},
    ],
)
def test_programs_and_pages_of_here_and_links_are_let_in(fields: dict[str, str]) -> None:
    assert Guard().check(HERE | fields) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": "http://here"},
        {"origin": "http://here:8001"},
        {"origin": "http://here:8000.evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "://here:8000/"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "same-site", "sec-fetch-dest": "image"},
        {"sec-fetch-site": "cross-site", "sec-fetch-dest": "script"},
    ],
)
def test_pages_of_other_sites_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        Guard().check(HERE | fields)
    assert caught.value.status == 403


def test_an_empty_host_matches_no_origin() -> None:
    with pytest.raises(Problem, match="--allow-origin"):
        Guard().check({"host": "", "origin": "http://"})


def test_named_origins_are_let_in_and_returned() -> None:
    guard = Guard(frozenset({"https://Good.example/"}))
    assert guard.check(HERE | {"origin": "https://good.example"}) == "https://good.example"
    with pytest.raises(Problem, match="--allow-origin"):
        guard.check(HERE | {"origin": "http://good.example"})


def test_what_no_browser_sends_is_never_let_in() -> None:
    with pytest.raises(Problem, match="--allow-origin"):
        Guard(frozenset({"*"})).check(HERE | {"origin": "http://\u2713.example"})


def test_a_star_lets_all_in() -> None:
    assert Guard(frozenset({"*"})).check(HERE | {"origin": "http://x.example"}) is not None

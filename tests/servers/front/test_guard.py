import pytest

from servers.front.guard import Guard, read_origin
from servers.front.problems import Problem

HERE = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "HTTP://127.0.0.1:8000"},
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
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "foo://127.0.0.1:8000"},
        {"origin": "file://127.0.0.1:8000"},
        {"origin": "//127.0.0.1:8000"},
        {"origin": ""},
        {"origin": "://127.0.0.1:8000/"},
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


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://A.example/", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("null", "null"),
        ("*", "*"),
    ],
)
def test_an_origin_is_read_as_browsers_write_it(written: str, read: str) -> None:
    assert read_origin(written) == read


@pytest.mark.parametrize(
    "text",
    [
        *["", "a.example", "https://a.example/app", "https://*.example", "https://a b", "http://"],
        *["https://b\u00fccher.example", "https://u@a.example", "https://a.example:port"],
    ],
)
def test_what_no_page_can_be_of_is_told_what_an_origin_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"SCHEME://HOST\[:PORT\]"):
        read_origin(text)


def test_a_default_port_is_the_same_as_none() -> None:
    assert Guard().check({"host": "127.0.0.1:80", "origin": "http://127.0.0.1"}) is None
    assert Guard().check({"host": "127.0.0.1", "origin": "https://127.0.0.1:443"}) is None
    with pytest.raises(Problem):
        Guard().check({"host": "127.0.0.1:80", "origin": "https://127.0.0.1"})


EMBEDDED = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}


@pytest.mark.attack("publish, read, open sockets", "off", "on")
def test_one_named_origin_does_not_open_the_door_to_all_others() -> None:
    assert Guard({"*"}).check(HERE | EMBEDDED) is None
    with pytest.raises(Problem):
        Guard({"https://good.example"}).check(HERE | EMBEDDED)


REBOUND = {"host": "evil.example:8000"}
SAME_PAGE = {"origin": "http://evil.example:8000"}
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)"}


@pytest.mark.attack("let its own name point here", "off", "on")
@pytest.mark.parametrize("fields", [{}, SAME_PAGE, {"sec-fetch-site": "same-origin"}, BROWSER])
def test_a_page_that_had_its_name_rebound_gets_in_only_where_any_name_may(
    fields: dict[str, str],
) -> None:
    assert Guard(hosts={"*"}).check(REBOUND | fields) is None
    assert Guard(hosts={"evil.example"}).check(REBOUND | fields) is None
    with pytest.raises(Problem, match="--allow-host") as caught:
        Guard(hosts={"good.example"}).check(REBOUND | fields)
    assert caught.value.status == 403


def test_a_bare_word_is_for_programs_unless_it_is_allowed() -> None:
    here = {"host": "lab_pc:8000"}
    assert Guard().check(here) is None
    assert Guard(hosts={"lab_pc"}).check(here | BROWSER) is None
    for page in ({"origin": "http://lab_pc:8000"}, BROWSER, {"referer": "http://lab_pc:8000/"}):
        with pytest.raises(Problem, match="--allow-host"):
            Guard().check(here | page)


@pytest.mark.parametrize(
    ("fields", "is_known"),
    [
        ({}, True),
        ({"user-agent": "curl/8.1"}, True),
        ({"origin": "http://127.0.0.1:8000"}, True),
        (BROWSER | {"sec-fetch-site": "same-origin"}, True),
        (BROWSER | {"sec-fetch-site": "none"}, True),
        (BROWSER | {"sec-fetch-site": "cross-site"}, False),
        (BROWSER | {"sec-fetch-site": "same-site"}, False),
        (BROWSER | {"referer": "http://127.0.0.1:8000/lane?x"}, True),
        (BROWSER | {"referer": "http://127.0.0.1:8001/"}, False),
        (BROWSER | {"referer": "http://evil.example/127.0.0.1:8000"}, False),
        (BROWSER, False),
        ({"referer": "http://evil.example/"}, False),
    ],
)
def test_only_who_is_no_foreign_page_for_sure_is_known(
    fields: dict[str, str], is_known: bool
) -> None:
    assert Guard().knows(HERE | fields) is is_known
    assert Guard({"*"}).knows(HERE | fields)

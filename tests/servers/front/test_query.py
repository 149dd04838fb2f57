import re

import pytest

from servers.app import Running
from servers.front.problems import Problem
from servers.front.query import LONGEST_HOLD, Query, check_name, check_sent_ns, parse_query
from tests.servers.asking import Link, ask
from wire.cursor import Cursor
from wire.errors import CursorError


def test_nothing_asked_means_the_defaults() -> None:
    assert parse_query("") == Query()
    assert Query().channel == "lobby"
    assert Query().timeout == 25


def test_everything_asked() -> None:
    assert parse_query(
        "channel=a.b&after=e1-7&timeout=1.5&every=2&name=ana&naive=1&padding=10&binary=frames"
        "&envelope=json&sender=eva&sent_ns=5&unknown=ignored"
    ) == Query("a.b", Cursor("e1", 7), 1.5, 2.0, "ana", True, 10, True, True, "eva", 5)


def test_an_empty_value_is_none_and_the_last_of_several_counts() -> None:
    assert parse_query("after=&timeout=&every=&sent_ns=") == Query()
    assert parse_query("channel=a&channel=b").channel == "b"


@pytest.mark.parametrize("name", ["lastEventId", "lastEventID", "Last-Event-ID"])
def test_the_last_id_may_be_called_as_others_do_and_is_newer_than_after(name: str) -> None:
    for text in (f"{name}=e-9", f"{name}=e-9&after=e-1", f"after=e-1&{name}=e-9"):
        assert parse_query(text).after == Cursor("e", 9)
    assert parse_query(f"after=e-1&{name}=").after == Cursor("e", 1)
    assert parse_query(f"{name}=").after is None
    with pytest.raises(CursorError, match="earliest"):
        parse_query(f"{name}=earliest")


def test_limits_of_what_can_be_asked() -> None:
    assert parse_query("timeout=99999").timeout == LONGEST_HOLD
    assert parse_query("padding=999999").padding == 65536


def test_values_are_decoded_once() -> None:
    assert parse_query("name=50%2525+%26+more").name == "50%25 & more"


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("timeout=soon", "25 or 0.5"),
        ("timeout=-1", "25 or 0.5"),
        ("timeout=1e9", "25 or 0.5"),
        ("timeout=nan", "25 or 0.5"),
        ("every=2s", "25 or 0.5"),
        ("sent_ns=1.5", "whole number"),
        ("sent_ns=%C2%B2", "whole number"),  # a digit in other scripts, but no number to int()
        (f"sent_ns={'7' * 5000}", "whole number"),
        ("sent_ns=-1", "0 to 2^63 - 1"),
        (f"sent_ns={2**63}", "0 to 2^63 - 1"),
        ("name=%ff", "not UTF-8"),
        (f"name={'x' * 101}", "up to 100 characters"),
        ("&".join(["a=1"] * 51), "50 parameters"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_accepted(text: str, accepted: str) -> None:
    with pytest.raises(Problem, match=re.escape(accepted)) as caught:
        parse_query(text)
    assert caught.value.status == 400


@pytest.mark.parametrize("text", ["channel=", "channel=a%20b", "after=7", "after=A-1", "after=e-"])
def test_wrong_channels_and_cursors(text: str) -> None:
    with pytest.raises(CursorError):
        parse_query(text)


@pytest.mark.parametrize("value", [True, 1.0, "1", -1, 2**63])
def test_times_that_no_client_could_read(value: object) -> None:
    with pytest.raises(Problem):
        check_sent_ns(value)


def test_times_that_are_none_or_fit() -> None:
    assert check_sent_ns(None) is None
    assert check_sent_ns(0) == 0
    assert check_sent_ns(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize("name", [None, 7, b"ana", "x" * 101])
def test_no_names(name: object) -> None:
    with pytest.raises(Problem):
        check_name(name)


async def test_a_request_s_query_is_decoded_once(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=lobby")
        await link.head()
        await ask(
            here, "POST /publish?sender=50%2525%26name%3Deva", "Content-Type: text/plain", body=b""
        )
        assert b'"sender":"50%25&name=eva"' in await link.until(b'"text":""')

"""A desk gets whole answers from a server, and says in words why there is none."""

from collections.abc import Callable

import pytest

from clients.errors import ClientError, RefusedError, UnexpectedAnswerError
from clients.net.desk import Desk
from tests.clients.conftest import Script
from tests.support.processes import ServerProcess

Make = Callable[..., Script]
PLAIN = (("Content-Type", "text/plain"),)


def test_the_ledger_shows_what_was_published_on_the_same_line(
    server: ServerProcess, channel: str
) -> None:
    with Desk(server.url) as desk:
        target = desk.address.target("/publish", channel=channel)
        desk.ask("POST", target, 201, b"hello", PLAIN)
        found = desk.stats()
        assert desk.traffic.connections == 1
    assert found["channels"][channel]["messages"] == 1
    assert found["process"]["pid"] == server.child.pid


def test_another_status_is_a_refusal_and_the_line_is_kept(server: ServerProcess) -> None:
    with Desk(server.url) as desk:
        with pytest.raises(RefusedError, match="404"):
            desk.ask("GET", "/nowhere", 200)
        assert desk.stats()["process"]["pid"] == server.child.pid


def test_who_does_not_answer_is_given_up_and_asked_anew(script: Make) -> None:
    ledger = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a": "b"}'
    silent = script(["wait"], [ledger])
    with (
        Desk(silent.url, timeout=0.05) as desk,
        pytest.raises(UnexpectedAnswerError, match=r"0\.05 s"),
    ):
        desk.stats()
    silent.go_on.set()
    with Desk(silent.url) as desk:
        assert desk.stats() == {"a": "b"}


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff"])
def test_a_ledger_that_is_none_is_told(script: Make, body: bytes) -> None:
    server = script([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)])
    with Desk(server.url) as desk, pytest.raises(ClientError):
        desk.stats()

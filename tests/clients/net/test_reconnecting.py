import time

import pytest

from clients.errors import (
    ConnectionLostError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from clients.net.backoff import FIRST_S
from clients.net.reconnecting import Reconnecting, State
from wire.errors import MessageError

CUT = ConnectionLostError("cut")


def wait_of(client: Reconnecting) -> float:
    return client.retry_at - time.monotonic()


def test_it_is_new_then_open_then_lost_then_open_again() -> None:
    client = Reconnecting()
    seen = [(client.state, client.was_open)]
    for step in (client.opened, lambda: client.lost(CUT), client.opened):
        step()
        seen.append((client.state, client.was_open))
    assert seen == [(State.NEW, False), (State.OPEN, True), (State.LOST, True), (State.OPEN, True)]


def test_a_server_that_asks_a_new_client_to_wait_has_not_opened_it() -> None:
    client = Reconnecting(jitter=False)
    client.lost(RefusedError(503, "full", "later", retry_after_s=7.0))
    assert (client.state, client.was_open) == (State.LOST, False)
    assert 7 <= wait_of(client) + 0.1 <= 7 + FIRST_S


def test_each_attempt_in_a_row_waits_longer_until_it_gives_up() -> None:
    client = Reconnecting(reconnects=3, jitter=False)
    client.opened()
    waits = []
    for _ in range(3):
        client.lost(CUT)
        waits.append(client.retry_at)
    assert waits == sorted(waits)
    with pytest.raises(ConnectionLostError, match="cut; gave up after 3 reconnects"):
        client.lost(CUT)
    assert wait_of(client) <= 0  # whoever goes on all the same tries at once,
    client.lost(CUT)  # and begins a new row


@pytest.mark.parametrize("how", ["proved", "held"])
def test_a_connection_that_works_ends_the_row(how: str) -> None:
    client = Reconnecting(reconnects=1, mended_s=0.0 if how == "held" else 60.0)
    for _ in range(5):
        client.opened()
        if how == "proved":
            client.proved()
        client.lost(CUT)


def test_what_the_server_asked_all_to_wait_is_waited_at_least() -> None:
    client = Reconnecting(server_wait_s=5.0)
    client.opened()
    client.lost(CUT)
    assert wait_of(client) > 4


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (MessageError("not JSON"), UnexpectedAnswerError),
        (RefusedError(403, "forbidden", "no"), RefusedError),
        (UnreachableError("nobody there", "127.0.0.1", 1), None),
        (RefusedError(502, "bad gateway", "later"), None),
    ],
)
def test_only_what_passes_is_tried_again(error: Exception, raised: type[Exception] | None) -> None:
    client = Reconnecting()
    client.opened()
    if raised is None:
        client.lost(error)  # type: ignore[arg-type]
    else:
        with pytest.raises(raised):
            client.lost(error)  # type: ignore[arg-type]
    assert client.state is State.LOST

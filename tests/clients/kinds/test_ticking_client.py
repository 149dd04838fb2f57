"""The fixed-rate schedule, seen on a server that says what it is told to."""

import time
from collections.abc import Callable

import pytest

from clients.errors import ConnectionLostError
from clients.polling import PollingClient
from tests.clients.conftest import Script
from wire.batch import encode_batch
from wire.http_head import encode_response

EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
NOW = encode_response("200 OK", [("Content-Length", "42")], encode_batch([], "a-0"))


def test_asks_once_a_tick_and_with_the_cursor(script: Callable[..., Script]) -> None:
    server = script([NOW, *[..., EMPTY] * 20])
    began = time.monotonic()
    with PollingClient(server.url, interval=0.05) as client:
        while client.requests < 5:
            assert client.receive(0.02) is None
        assert time.monotonic() - began >= 4 * 0.05
    assert b"after" not in server.heard[0]
    assert all(b"&after=a-0 " in heard for heard in server.heard[1:5])


def test_one_that_resumes_asks_at_once(script: Callable[..., Script]) -> None:
    server = script([EMPTY])
    with PollingClient(server.url, after="a-7", interval=3600) as client:
        assert client.receive(0.5) is None
        assert client.requests == 1
        assert len(server.heard) == 1


def test_ticks_that_pass_while_waiting_are_left_out(script: Callable[..., Script]) -> None:
    server = script([NOW, ..., "wait", EMPTY, *[..., EMPTY] * 50])
    with PollingClient(server.url, interval=0.02) as client:
        assert client.receive(0.2) is None
        assert client.requests == 2  # one answer is awaited: nothing more is asked
        server.go_on.set()
        started = time.monotonic()
        assert client.receive(0.01) is None
        assert client.requests <= 3 + (time.monotonic() - started) / 0.02


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_an_interval_is_a_finite_time(interval: float) -> None:
    with pytest.raises(ValueError, match="finite number of seconds above 0"):
        PollingClient("http://127.0.0.1:1", interval=interval)


def test_slow_ticks_give_up_too(
    script: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.net.reconnecting.delay_s", lambda *_: 0.0)
    monkeypatch.setattr("clients.client.Client._mended_s", 0.01)  # far shorter than a tick
    server = script([NOW, "end"], *[["end"]] * 20)
    with (
        PollingClient(server.url, interval=0.05, reconnects=2) as client,
        pytest.raises(ConnectionLostError, match="gave up after 2"),
    ):
        client.receive(10)


def test_an_answer_counts_as_mended(
    script: Callable[..., Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.net.reconnecting.delay_s", lambda *_: 0.0)
    server = script([NOW, "end"], *[["end"], [EMPTY, "end"]] * 3, [NOW])
    with PollingClient(server.url, interval=0.05, reconnects=2) as client:
        while client.requests < 8:
            assert client.receive(0.1) is None

import time
from collections.abc import Callable

import pytest

from clients.errors import RefusedError, UnexpectedAnswerError
from clients.sse import SseClient
from wire.message import Message, encode_message

from .conftest import Script

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nDuplex-Cursor: a-0\r\n\r\n"
Make = Callable[..., Script]


def event(number: int) -> bytes:
    json = encode_message(Message(number, "", 1, 2, f"{number}"))
    return b"id: a-%d\ndata: %b\n\n" % (number, json)


def test_reconnects_after_the_servers_time_with_the_last_id(script: Make) -> None:
    server = script(
        [HEAD + b"retry: 300\n\n" + event(1) + event(2)[:9], "end"],
        [HEAD + b"retry: 10\n\n" + event(2)],
    )
    with SseClient(server.url) as client:
        assert client.cursor == "a-0"
        assert client.receive(5) == Message(1, "", 1, 2, "1")
        lost = time.monotonic()
        assert client.receive(5) == Message(2, "", 1, 2, "2")
        assert time.monotonic() - lost >= 0.3
    assert b"Last-Event-ID" not in server.heard[0]
    assert b"\r\nLast-Event-ID: a-1\r\n" in server.heard[1]


def test_a_media_type_may_be_in_capitals(script: Make) -> None:
    server = script([HEAD.replace(b"text/event-stream", b"Text/Event-Stream") + event(1)])
    with SseClient(server.url) as client:
        assert client.receive(5) is not None


def test_no_content_means_stay_away(script: Make) -> None:
    server = script([HEAD, "end"], [b"HTTP/1.1 204 No Content\r\n\r\n"])
    with SseClient(server.url) as client, pytest.raises(RefusedError, match="204"):
        client.receive(5)


def test_comes_later_when_asked_to(script: Make) -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    server = script([busy, "end"], [HEAD + event(1)])
    with SseClient(server.url) as client:
        assert client.receive(5) is not None
        assert client.requests == 2


def test_refusing_without_a_time_is_final_at_first(script: Make) -> None:
    full = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"
    with pytest.raises(RefusedError, match="full"):
        SseClient(script([full]).url)


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>It works", b"SSH-2.0-OpenSSH\r\n\r\n"],
)
def test_another_server_is_said(script: Make, answer: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        SseClient(script([answer]).url)


def test_what_is_no_message_is_said(script: Make) -> None:
    server = script([HEAD + b"data: hola\n\n"], [HEAD + event(1)])
    with SseClient(server.url) as client:
        with pytest.raises(UnexpectedAnswerError, match="JSON"):
            client.receive(5)
        assert client.receive(5) is not None  # it may be used on


def test_a_message_before_what_is_none_is_not_passed_over(script: Make) -> None:
    server = script([HEAD + event(1) + b"id: a-2\ndata: hola\n\n"], [HEAD + event(1) + event(3)])
    with SseClient(server.url) as client:
        with pytest.raises(UnexpectedAnswerError, match="JSON"):
            client.receive(5)
        assert client.cursor == "a-0"
        assert client.receive(5) == Message(1, "", 1, 2, "1")


def test_a_wait_longer_than_the_system_can_count(
    script: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nap(seconds: float) -> None:
        if seconds > 86_400:
            raise OverflowError
        raise KeyboardInterrupt

    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n"
    server = script([busy % (b"9" * 400)])
    monkeypatch.setattr("clients.net.schedule.time.sleep", nap)
    with pytest.raises(KeyboardInterrupt):
        SseClient(server.url)

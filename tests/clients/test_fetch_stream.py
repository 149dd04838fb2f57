from collections.abc import Callable

import pytest

from clients.errors import ConnectionLostError, RefusedError, UnexpectedAnswerError
from clients.fetch_stream import FetchStreamClient
from tests.support.processes import ServerProcess
from wire.message import Message, encode_message

from .conftest import Script

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nDuplex-Cursor: a-%d\r\n\r\n\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
Make = Callable[..., Script]


def line(number: int) -> bytes:
    return encode_message(Message(number, "", 1, 2, f"{number}")) + b"\n"


def test_comes_back_with_the_cursor_of_the_last_whole_line(script: Make) -> None:
    server = script([HEAD % 0 + line(1) + line(2)[:-1], "end"], [HEAD % 1 + line(2)])
    with FetchStreamClient(server.url) as client:
        assert client.cursor == "a-0"
        assert client.receive(5) == Message(1, "", 1, 2, "1")
        assert client.receive(5) == Message(2, "", 1, 2, "2")
    assert b"after=" not in server.heard[0]
    assert b"after=a-1 " in server.heard[1]


def test_a_question_is_asked_once(script: Make) -> None:
    """Whoever was cut does not know whether it was heard: its answer goes on from the cursor."""
    server = script([HEAD % 1 + line(2), "end"], [HEAD % 2 + line(3)])
    with FetchStreamClient(server.url, question="who?", name="ana") as client:
        assert [client.receive(5), client.receive(5)] == [
            Message(number, "", 1, 2, f"{number}") for number in (2, 3)
        ]
    assert server.heard[0].startswith(b"POST /fetch_stream?channel=lobby&name=ana&sender=ana HTTP")
    assert server.heard[0].endswith(b"\r\n\r\nwho?")
    assert server.heard[1].startswith(b"GET /fetch_stream?channel=lobby&after=a-2&name=ana HTTP")


def test_a_question_that_was_refused_is_asked_again(script: Make) -> None:
    server = script([BUSY, "end"], [HEAD % 1 + line(2)])
    with FetchStreamClient(server.url, question=b"\0") as client:
        assert client.receive(5) is not None
    assert all(heard.startswith(b"POST ") for heard in server.heard)
    assert all(b"application/octet-stream" in heard for heard in server.heard)


def test_a_question_that_was_cut_is_not_asked_again(script: Make) -> None:
    server = script([b"HTTP/1.1 200", "end"])
    with pytest.raises(ConnectionLostError):
        FetchStreamClient(server.url, question="who?")


def test_a_refusal_is_told(script: Make) -> None:
    full = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"
    with pytest.raises(RefusedError, match="full"):
        FetchStreamClient(script([full]).url)


def test_another_server_is_said(script: Make) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>It works"
    with pytest.raises(UnexpectedAnswerError, match="x-ndjson"):
        FetchStreamClient(script([page]).url)


def test_a_question_and_its_answer_are_one_request(server: ServerProcess, channel: str) -> None:
    with FetchStreamClient(server.url, channel, question="who?", name="ana") as client:
        client.send("me", sender="bob")
        joined, answer = (client.receive(5) for _ in range(2))
        assert isinstance(joined, Message)
        assert joined.presence == "joined"
        assert isinstance(answer, Message)
        assert (answer.id, answer.sender, answer.body) == (3, "bob", "me")
        assert client.requests == 2  # with the one that sent

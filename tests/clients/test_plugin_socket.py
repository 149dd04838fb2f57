from collections.abc import Callable

import pytest

from clients.errors import RefusedError, UnexpectedAnswerError
from clients.plugin_socket import PluginSocketClient
from tests.support.processes import ServerProcess
from wire.message import Message, encode_message

from .conftest import Script

HELLO = b'{"channel":"lobby","cursor":"a-0"}\0'
ONE = Message(1, "", 1, 2, "1")


def plugin(server: Script) -> PluginSocketClient:
    return PluginSocketClient("http://127.0.0.1:1", plugin_port=server.port)


def test_heartbeats_are_not_messages_and_lines_come_in_pieces(
    script: Callable[..., Script],
) -> None:
    line = encode_message(ONE) + b"\0"
    server = script([HELLO + b"\0" + line[:9], "wait", line[9:] + b"\0\0"])
    with plugin(server) as client:
        assert client.receive(0.02) is None
        server.go_on.set()
        assert client.receive(5) == ONE
        assert client.cursor == "a-1"
        assert client.receive(0.02) is None
        assert client.requests == 0
    assert server.heard == [b'{"channel":"lobby"}\0']


def test_signs_of_life_may_come_before_the_first_line(script: Callable[..., Script]) -> None:
    """They do where the client's own first line took long."""
    server = script([b"\0", "wait", b"\0" + HELLO + encode_message(ONE) + b"\0"])
    server.go_on.set()
    with plugin(server) as client:
        assert client.receive(5) == ONE


def test_a_problem_waits_until_the_messages_before_it_were_taken(
    script: Callable[..., Script],
) -> None:
    problem = b'{"problem":{"status":413,"title":"too large","detail":"at most 1 MiB"}}\0'
    server = script([HELLO + encode_message(ONE) + b"\0" + problem])
    with plugin(server) as client:
        assert client.receive(5) == ONE
        with pytest.raises(RefusedError, match="413 too large: at most 1 MiB"):
            client.receive(5)


def test_another_server_is_said(script: Callable[..., Script]) -> None:
    for line in (b"{}\0", b"HTTP/1.1 400 Bad Request\0"):
        with pytest.raises(UnexpectedAnswerError):
            plugin(script([line]))


def test_a_refused_line_does_not_end_the_conversation(server: ServerProcess, channel: str) -> None:
    with PluginSocketClient(server.url, channel, plugin_port=server.plugin_port) as client:
        client.send("x", sent_ns=10**30)
        with pytest.raises(RefusedError) as caught:
            client.receive(10)
        assert caught.value.status == 400
        client.send("y")
        item = client.receive(10)
        assert isinstance(item, Message)
        assert item.body == "y"

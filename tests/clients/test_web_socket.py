import contextlib
from collections.abc import Callable

import pytest

from clients.client import Client
from clients.errors import ConnectionLostError, RefusedError, UnexpectedAnswerError
from clients.web_socket import WebSocketClient
from tests.support.processes import ServerProcess
from wire.message import Message

from .conftest import Script

Connect = Callable[..., Client]


@pytest.mark.parametrize("options", [{}, {"binary_frames": True}, {"compress": True}])
def test_bytes_come_down_whole(connect: Connect, options: dict[str, bool]) -> None:
    client = connect("web_socket", **options)
    body = bytes(range(256)) * 300
    client.send(body)
    client.send("text " * 1000, sender="ana", sent_ns=4)
    first, second = client.receive(10), client.receive(10)
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert first.body == body
    assert (second.body, second.sender, second.sent_ns) == ("text " * 1000, "ana", 4)


def test_binary_frames_are_smaller_than_base64(connect: Connect) -> None:
    plain, binary = connect("web_socket"), connect("web_socket", binary_frames=True)
    before = [plain.bytes_down, binary.bytes_down]
    plain.send(b"\xff" * 3000)
    assert plain.receive(10) == binary.receive(10)
    assert plain.bytes_down - before[0] > 4000
    assert 3000 < binary.bytes_down - before[1] < 3300


@pytest.mark.slow
def test_compression_where_the_server_allows_it() -> None:
    server = ServerProcess("--deflate")
    try:
        with WebSocketClient(server.url, compress=True) as client:
            before = client.bytes_down, client.bytes_up
            client.send("x" * 5000)
            item = client.receive(10)
            assert isinstance(item, Message)
            assert item.body == "x" * 5000
            assert client.bytes_down - before[0] < 1000
            assert client.bytes_up - before[1] < 1000
    finally:
        server.stop()


def test_a_bare_frame_is_its_text_alone(connect: Connect) -> None:
    client = connect("web_socket", envelope=False)
    before = client.bytes_up
    client.send('{"text":"not read"}')
    assert client.bytes_up - before == 19 + 6  # two bytes of head, four of mask
    item = client.receive(10)
    assert isinstance(item, Message)
    assert item.body == '{"text":"not read"}'
    with pytest.raises(ValueError, match="envelope=True"):
        client.send("x", sent_ns=1)


def test_ping_keeps_what_comes_in_between(connect: Connect) -> None:
    client = connect("web_socket")
    client.send("one")
    assert 0 < client.ping() < 10  # type: ignore[attr-defined]
    client.send("two")
    bodies = [item.body for _ in range(2) if isinstance(item := client.receive(10), Message)]
    assert bodies == ["one", "two"]


def test_a_message_too_big_is_refused(connect: Connect) -> None:
    client = connect("web_socket")
    with contextlib.suppress(ConnectionLostError):  # the server may hang up before it has all
        client.send("x" * 5_000_000)
    with pytest.raises(RefusedError) as caught:
        client.receive(20)
    assert caught.value.status == 1009
    assert client.receive(0.5) is None  # connected again
    client.send("small")
    item = client.receive(10)
    assert isinstance(item, Message)
    assert item.body == "small"


def test_a_refused_envelope_does_not_end_the_conversation(connect: Connect) -> None:
    client = connect("web_socket")
    client.send("x", sent_ns=10**30)
    with pytest.raises(RefusedError) as caught:
        client.receive(10)
    assert caught.value.status == 400
    assert client.requests == 1
    client.send("y")
    item = client.receive(10)
    assert isinstance(item, Message)
    assert item.body == "y"


def test_a_foreign_origin_is_refused(connect: Connect) -> None:
    with pytest.raises(RefusedError) as caught:
        connect("web_socket", extra_headers=(("Origin", "http://evil.example"),))
    assert caught.value.status == 403


def test_a_wrong_accept_value_is_not_taken(script: Callable[..., Script]) -> None:
    answer = (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n"
    )
    with pytest.raises(UnexpectedAnswerError, match="Sec-WebSocket-Accept"):
        WebSocketClient(script([answer]).url)

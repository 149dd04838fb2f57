import base64
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from clients.errors import ConnectionLostError, RefusedError, UnexpectedAnswerError
from clients.net.address import parse_address
from clients.net.web_socket_connection import WebSocketConnection
from tests.clients.conftest import end_socket
from tests.support.processes import ServerProcess
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_handshake import accept_key
from wire.web_socket_messages import Binary, Close, MessageDecoder, Ping, Pong, Text, encode_close

Peer = tuple[socket.socket, MessageDecoder]
Pair = Callable[..., tuple[WebSocketConnection, Peer]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection and the socket of a server that a test plays itself."""
    with contextlib.ExitStack() as stack:

        def make(first: bytes = b"") -> tuple[WebSocketConnection, Peer]:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            accepted: list[socket.socket] = []

            def shake() -> None:
                end, _ = listener.accept()
                accepted.append(stack.enter_context(end))
                end.settimeout(10)
                match = re.search(rb"Sec-WebSocket-Key: (\S+)\r\n", end.recv(65536))
                assert match is not None
                assert len(base64.b64decode(match[1])) == 16
                end.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: %b\r\n\r\n"
                    % accept_key(match[1].decode()).encode()
                    + first
                )

            thread = threading.Thread(target=shake)
            thread.start()
            address = parse_address(f"http://127.0.0.1:{listener.getsockname()[1]}")
            near = stack.enter_context(WebSocketConnection(address, "/"))
            thread.join(10)
            stack.callback(end_socket, accepted[0])  # so that closing need not wait for it
            return near, (accepted[0], MessageDecoder(masked=True, limit=2**20))

        yield make


def heard(peer: Peer) -> list[object]:
    end, decoder = peer
    events: list[object] = []
    while not events:
        data = end.recv(65536)
        if not data:
            return ["end"]
        events += decoder.decode(data)
    return events


def text(body: str) -> bytes:
    return encode_frame(Opcode.TEXT, body.encode())


def test_echoes_text_and_binary_of_all_head_sizes(server: ServerProcess) -> None:
    with WebSocketConnection(parse_address(server.url), "/web_socket/echo") as echo:
        for size in (0, 125, 126, 65535, 65536, 1_000_000):
            echo.send("é" * (size // 2))
            assert echo.receive(10) == "é" * (size // 2)
            echo.send(b"\xff" * size)
            assert echo.receive(10) == b"\xff" * size
        assert echo.receive(0.01) is None
        assert echo.ping() > 0
    assert echo.protocol is None


def test_frames_with_the_handshake_fragments_and_pings_between(pair: Pair) -> None:
    near, peer = pair(text("with the head"))
    assert near.receive(5) == "with the head"
    end, _ = peer
    end.sendall(encode_frame(Opcode.TEXT, b"ho", fin=False))
    assert near.receive(0.02) is None
    end.sendall(encode_frame(Opcode.PING, b"?") + encode_frame(Opcode.CONTINUATION, b"la"))
    assert near.receive(5) == "hola"
    assert heard(peer) == [Pong(b"?")]


def test_masks_every_frame_with_a_fresh_key(pair: Pair) -> None:
    near, (end, _) = pair()
    frames = []
    for _ in range(8):
        near.send("same")
        frames.append(end.recv(100))
    assert len({frame[2:6] for frame in frames}) == 8
    assert {frame[:2] for frame in frames} == {b"\x81\x84"}


def test_ping_keeps_what_comes_before_the_pong(pair: Pair) -> None:
    near, peer = pair()

    def answer() -> None:
        (ping,) = heard(peer)
        assert isinstance(ping, Ping)
        peer[0].sendall(text("between") + encode_frame(Opcode.PONG, ping.payload) + text("after"))

    thread = threading.Thread(target=answer)
    thread.start()
    assert near.ping(5) > 0
    thread.join(5)
    assert [near.receive(5), near.receive(5)] == ["between", "after"]
    with pytest.raises(ConnectionLostError, match="no Pong"):
        near.ping(0.02)


def test_this_end_closes(pair: Pair) -> None:
    near, peer = pair()

    def answer() -> None:
        assert heard(peer) == [Close(1000, "bye")]
        peer[0].sendall(encode_close(1000))
        peer[0].shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=answer)
    thread.start()
    near.close(1000, "bye")
    thread.join(5)
    with pytest.raises(ConnectionLostError, match="this end"):
        near.receive(1)


def test_the_server_closes_after_its_last_message(pair: Pair) -> None:
    near, peer = pair()
    peer[0].sendall(text("last") + encode_close(1001, "moving"))
    peer[0].shutdown(socket.SHUT_WR)
    assert near.receive(5) == "last"
    with pytest.raises(ConnectionLostError, match="1001 moving"):
        near.receive(5)
    assert near.close_code == 1001
    assert heard(peer) == [Close(1001, "")]


def test_codes_that_find_fault_with_us_are_refusals(pair: Pair) -> None:
    near, peer = pair()
    peer[0].sendall(encode_close(1008, "no such thing"))
    peer[0].shutdown(socket.SHUT_WR)
    with pytest.raises(RefusedError, match="1008 policy violation: no such thing"):
        near.receive(5)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (encode_frame(Opcode.TEXT, b"x", mask=b"abcd"), 1002),
        (encode_frame(Opcode.TEXT, b"\xff"), 1007),
        (b"\x83\x00", 1002),
    ],
)
def test_a_server_that_breaks_the_protocol_is_failed(pair: Pair, frame: bytes, code: int) -> None:
    near, peer = pair()
    peer[0].sendall(text("good") + frame)
    assert near.receive(5) == "good"
    with pytest.raises(UnexpectedAnswerError, match=f"{code}"):
        near.receive(5)
    (close,) = heard(peer)
    assert isinstance(close, Close)
    assert close.code == code


def test_an_end_without_a_close_is_a_lost_connection(pair: Pair) -> None:
    near, peer = pair()
    peer[0].shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionLostError, match="without a Close"):
        near.receive(5)


def test_events_tell_text_from_binary(pair: Pair) -> None:
    near, peer = pair()
    peer[0].sendall(text("t") + encode_frame(Opcode.BINARY, b"b"))
    got: list[object] = []
    while len(got) < 2:
        got += near.events(None) or ()
    assert got == [Text("t"), Binary(b"b")]


def test_what_came_with_a_ping_outlives_the_connection(pair: Pair) -> None:
    near, peer = pair()
    reset = struct.pack("ii", 1, 0)
    peer[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    peer[0].sendall(text("last") + encode_frame(Opcode.PING, b"still there?"))
    peer[0].close()
    assert near.receive(5) == "last"
    with pytest.raises(ConnectionLostError):
        near.receive(5)


def test_a_ping_before_a_broken_frame_hides_no_fault(pair: Pair) -> None:
    near, peer = pair()
    peer[0].sendall(encode_frame(Opcode.PING, b"") + b"\x83\x00")
    with pytest.raises(UnexpectedAnswerError, match="opcode 3"):
        near.receive(5)

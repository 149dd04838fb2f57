import pytest

from servers.front.problems import Problem
from servers.kinds import web_socket_peer as module
from servers.kinds.web_socket_echo import _NO_CHANNEL, Echo
from servers.kinds.web_socket_peer import PING, WebSocketPeer
from servers.service import Service, Settings, make_service
from tests.servers.standing_in import FakeTransport
from tests.support.waiting import until
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import encode_close

MASK = b"\1\2\3\4"
CLOSE = b"\x88"


@pytest.fixture
async def service() -> Service:
    return make_service(Settings())


@pytest.fixture
async def peer(service: Service) -> WebSocketPeer:
    peer = Echo(service, _NO_CHANNEL, None, b"", limit=1000)
    peer.connection_made(FakeTransport())
    return peer


def said(peer: WebSocketPeer) -> bytes:
    transport = peer.transport
    assert isinstance(transport, FakeTransport)
    return transport.take()


def up(opcode: Opcode, payload: bytes, **more: bool) -> bytes:
    return encode_frame(opcode, payload, mask=MASK, **more)


async def test_a_ping_is_answered_with_its_payload(peer: WebSocketPeer) -> None:
    peer.data_received(up(Opcode.PING, b"there?"))
    assert said(peer) == encode_frame(Opcode.PONG, b"there?")


async def test_a_ping_may_stand_inside_a_fragmented_message(peer: WebSocketPeer) -> None:
    peer.data_received(up(Opcode.TEXT, b"in ", fin=False) + up(Opcode.PING, b"?"))
    assert said(peer) == encode_frame(Opcode.PONG, b"?")
    peer.data_received(up(Opcode.CONTINUATION, b"two"))
    assert said(peer) == encode_frame(Opcode.TEXT, b"in two")


async def test_frames_may_come_byte_by_byte(peer: WebSocketPeer) -> None:
    for byte in up(Opcode.BINARY, b"\xff" * 200) + up(Opcode.TEXT, b"hola"):
        peer.data_received(bytes([byte]))
    assert said(peer) == (
        encode_frame(Opcode.BINARY, b"\xff" * 200) + encode_frame(Opcode.TEXT, b"hola")
    )


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_close_is_echoed_and_the_server_closes_first(
    peer: WebSocketPeer, code: int
) -> None:
    peer.data_received(encode_close(code, "good-bye", mask=MASK) + up(Opcode.TEXT, b"ignored"))
    assert said(peer) == encode_close(code)
    assert peer.transport.is_closing()


async def test_a_close_without_a_code_is_answered_without_one(peer: WebSocketPeer) -> None:
    peer.data_received(up(Opcode.CLOSE, b""))
    assert said(peer) == b"\x88\0"
    assert peer.transport.is_closing()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode_frame(Opcode.TEXT, b"not masked"), 1002),
        (b"\x83\x80" + MASK, 1002),
        (up(Opcode.TEXT, b"\xff"), 1007),
        (up(Opcode.TEXT, b"x" * 1001), 1009),
        (up(Opcode.CONTINUATION, b"of nothing"), 1002),
        (up(Opcode.CLOSE, b"\x03"), 1002),
    ],
)
async def test_who_breaks_the_protocol_is_told_the_code(
    peer: WebSocketPeer, data: bytes, code: int
) -> None:
    peer.data_received(up(Opcode.TEXT, b"before") + data)
    answer = said(peer)
    echo = encode_frame(Opcode.TEXT, b"before")
    assert answer.startswith(echo + CLOSE)
    assert int.from_bytes(answer[len(echo) + 2 :][:2], "big") == code
    assert peer.transport.has_ended  # type: ignore[attr-defined]
    peer.data_received(up(Opcode.TEXT, b"after") + up(Opcode.PING, b"?"))
    assert said(peer) == b""


async def test_the_server_s_close_waits_for_the_answer(peer: WebSocketPeer) -> None:
    peer.finish()
    peer.finish()
    answer = said(peer)
    assert answer.startswith(CLOSE)
    assert answer[2:4] == (1001).to_bytes(2, "big")
    assert not peer.transport.is_closing()
    peer.data_received(encode_close(1001, mask=MASK))
    assert peer.transport.is_closing()


async def test_the_server_does_not_wait_for_ever(
    peer: WebSocketPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER_SECONDS", 0.01)
    peer.finish()
    await until(peer.transport.is_closing, "it has closed")


async def test_a_ping_without_a_pong_ends_the_connection(peer: WebSocketPeer) -> None:
    peer.beat()
    assert said(peer) == PING
    peer.data_received(up(Opcode.PONG, b""))
    peer.check()
    assert not peer.transport.is_closing()
    peer.beat()
    peer.check()
    assert peer.transport.is_closing()


async def test_who_sends_a_long_message_is_alive_though_its_pong_waits_behind(
    peer: WebSocketPeer,
) -> None:
    message = up(Opcode.BINARY, bytes(900))
    peer.data_received(message[:300])
    for start in (300, 600):
        peer.beat()
        peer.data_received(message[start : start + 300])
        peer.check()
        assert not peer.transport.is_closing()
    peer.beat()
    peer.check()
    assert peer.transport.is_closing()


async def test_who_does_not_read_is_not_pinged_and_gets_no_pongs(peer: WebSocketPeer) -> None:
    peer.pause_writing()
    peer.beat()
    peer.data_received(up(Opcode.PING, b"?"))
    assert said(peer) == b""
    peer.check()
    assert not peer.transport.is_closing()  # slow, not dead


async def test_who_sends_what_is_wrong_is_told_or_closed_if_it_does_not_read(
    peer: WebSocketPeer,
) -> None:
    peer.complain(Problem(400, "no JSON"))
    assert b'"detail":"no JSON"' in said(peer)
    peer.pause_writing()
    peer.complain(Problem(400, "no JSON"))
    answer = said(peer)
    assert answer.startswith(CLOSE)
    assert answer[2:4] == (1008).to_bytes(2, "big")
    # Nothing more of it is decoded, so not even its answer is seen.
    peer.data_received(up(Opcode.CLOSE, b""))
    assert not peer.transport.is_closing()

"""The opening handshake of WebSocket (RFC 6455, 4), who is let in, and what frames weigh."""

import json

import pytest

from tests.conformance.steps import ORIGIN, Desk, check_problem, raw_to
from tests.support.processes import ServerAddress, ServerProcess
from wire.message import Message, encode_message

KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
ACCEPT = "HSmrc0sMlYUkAGmm5OPpG2HaGWk="
GOOD = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def lines(fields: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in fields.items()]


@pytest.mark.parametrize("path", ["/web_socket", "/web_socket/echo"])
def test_the_answer_to_a_good_handshake(path: str, server: ServerAddress) -> None:
    """A browser checks the answer to the letter, and opens nothing where one field is wrong."""
    with raw_to(server) as raw:
        raw.get(path, *lines(GOOD))
        head = raw.head()
    assert head.status == 101
    assert head.fields["upgrade"].lower() == "websocket"
    assert head.fields["connection"].lower() == "upgrade"
    assert head.fields["sec-websocket-accept"] == ACCEPT
    assert "sec-websocket-protocol" not in head.fields
    assert "sec-websocket-extensions" not in head.fields


@pytest.mark.parametrize(
    ("offered", "selected"),
    [
        ("duplex.v1", "duplex.v1"),
        ("chat, duplex.v1", "duplex.v1"),
        ("duplex.v2", None),
        ("DUPLEX.V1", None),
    ],
)
def test_the_subprotocol_is_selected_where_it_is_offered(
    offered: str, selected: str | None, server: ServerAddress
) -> None:
    """A browser closes at once where a protocol is chosen that it did not offer."""
    with raw_to(server) as raw:
        raw.get("/web_socket", *lines(GOOD), f"Sec-WebSocket-Protocol: {offered}")
        assert raw.head().fields.get("sec-websocket-protocol") == selected


def test_an_offered_extension_is_not_taken(server: ServerAddress) -> None:
    """Every browser offers compression; who compares bytes must get them as they are."""
    with raw_to(server) as raw:
        raw.get("/web_socket", *lines(GOOD), "Sec-WebSocket-Extensions: permessage-deflate")
        assert "sec-websocket-extensions" not in raw.head().fields


def test_frames_sent_before_the_answer_refuse_the_handshake(
    server: ServerAddress, channel: str
) -> None:
    """Who speaks before the answer may be a proxy's smuggler: refused, not half understood."""
    head = "\r\n".join([f"GET /web_socket?channel={channel} HTTP/1.1", "Host: x", *lines(GOOD)])
    with raw_to(server) as raw:
        raw.send(head.encode() + b"\r\n\r\n\x81\x84\0\0\0\0hola")
        assert raw.head().status == 400
    with raw_to(server) as raw:
        raw.send(head.encode())
        raw.send(b"\r\n\r\n\x81\x84\0\0\0\0hola")
        assert raw.head().status == 400


@pytest.mark.words
@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({"Sec-WebSocket-Version": "8"}, 426, "13"),
        ({"Sec-WebSocket-Version": ""}, 426, "13"),
        ({"Sec-WebSocket-Version": "13, 8"}, 426, "13"),
        ({"Sec-WebSocket-Key": "short"}, 400, "Sec-WebSocket-Key"),
        ({"Sec-WebSocket-Key": ""}, 400, "Sec-WebSocket-Key"),
        ({"Sec-WebSocket-Key": KEY.replace("=", "")}, 400, "Sec-WebSocket-Key"),
        ({"Sec-WebSocket-Key": "ř3JJHMbDL1EzLkh9GBhXDw=="}, 400, "Sec-WebSocket-Key"),
        ({"Upgrade": "h2c"}, 426, "websocket"),
        ({"Connection": "keep-alive"}, 400, "Connection"),
        ({"Origin": "http://evil.example"}, 403, "--allow-origin"),
        ({"Origin": "null"}, 403, "--allow-origin"),
    ],
)
@pytest.mark.parametrize("path", ["/web_socket", "/web_socket/echo"])
def test_a_wrong_handshake_is_refused_and_told_why(
    path: str, changed: dict[str, str], status: int, says: str, server: ServerAddress
) -> None:
    """An old browser needs to learn the version, and a page of another site must be kept out."""
    with raw_to(server) as raw:
        fields = "\r\n".join(lines(GOOD | changed))
        raw.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n".encode())
        head = raw.head()
        body = raw.exactly(head.length or 0)
    assert head.status == status
    check_problem(status, dict(head.fields), body, says)
    if status == 426:
        assert head.fields["sec-websocket-version"] == "13"
        assert head.fields["upgrade"].lower() == "websocket"


def test_a_plain_get_of_the_web_socket_is_told_to_upgrade(desk: Desk) -> None:
    """Somebody types the address into a browser: the answer says what it is."""
    status, fields, body = desk.ask("GET", "/web_socket")
    assert status == 426
    assert fields["sec-websocket-version"] == "13"
    check_problem(426, fields, body)


def test_pages_of_this_server_are_let_in(server: ServerAddress) -> None:
    """The server's own pages may come by http, or by https through a proxy in front of it."""
    for origin in (server.url, server.url.replace("http:", "https:")):
        with raw_to(server) as raw:
            host = server.url.partition("//")[2]
            fields = [f"Host: {host}", f"Origin: {origin}", *lines(GOOD)]
            raw.send("\r\n".join(["GET /web_socket HTTP/1.1", *fields, "", ""]).encode())
            assert raw.head().status == 101


def test_pages_of_named_origins_are_let_in(optioned: ServerProcess) -> None:
    """A WebSocket obeys no same-origin policy: without this, any site could talk in a visitor's
    name.
    """
    for origin, status in [
        (ORIGIN, 101),
        (ORIGIN.replace("https:", "http:"), 403),
        (f"{ORIGIN}.evil.example", 403),
    ]:
        with raw_to(optioned) as raw:
            raw.get("/web_socket", *lines(GOOD), f"Origin: {origin}")
            assert raw.head().status == status


@pytest.mark.parametrize(
    ("size", "down", "up"), [(125, 2, 6), (126, 4, 8), (65_535, 4, 8), (65_536, 10, 14)]
)
def test_frame_heads_have_2_4_or_10_bytes_down_and_6_8_or_14_up(
    size: int, down: int, up: int, server: ServerAddress
) -> None:
    """The course tells what a frame costs; on small messages one byte is a lesson."""
    if size <= 125:
        length = bytes([0x80 | size])
    elif size <= 65_535:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    sent = b"\x82" + length + b"\0\0\0\0" + b"x" * size
    assert len(sent) == up + size
    with raw_to(server) as raw:
        raw.get("/web_socket/echo", *lines(GOOD))
        raw.head()
        raw.send(sent)
        received = raw.exactly(down + size)
        assert received[down:] == b"x" * size
        raw.send(b"\x89\x80\0\0\0\0")  # nothing stands between the echo and the pong
        assert raw.exactly(2) == b"\x8a\0"


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_message_costs_its_json_and_the_frame_head(
    size: int, head: int, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Overhead is what the technique adds to the same JSON, and this is all that WebSocket adds."""
    # The two times have as many digits as the host's clock has just now.
    clock = json.loads(desk.ask("GET", "/clock")[2])["monotonic_ns"]
    bare = len(encode_message(Message(1, "", 0, clock, "")))
    with raw_to(server) as raw:
        raw.get(f"/web_socket?channel={channel}", *lines(GOOD))
        raw.head()
        desk.publish(channel, "x" * (size - bare), sent_ns=0)
        while (start := raw.exactly(2)) == b"\x89\0":  # a sign of life may come first
            pass
        frame = start + raw.exactly(head + size - 2)
        assert json.loads(frame[head:])["id"] == 1

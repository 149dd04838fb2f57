import json

import pytest

from servers.app import Running, running
from servers.service import Settings
from tests.servers.asking import Link, ask
from tests.servers.framing import OPENING, open_socket, read_frame
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import MessageDecoder, Text


async def test_the_exact_bytes_of_the_answer(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /web_socket/echo", *OPENING, "Sec-WebSocket-Protocol: chat, duplex.v1")
        said = (await link.until(b"\r\n\r\n")).decode()
    first, *fields = said.strip().split("\r\n")
    assert first == "HTTP/1.1 101 Switching Protocols"
    assert set(fields) == {
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Protocol: duplex.v1",
        "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=",
    }


async def test_a_refused_handshake_opens_nothing(here: Running) -> None:
    row = here.service.row("web_socket")
    for path in ("/web_socket", "/web_socket/echo"):
        (await ask(here, f"GET {path}")).check_problem(426, "Upgrade: websocket")
    assert (row.requests, row.open, row.connections) == (0, 0, 0)


async def test_a_handshake_is_a_request_with_all_its_bytes(here: Running) -> None:
    row = here.service.row("web_socket")
    async with Link(here.port) as link:
        await open_socket(link, "/web_socket/echo")
        asked = "\r\n".join(["GET /web_socket/echo HTTP/1.1", "Host: here", *OPENING, "", ""])
        assert (row.requests, row.bytes_up) == (1, len(asked))


@pytest.mark.parametrize(("allowed", "agreed"), [(True, True), (False, False)])
async def test_deflate_is_taken_only_where_it_is_allowed(allowed: bool, agreed: bool) -> None:
    async with running(Settings(deflate=allowed)) as server, Link(server.port) as link:
        fields = await open_socket(
            link, "/web_socket?channel=x", "Sec-WebSocket-Extensions: permessage-deflate"
        )
        assert ("sec-websocket-extensions" in fields) is agreed
        server.service.channel("x").publish("x" * 10_000)
        first, payload = await read_frame(link)
        assert bool(first & 0x40) is agreed
        decoder = MessageDecoder(masked=False, limit=2**20, deflate=agreed)
        frame = encode_frame(Opcode.TEXT, payload, rsv1=agreed)
        (event,) = decoder.decode(frame)
        assert isinstance(event, Text)
        assert json.loads(event.text)["text"] == "x" * 10_000
        assert (len(payload) < 1000) is agreed

"""Connections that change hands: aiohttp, a slim protocol, and back.

Every request on a connection passes the same checks, whoever reads it; nothing that a client sent
is lost, answered twice or sent in circles.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from servers.app import Running, running
from servers.front.handover import Front, Listener
from servers.front.ledger import Ledger
from servers.service import Settings
from tests.support.raw import RawSocket, get, upgrade
from tests.support.waiting import eventually
from tests.unbreakable.serving import Server, serving

pytestmark = pytest.mark.slow

POST = (
    b"POST /publish?channel=%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)


def post(channel: str, text: bytes) -> bytes:
    return POST % (channel.encode(), len(text), text)


def test_a_poll_connection_is_given_back_and_taken_again(server: Server) -> None:
    with RawSocket(server.port) as talk:
        for number in range(1, 4):
            talk.send(get("/polling?channel=back"))
            batch = json.loads(talk.answer().body)
            talk.send(post("back", b"hola"))
            assert json.loads(talk.answer().body)["id"] == number
            talk.send(get(f"/polling?channel=back&after={batch['cursor']}"))
            assert len(json.loads(talk.answer().body)["messages"]) == 1
    rows = eventually(
        lambda: (rows := server.stats()["techniques"])["polling"]["open"] == 0 and rows,
        "the connection to be let go",
    )
    assert rows["polling"]["requests"] == 6


@pytest.mark.parametrize("cut", [1, 3, 4, 30, 200])
def test_a_request_cut_anywhere_survives_being_given_back(server: Server, cut: int) -> None:
    with RawSocket(server.port, get("/polling")) as talk:
        talk.answer()
        request = post("cut", b"x" * 300)
        talk.send(request[:cut])
        server.stats()  # the first part has arrived by now
        talk.send(request[cut:])
        assert talk.answer().status == 201


def test_requests_sent_ahead_are_answered_in_their_order(server: Server) -> None:
    with RawSocket(server.port, get("/polling?channel=ahead")) as talk:
        talk.answer()
        talk.send(
            post("ahead", b"one")
            + get("/clock")
            + post("ahead", b"two")
            + get("/nowhere")
            + get("/polling?channel=ahead")
        )
        assert [talk.answer().status for _ in range(5)] == [201, 200, 201, 404, 200]


def test_many_polls_sent_ahead_are_all_answered(server: Server) -> None:
    with RawSocket(server.port, get("/polling")) as talk:
        cursor = json.loads(talk.answer().body)["cursor"]
        talk.send(get(f"/polling?after={cursor}") * 2000)
        assert {talk.answer().status for _ in range(2000)} == {204}


def test_what_is_sent_ahead_of_a_held_poll_waits(server: Server) -> None:
    with RawSocket(server.port, get("/polling?channel=held")) as talk:
        cursor = json.loads(talk.answer().body)["cursor"]
        held = get(f"/long_polling?channel=held&after={cursor}")
        talk.send(get("/long_polling?channel=held"))
        talk.answer()
        talk.send(held + post("held", b"z" * 100_000))
        eventually(lambda: server.stats()["techniques"]["long_polling"]["held"], "the held poll")
        server.publish("held", "now")
        assert json.loads(talk.answer().body)["messages"][0]["text"] == "now"
        assert talk.answer().status == 201


def test_a_first_poll_with_requests_behind_it_says_that_it_closes(server: Server) -> None:
    with RawSocket(server.port, get("/polling") + get("/clock")) as talk:
        first = talk.answer()
        assert (first.status, first.fields["connection"]) == (200, "close")
        assert talk.rest() == b""


@pytest.mark.parametrize("slug", ["polling", "long_polling"])
@pytest.mark.parametrize(
    "head",
    [
        "GET /%70{} HTTP/1.1\r\nHost: 127.0.0.1",
        "GET http://127.0.0.1/{}?channel=x HTTP/1.1\r\nHost: 127.0.0.1",
        "GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
        "GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket",
        "GET /{} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 00",
        "GET /{}?x=%C3%BC#part HTTP/1.1\r\nHost: 127.0.0.1",
    ],
    ids=["escaped", "absolute", "h2c", "websocket", "no body", "fragment"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_no_request_goes_round_in_circles(
    server: Server, slug: str, head: str, is_first: bool
) -> None:
    """What aiohttp takes for a poll and the slim reader does not would be passed on for ever."""
    name = slug[1:] if "%70" in head else slug
    if "%70" in head and slug != "polling":
        name = "olling"
    data = f"{head.format(name)}\r\n\r\n".encode()
    with RawSocket(server.port) as talk:
        if not is_first:
            talk.send(get("/polling"))
            talk.answer()
        talk.send(data)
        assert talk.answer().status in (200, 400)


@pytest.mark.parametrize(
    "path", ["/polling", "/clock", "/page_reload", "/long_polling", "/polling?after=wrong"]
)
def test_a_client_that_sends_no_more_still_gets_its_answer(server: Server, path: str) -> None:
    with RawSocket(server.port, get(path)) as talk:
        talk.socket.shutdown(socket.SHUT_WR)
        assert talk.rest().startswith(b"HTTP/1.1 400" if "wrong" in path else b"HTTP/1.1 200")


def test_a_held_poll_is_answered_when_its_client_sends_no_more(server: Server) -> None:
    with RawSocket(server.port, get("/long_polling")) as talk:
        cursor = json.loads(talk.answer().body)["cursor"]
        talk.send(get(f"/long_polling?after={cursor}"))
        talk.socket.shutdown(socket.SHUT_WR)
        assert talk.rest().startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("path", ["/sse", "/forever_frame"])
def test_a_stream_whose_client_sends_no_more_ends(server: Server, path: str) -> None:
    with RawSocket(server.port, get(path)) as talk:
        talk.socket.shutdown(socket.SHUT_WR)
        talk.rest()
    slug = path[1:]
    eventually(lambda: server.stats()["techniques"][slug]["open"] == 0, "the stream to end")


def test_a_broken_off_body_closes_at_once(server: Server) -> None:
    before = server.descriptors()
    with RawSocket(server.port, post("broken", b"x" * 100)[:-50]) as talk:
        talk.socket.shutdown(socket.SHUT_WR)
        assert talk.rest() == b""
    eventually(lambda: server.descriptors() <= before, "the connection to close")


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("slug", ["polling", "long_polling"])
def test_every_request_passes_the_checks_of_the_first(
    server: Server, slug: str, is_first: bool
) -> None:
    for path, field, status in [
        (f"/{slug}", "Origin: https://evil.example", 403),
        (f"/{slug}", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: script", 403),
        (f"/{slug}?after=wrong", "Accept: */*", 400),
        (f"/{slug}?channel=%00", "Accept: */*", 400),
        (f"/{slug}?timeout=long", "Accept: */*", 400),
    ]:
        with RawSocket(server.port) as talk:
            if not is_first:
                talk.send(get(f"/{slug}"))
                assert talk.answer().status == 200
            talk.send(get(path, field))
            answer = talk.answer()
            assert (answer.status, answer.fields["content-type"]) == (
                status,
                "application/problem+json",
            )
            assert answer.fields["cache-control"] == "no-store"


def test_a_head_too_long_is_refused_first_and_later(server: Server) -> None:
    long = "X-Long: " + "x" * 40_000
    with RawSocket(server.port, get("/polling", long)) as talk:
        assert talk.answer().status == 431
    with RawSocket(server.port, get("/polling")) as talk:
        talk.answer()
        talk.send(get("/polling", long))
        assert talk.answer().status == 431


# What is relied on of aiohttp. These fail when a new one does otherwise.


@pytest.fixture
async def here() -> AsyncIterator[Running]:
    async with running(Settings()) as server:
        yield server


async def soon(check: Callable[[], bool]) -> None:
    for _ in range(1000):
        if check():
            return
        await asyncio.sleep(0.01)
    pytest.fail("waited 10 s in vain")


async def test_aiohttp_lets_go_of_a_connection_that_it_believes_lost(here: Running) -> None:
    before = len(asyncio.all_tasks())
    inner = here.service.listener._server
    reader, writer = await asyncio.open_connection(here.host, here.port)
    writer.write(get("/sse"))
    await reader.readuntil(b"retry")
    # Its objects and its task are gone, the transport is not.
    await soon(lambda: not inner.connections and len(asyncio.all_tasks()) == before)
    assert here.service.row("sse").open == 1
    assert not writer.is_closing()
    writer.close()
    await writer.wait_closed()


async def test_aiohttp_gives_its_protocol_back_its_bytes(here: Running) -> None:
    inner = here.service.listener._server
    reader, writer = await asyncio.open_connection(here.host, here.port)
    writer.write(get("/polling"))
    await reader.readuntil(b"false}")
    await soon(lambda: not inner.connections)
    writer.write(get("/clock"))
    await reader.readuntil(b"monotonic_ns")
    assert len(inner.connections) == 1
    writer.close()
    await writer.wait_closed()


async def test_names_that_are_relied_on_exist() -> None:
    """``transport``, ``connection_lost`` and ``_messages`` are no promises of aiohttp's."""
    seen: dict[str, object] = {}

    async def handler(request: web.Request) -> web.Response:
        protocol = request.protocol
        seen["transport"] = protocol.transport is request.transport
        seen["messages"] = len(protocol._messages)
        waiting.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen["cancelled"] = True
            raise
        raise AssertionError("not cancelled")

    waiting = asyncio.Event()
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    assert runner.server is not None
    listener = Listener(runner.server, Ledger(), 100)
    server = await asyncio.get_running_loop().create_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(get("/") + get("/"))
    await waiting.wait()
    (protocol,) = runner.server.connections
    transport = protocol.transport
    assert transport is not None
    assert protocol._waiter is None  # which it is while a request is served
    front = transport.get_protocol()
    assert isinstance(front, Front)
    mute = asyncio.Protocol()
    transport.set_protocol(mute)
    front.let_go()
    assert runner.server is not None
    inner = runner.server
    await soon(lambda: not inner.connections)
    assert seen == {"transport": True, "messages": 1, "cancelled": True}
    assert not transport.is_closing()
    transport.write(b"still here")
    assert await reader.readexactly(10) == b"still here"
    transport.close()
    writer.close()
    await writer.wait_closed()
    server.close()
    await runner.cleanup()


def test_the_tested_aiohttp_is_the_one_installed() -> None:
    assert aiohttp.__version__.startswith("3."), "read front/handover.py again for aiohttp 4"


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_connection_of_the_server_is_never_refused_on_its_way_back(
    tmp_path: Path, loop: str
) -> None:
    """Give-backs happen at the file limit, too, and are of connections that it has."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with serving(tmp_path, "--loop", loop, files=100) as server:
        kept = RawSocket(server.port, get("/polling"))
        kept.answer()
        others = [RawSocket(server.port) for _ in range(60)]
        kept.send(get("/clock"))
        assert kept.answer().status == 200
        for talk in [kept, *others]:
            talk.close()


def test_frames_may_follow_the_handshake_at_once(server: Server) -> None:
    with RawSocket(server.port, upgrade("/web_socket/echo", server.port)) as talk:
        talk.hear(b"\r\n\r\n")
        talk.send(b"\x81\x80abcd")
        assert talk.hear(lambda heard: heard.endswith(b"\x81\x00"))

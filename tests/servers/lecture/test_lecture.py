"""What the lecture's parts promise, without a browser."""

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from servers.app import running
from servers.front.problems import Problem
from servers.lecture.captures import Captures
from servers.lecture.doors import Doors
from servers.lecture.front import Front
from servers.lecture.lecture import _room_address
from servers.lecture.lines import Lines
from servers.lecture.plugin import Plugin
from servers.lecture.source import Source, picture
from servers.lecture.stage import Allowance, StageGuard
from servers.lecture.stage_process import StageProcess
from servers.lecture.viewers import Viewer
from servers.relay.trace import TraceEvent
from servers.service import Settings
from tests.servers.asking import Link, serving
from tests.support.waiting import PATIENCE_S

FRONT = Front("127.0.0.1", 0, 0, ())


def test_the_room_may_send_a_burst_and_then_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("servers.lecture.stage.time.monotonic", lambda: now[0])
    allow = Allowance()
    for _ in range(120):
        allow("room", 10)
    with pytest.raises(Problem) as refused:
        allow("room", 10)
    assert refused.value.status == 429
    now[0] += 1
    for _ in range(40):
        allow("room", 10)
    with pytest.raises(Problem):
        allow("room", 10)
    now[0] += 60
    allow("room", 6 * 2**20)
    with pytest.raises(Problem):
        allow("room", 1)


@pytest.mark.parametrize("channel", ["race", "race-2", "clock"])
def test_nobody_else_publishes_to_the_lectures_channels(channel: str) -> None:
    with pytest.raises(Problem) as refused:
        Allowance()(channel, 1)
    assert refused.value.status == 403


def test_the_guard_lets_documents_into_frames_of_the_same_site_and_nothing_more() -> None:
    guard = StageGuard()
    frame = {"sec-fetch-dest": "iframe", "sec-fetch-site": "same-site"}
    assert guard.check(frame) is None
    for change in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-dest": "image"},
        {"origin": "http://127.0.0.1:1", "host": "127.0.0.1:2"},
    ):
        with pytest.raises(Problem):
            guard.check(frame | change)


def event(seq: int, kind: Any, data: bytes = b"", connection: int = 1) -> TraceEvent:
    return TraceEvent(seq, seq, seq, connection, 5000 + connection, kind, len(data), data)


async def test_a_page_hears_of_its_own_connections_from_the_first_byte_on() -> None:
    lines = Lines([("sse", 0, 1)], "127.0.0.1")
    (line,) = lines._lines
    request = b"GET /sse?channel=race&viewer=0123456789abcdef HTTP/1.1\r\n\r\n"
    lines._pass(line, event(1, "open"))
    lines._pass(line, event(2, "up", request))
    # The page's event stream opens only now.
    mine, other = Viewer("0123456789abcdef"), Viewer("fedcba9876543210")
    lines.viewers = {mine.name: mine, other.name: other}
    lines._pass(line, event(3, "down", b"data"))
    lines._pass(line, event(4, "down", b"not yours", connection=2))
    rows = json.loads(mine.take())["trace"]
    assert [(row[1], row[5], row[6]) for row in rows] == [
        (1, "open", 0),
        (2, "up", len(request)),
        (3, "down", 4),
    ]
    assert json.loads(other.take()) == {}
    lines._pass(line, event(5, "close"))
    assert line.owners == {1: mine.name}  # as long as the trace may hold something of it
    for number in range(2, 2 + line.relay.trace.limit):
        lines._pass(line, event(number + 5, "close", connection=number))
    assert line.owners == {}


async def test_a_capture_holds_what_passed_for_its_page_and_nobody_else() -> None:
    lines = Lines([("sse", 0, 1)], "127.0.0.1")
    (line,) = lines._lines
    mine, other = "0123456789abcdef", "fedcba9876543210"
    for connection, who in ((1, mine), (2, other)):
        request = f"GET /sse?viewer={who} HTTP/1.1\r\n\r\n".encode()
        line.relay.trace.record("open", connection, 5000 + connection, 1)
        line.relay.trace.record("up", connection, 5000 + connection, 2, 2, request)
        line.relay.trace.record("down", connection, 5000 + connection, 3, 3, bytes(9 * 2**20))
        line.relay.trace.record("down", connection, 5000 + connection, 4, 4, b"HTTP/1.1 200 OK")
        line.owners[connection] = who
    for address in ("127.0.0.1", "::1"):
        file = await Captures(lines).take(mine, address)
        assert file.count(b"HTTP/1.1 200 OK") == 1
        assert other.encode() not in file
        assert len(file) < 5000  # what is older than 8 MiB of traffic is left out


async def test_what_waits_for_a_viewer_is_bounded() -> None:
    viewer = Viewer("0123456789abcdef")
    for number in range(10_000):
        viewer.trace([number, "x" * 2000])
    told = json.loads(viewer.take())
    rows = told["trace"]
    assert 800 < len(rows) == 10_000 - told["missed"]
    assert len(json.dumps(rows)) < 2 * 2**20
    assert rows[-1][0] == 9999
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await viewer.news.wait()
    assert not viewer.news.is_set()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::"])
async def test_an_emulated_plugin_finds_its_line_wherever_that_listens(host: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(running(Settings(techniques=("plugin_socket",))))
        lines = Lines([("plugin_socket", 0, server.plugin_port)], host)
        try:
            await lines.start(stack)
        except OSError as error:
            pytest.skip(f"no IPv6 here: {error}")
        viewer = Viewer("0123456789abcdef")
        plugin = Plugin(1, viewer, lines, "lobby", "", False, None)
        stack.push_async_callback(plugin.close)
        async with asyncio.timeout(PATIENCE_S):
            await viewer.news.wait()
        assert json.loads(viewer.take())["plugin"][0]["state"] == "open"


@pytest.mark.parametrize(
    ("order", "kind", "why"),
    [
        (b"[" * 60_000, "text/plain", "not JSON"),
        (b"{}", "text/plain; charset=no-such", "seconds is a number from 0 to 60"),
        (b'{"seconds": %s}' % (b"9" * 400), "text/plain", "seconds is a number from 0 to 60"),
        (b'{"seconds": NaN}', "text/plain", "seconds is a number from 0 to 60"),
    ],
    ids=["deep", "charset", "long number", "no number"],
)
async def test_an_order_that_cannot_be_is_refused_with_its_reason(
    order: bytes, kind: str, why: str
) -> None:
    stage = StageProcess(0, 0, 0)
    source = Source(stage, lambda: None)
    doors = Doors("key", Lines([("sse", 0, 1)], "127.0.0.1"), stage, source, FRONT, "")
    async with TestClient(TestServer(doors.app())) as client:
        headers = {"Duplex-Key": "key", "Content-Type": kind}
        answer = await client.post("/lecture/cut", data=order, headers=headers)
        assert answer.status == 400
        assert why in (await answer.json(content_type=None))["detail"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_body_in_another_coding_than_it_names_is_the_senders_mistake(coding: str) -> None:
    stage = StageProcess(0, 0, 0)
    source = Source(stage, lambda: None)
    doors = Doors("key", Lines([("sse", 0, 1)], "127.0.0.1"), stage, source, FRONT, "")
    async with TestClient(TestServer(doors.app())) as client:
        headers = {"Duplex-Key": "key", "Content-Encoding": coding}
        answer = await client.post("/lecture/cut", data=b"garbage" * 100, headers=headers)
        assert answer.status == 400
        assert "coding" in (await answer.json(content_type=None))["detail"]


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[int]:
    """Serve the page and its doors, without the stage; give the port."""
    stage = StageProcess(0, 0, 0)
    source = Source(stage, lambda: None)
    doors = Doors(
        "key", Lines([("sse", 0, 1)], "127.0.0.1"), stage, source, FRONT, "", {"duplex.example"}
    )
    async with serving(doors.app()) as port:
        yield port


async def test_who_comes_and_who_goes_is_told_to_all_and_the_state_to_whoever_comes() -> None:
    stage = StageProcess(0, 0, 0)
    source = Source(stage, lambda: None)
    doors = Doors("key", Lines([("sse", 0, 1)], "127.0.0.1"), stage, source, FRONT, "")

    async def told(events: ClientResponse) -> dict[str, Any]:
        """The next news."""
        news: dict[str, Any] = json.loads((await events.content.readuntil(b"\n\n"))[6:])
        return news

    async with TestClient(TestServer(doors.app())) as client, asyncio.timeout(PATIENCE_S):
        first = await client.get("/lecture/events?viewer=aaaaaaaa")
        assert (await told(first))["state"]["viewers"] == 1
        second = await client.get("/lecture/events?viewer=bbbbbbbb")
        assert (await told(second))["state"]["viewers"] == 2
        while (await told(first)).get("state", {}).get("viewers") != 2:
            pass
        second.close()
        while (await told(first)).get("state", {}).get("viewers") != 1:
            pass
        first.close()


async def test_the_page_may_be_asked_by_names_as_machines_and_containers_have_them() -> None:
    async with served() as port:
        for host in ("lab_pc", "_lab", "duplex.example", "localhost", "127.0.0.1", "[::1]"):
            async with Link(port, f"{host}:{port}") as link:
                link.ask("GET /")
                assert (await link.answer()).status == 200


@pytest.mark.parametrize(
    ("status", "head"),
    [
        (400, "Host: a\r\nHost: b"),
        (400, "Host: localhost\r\nCookie: s3cret\0"),
        (431, f"Host: localhost\r\nCookie: s3cret{'x' * 20_000}"),
        (400, "Host: localhost\r\nContent-Encoding: gzip"),
        (415, "Host: localhost\r\nContent-Encoding: br"),
        (417, "Host: localhost\r\nExpect: miracles"),
    ],
)
async def test_a_request_that_cannot_be_is_a_problem_and_in_no_log(
    status: int, head: str, caplog: pytest.LogCaptureFixture
) -> None:
    fields = f"Duplex-Key: key\r\nContent-Length: 0\r\n{head}\r\n\r\n"
    async with served() as port, Link(port) as link:
        link.send(f"POST /lecture/fits HTTP/1.1\r\n{fields}".encode())
        answer = await link.answer()
        answer.check_problem(status)
        assert b"s3cret" not in answer.body
    assert caplog.records == []


async def test_a_wrong_plugin_is_a_problem_that_names_it() -> None:
    async with served() as port:
        for number in ("", "x", "7", "9" * 5000):
            async with Link(port, "localhost") as link:
                link.ask(f"POST /lecture/plugin/close?viewer=abcdefgh&plugin={number}", body=b"")
                (await link.answer()).check_problem(404, "no such plugin")


def test_the_picture_is_a_picture_of_a_megabyte() -> None:
    data = picture()
    assert data[:2] == b"BM"
    assert struct.unpack("<I", data[2:6]) == (len(data),)
    assert len(data) == pytest.approx(2**20, rel=0.01)


@pytest.mark.parametrize(("workers", "connections"), [(1, 1), (2, 3)])
async def test_what_is_published_goes_by_one_connection_or_is_dealt_out_to_workers(
    workers: int, connections: int
) -> None:
    used, numbers = set(), asyncio.Queue[str]()

    async def publish(request: web.Request) -> web.Response:
        order = await request.json()
        if order["channel"] == "race":
            used.add(request.transport)
            for message in order["messages"]:
                numbers.put_nowait(message["sender"])
        return web.Response(status=201)

    app = web.Application()
    app.add_routes([web.post("/stage/publish", publish)])
    async with TestServer(app) as server, asyncio.timeout(PATIENCE_S):
        stage = StageProcess(0, server.port or 0, 0)
        stage.workers = workers
        source = Source(stage, lambda: None)
        publishing = asyncio.create_task(source.run())
        for number in (1, 2, 3):
            source.burst(1)
            assert await numbers.get() == f"source {number}"
            await source.settle()
        publishing.cancel()
    assert len(used) == connections


def test_only_other_addresses_than_loopback_are_told_to_a_room() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert _room_address(host, 80) == ""
    assert _room_address("127.1", 80) == "http://127.1:80/"  # no whole address: perhaps a name
    assert _room_address("192.0.2.7", 8002) == "http://192.0.2.7:8002/"
    assert _room_address("0.0.0.0", 8002).endswith(":8002/")

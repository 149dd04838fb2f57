"""Input that is meant to hurt: what is refused, and what is cut off."""

import asyncio
import contextlib
import json
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from servers import plugin_socket
from servers.app import Running, running
from servers.front import bodies, handler
from servers.kinds import poll_states
from servers.service import Settings
from tests.support.raw import RawSocket, get, upgrade
from tests.support.waiting import eventually
from tests.unbreakable.fuzz import seeds
from tests.unbreakable.serving import Server, serving
from wire.web_socket_frames import Opcode, encode_frame

pytestmark = pytest.mark.slow

MASK = b"abcd"


# Refused with a reason, in the words of RFC 9457, and with the server's log left empty.


@pytest.mark.attack("stop the server, fill its log", "on")
@pytest.mark.parametrize(
    ("path", "kind", "body", "more"),
    [
        ("/publish", "application/json", b"[" * 100_000, {}),
        ("/publish", "application/json", b'{"text":"a","sent_ns":' + b"9" * 5000 + b"}", {}),
        ("/publish", "application/json", b'{"text":"a","sent_ns":1e999}', {}),
        ("/publish", "application/json", b'{"text":{"a":1}}', {}),
        ("/publish", "application/json", b'{"base64":"%%%%"}', {}),
        ("/publish", "application/json", b'{"text":"a","sender":["x"]}', {}),
        ("/publish", "text/plain", b"\xff\xfe", {}),
        ("/publish", "image/png", b"a", {}),
        ("/publish", "text/plain", b"not gzip", {"Content_Encoding": "gzip"}),
        ("/publish", "text/plain", b"not deflate", {"Content_Encoding": "deflate"}),
        ("/publish?channel=%00", "text/plain", b"a", {}),
        ("/publish?sent_ns=many", "text/plain", b"a", {}),
        ("/publish?" + "a&" * 60, "text/plain", b"a", {}),
        ("/page_reload", "application/x-www-form-urlencoded", b"nothing=1", {}),
        ("/page_reload", "application/x-www-form-urlencoded", b"text=%ff", {}),
        ("/page_reload", "application/x-www-form-urlencoded", b"text=a&sent_ns=%C2%B2", {}),
        ("/page_reload", "application/x-www-form-urlencoded", b"text=a&sent_ns=--5", {}),
        ("/frame_reload", "application/x-www-form-urlencoded", b"text=&sent_ns=" + b"9" * 5000, {}),
        ("/frame_reload", "application/x-www-form-urlencoded", b"a&" * 1_000_000, {}),
        ("/frame_reload", "multipart/form-data", b"text=a", {}),
    ],
)
def test_a_bad_body_is_refused_with_a_reason(
    server: Server, path: str, kind: str, body: bytes, more: dict[str, Any]
) -> None:
    answer = server.ask(path, "POST", body, Content_Type=kind, **more)
    assert answer.status in (400, 413, 415), answer
    assert answer.fields["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    "data",
    [
        b"\0" * 5000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /polling HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST /publish HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /publish HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"tls" * 50,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_problem_and_the_end(server: Server, data: bytes) -> None:
    with RawSocket(server.port, data) as talk:
        heard = talk.rest()
    assert heard.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), heard[:200]
    assert heard[9:13] in (b"400 ", b"414 ", b"431 ")
    assert b"application/problem+json" in heard


def test_a_body_with_a_broken_chunk_is_refused(server: Server) -> None:
    head = b"POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
    with RawSocket(
        server.port, head + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhola\r\nzz\r\n"
    ) as talk:
        assert b" 400 " in talk.rest()


def test_a_bomb_inflates_to_its_limit_and_no_further(server: Server) -> None:
    packer = zlib.compressobj()
    # Whatever it was fed before, it makes the same of each further MiB.
    first, next_ones = (
        packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)
    )
    bomb = first + next_ones * 127
    before = server.resident_bytes()
    answer = server.ask(
        "/publish",
        "POST",
        bomb,
        Content_Type="application/octet-stream",
        Content_Encoding="deflate",
    )
    assert answer.status == 413
    assert server.resident_bytes() - before < 100 * 2**20


def test_a_thousand_requests_sent_ahead_on_each_door(server: Server) -> None:
    """Whatever becomes of them, the connection ends or goes on, and the server with it."""
    for door, streams in seeds(server.port, "ahead").items():
        for seed in streams:
            port = server.plugin_port if seed.is_plugin else server.port
            with RawSocket(port) as talk, contextlib.suppress(ConnectionError):
                talk.send((seed.opening + seed.rest) * 1000)
        assert server.ask("/clock").status == 200, door


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_peer_that_resets_in_the_middle_of_a_burst_is_no_news(tmp_path: Path, loop: str) -> None:
    """asyncio complains of the fifth write to a connection that is lost."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    frames = encode_frame(Opcode.TEXT, b"x", mask=MASK) * 20_000
    with serving(tmp_path, "--loop", loop) as server:
        for _ in range(5):
            talk = RawSocket(server.port, upgrade("/web_socket/echo", server.port), buffer=4096)
            talk.hear(b"\r\n\r\n")
            talk.send(frames)
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            talk.close()
        eventually(lambda: not server.stats()["techniques"]["web_socket"]["open"], "their end")


def test_whoever_reads_no_complaints_is_cut_off(server: Server) -> None:
    wrong = {
        "web_socket": encode_frame(Opcode.TEXT, b"x", mask=MASK) * 1000,
        "plugin_socket": b"x\0" * 1000,
    }
    before = server.resident_bytes()
    for slug, data in wrong.items():
        if slug == "web_socket":
            talk = RawSocket(
                server.port, upgrade("/web_socket?envelope=json", server.port), buffer=4096
            )
            talk.hear(b"\r\n\r\n")
        else:
            talk = RawSocket(server.plugin_port, b"{}\0", buffer=4096)
        with talk, contextlib.suppress(ConnectionError, TimeoutError):
            talk.socket.settimeout(2)
            for _ in range(20_000):
                talk.send(data)
        assert server.resident_bytes() - before < 32 * 2**20
        eventually(lambda: not server.stats()["techniques"][slug]["open"], f"{slug} to be cut")  # noqa: B023


def test_a_flood_of_pings_gets_no_more_pongs_than_are_read(server: Server) -> None:
    before = server.resident_bytes()
    talk = RawSocket(server.port, upgrade("/web_socket", server.port), buffer=4096)
    talk.hear(b"\r\n\r\n")
    pings = encode_frame(Opcode.PING, b"p" * 125, mask=MASK) * 1000
    with talk:
        for _ in range(200):
            talk.send(pings)
        assert server.resident_bytes() - before < 16 * 2**20


# Cut off in time. The times are seconds and more, so they are shortened, in the test's own loop.


@pytest.fixture
async def hasty(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(handler, "_IDLE_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "_BODY_SECONDS", 0.3)
    monkeypatch.setitem(poll_states.LONGEST, poll_states.READING, 0.3)
    monkeypatch.setitem(poll_states.LONGEST, poll_states.IDLE, 0.3)
    monkeypatch.setattr(plugin_socket, "_FIRST_LINE_SECONDS", 0.3)
    async with running(Settings(heartbeat=0.2)) as server:
        yield server


@pytest.mark.parametrize(
    ("first", "drip", "answer"),
    [
        (b"", b"", b""),
        (b"", b"G", b""),
        (b"GET /clock HTTP/1.1\r\n", b"X: y\r\n", b""),
        (
            b"POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 100\r\n\r\n",
            b"x",
            b" 408 ",
        ),
        (get("/polling"), b"", b" 200 "),
        (get("/polling"), b"X", b" 200 "),
    ],
    ids=["silent", "one byte", "head", "body", "idle poll", "head of a second poll"],
)
async def test_whoever_dribbles_is_cut_off(
    hasty: Running, first: bytes, drip: bytes, answer: bytes
) -> None:
    reader, writer = await asyncio.open_connection(hasty.host, hasty.port)
    writer.write(first)
    heard = await reader.readuntil(b"false}") if b"polling" in first else b""

    async def dribble() -> None:
        with contextlib.suppress(ConnectionError):
            while drip:
                writer.write(drip)
                await writer.drain()
                await asyncio.sleep(0.05)

    dribbling = asyncio.create_task(dribble())
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            while data := await reader.read(65536):
                heard += data
    assert answer in heard
    dribbling.cancel()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    assert len(hasty.service.liveness.held) == 0


async def test_a_plugin_that_never_says_what_it_wants_is_cut_off(hasty: Running) -> None:
    reader, writer = await asyncio.open_connection(hasty.host, hasty.plugin_port)
    writer.write(b'{"channel":')
    heard = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(20):
            while data := await reader.read(65536):
                heard += data
    assert heard.strip(b"\0") == b""  # signs of life, and the end
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()

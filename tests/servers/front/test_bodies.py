"""Large things under way: with the defence off they fill the process, with it on they wait."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from servers.app import Running, running
from servers.front.bodies import load_order
from servers.front.budget import NO_ROOM
from servers.front.problems import Problem
from servers.service import Settings
from tests.servers.asking import Link, ask
from tests.support.waiting import PATIENCE_S
from wire.errors import MessageError
from wire.web_socket_frames import Opcode, encode_frame

MIB = 2**20
BOUNDED = Settings(most_waiting=8 * MIB)
MASK = b"abcd"
PONG = encode_frame(Opcode.PONG, b"", mask=MASK)


async def settled(server: Running, at_least: int) -> int:
    """Wait until so many bytes are held, or no more come."""
    before, budget = -1, server.service.budget
    while budget.used < at_least and budget.used != before:
        before = budget.used
        await asyncio.sleep(0.3)
    return budget.used


async def all_given_back(server: Running) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while server.service.budget.used:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def unfinished(kind: str) -> tuple[str, bytes]:
    """Three MiB of something to which more belongs: its head, and its beginning."""
    if kind == "body":
        return "POST /publish", b"x" * (3 * MIB)
    if kind == "line":
        return "", b'{"text":"' + b"x" * (3 * MIB)
    frame = encode_frame(Opcode.BINARY, b"x" * (3 * MIB + 100), mask=MASK)
    return "GET /web_socket", frame[:-100]


def fragments() -> bytes:
    first = encode_frame(Opcode.BINARY, b"x" * MIB, mask=MASK, fin=False)
    more = encode_frame(Opcode.CONTINUATION, b"x" * MIB, mask=MASK, fin=False)
    return first + 2 * (PONG + more)


OPENING = [
    *["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"],
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


async def send(link: Link, kind: str) -> None:
    if kind == "line":
        link.send(b'{"channel":"x"}\0')
        await link.until(b"\0")
        link.send(unfinished(kind)[1])
    elif kind == "body":
        head = f"POST /publish HTTP/1.1\r\nHost: {link.host}\r\nContent-Type: text/plain\r\n"
        link.send(f"{head}Content-Length: {4 * MIB}\r\n\r\n".encode() + unfinished(kind)[1])
    else:
        link.ask("GET /web_socket", *OPENING)
        await link.head()
        link.send(fragments() if kind == "fragments" else unfinished(kind)[1])


@pytest.mark.slow
@pytest.mark.attack("fill it by what is unfinished", "off", "on")
@pytest.mark.parametrize("kind", ["body", "line", "frame", "fragments"])
async def test_what_does_not_end_fills_no_more_than_the_budget(kind: str) -> None:
    for settings, held in [(replace(BOUNDED, most_waiting=2**40), 18), (BOUNDED, 6)]:
        async with running(settings) as server:
            links = [Link(server.plugin_port if kind == "line" else server.port) for _ in range(6)]
            for link in links:
                await link.__aenter__()
                await send(link, kind)
            assert await settled(server, held * MIB) // MIB in (held, held + 1, held + 2)
            # Whatever is small goes on, and what was held is given back.
            assert (await ask(server, "POST /publish", "Content-Type: text/plain", body=b"hola")
                    ).status == 201  # fmt: skip
            for link in links:
                await link.__aexit__()
            await all_given_back(server)


@pytest.mark.parametrize("kind", ["line", "fragments"])
async def test_a_message_that_does_not_end_is_given_up(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("servers.kinds.two_way._MESSAGE_SECONDS", 0.2)
    async with running(Settings(heartbeat=0.4)) as server:
        link = Link(server.plugin_port if kind == "line" else server.port)
        async with link:
            await send(link, kind)
            if kind == "fragments":  # whose sender shows that it lives
                asyncio.get_running_loop().call_later(0.3, link.send, PONG)
            assert b"did not come within" in await link.rest()


async def test_a_body_without_room_is_told_to_come_back() -> None:
    async with running(replace(BOUNDED, most_waiting=MIB)) as server:
        body = b"x" * (2 * MIB)
        answer = await ask(server, "POST /publish", "Content-Type: text/plain", body=body)
        answer.check_problem(503, "not finished or not read")
        assert answer.head.fields["retry-after"] == NO_ROOM.headers["Retry-After"]
        assert server.service.budget.used == 0


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["polling", "page_reload", "frame_reload"])
async def test_large_answers_that_nobody_reads_share_the_budget(slug: str) -> None:
    async with running(Settings(most_waiting=15 * MIB)) as server:
        for _ in range(3):
            server.service.channel("big").publish('"' * MIB)
        links = [Link(server.port, buffer=2**14) for _ in range(8)]
        for link in links:
            await link.__aenter__()
            link.ask(f"GET /{slug}?channel=big&after=00000000-0")
        statuses = [(await link.head()).status for link in links]
        assert set(statuses) == {200, 503}
        assert server.service.budget.used <= 15 * MIB
        assert (await ask(server, f"GET /{slug}?channel=small")).status == 200
        for link in links:
            await link.__aexit__()
        await all_given_back(server)


@pytest.mark.attack("stop the loop by large JSON", "off", "on")
def test_large_json_of_tiny_values_is_refused_unread() -> None:
    mixed = b'{"text":"%s",%s}' % (b"x" * MIB, b'"":0,' * MIB)
    tiny = b'{"text":"a","more":[%s0]}' % (b"0," * (5 * MIB - 1))
    for data in (b"[" * MIB, b'{"a":' * MIB, mixed, tiny):
        started = time.process_time()
        with pytest.raises(Problem, match="texts and numbers"):
            load_order(data)
        refusing = time.process_time() - started
    started = time.process_time()
    assert len(json.loads(tiny)["more"]) == 5 * MIB
    assert refusing < (time.process_time() - started) / 4


@pytest.mark.parametrize("word", ["x", '"', "\\", '\\"', "\0", "ñ", "{", ","])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_a_long_text_is_read_whatever_it_holds(word: str, is_ascii: bool) -> None:
    fields = {"sender": "ana", "text": word * MIB, "sent_ns": 1}
    written = json.dumps(fields, ensure_ascii=is_ascii)
    assert load_order(written) == load_order(written.encode()) == fields


def test_small_json_is_read_as_ever() -> None:
    assert load_order(b'{"a":[1,{"b":[]}]}') == {"a": [1, {"b": []}]}
    with pytest.raises(MessageError, match="JSON object"):
        load_order(b"[]")

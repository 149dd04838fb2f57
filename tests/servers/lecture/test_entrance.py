"""Idle connections: plain bounds shut the lecturer out with them, the entrance does not."""

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web

from servers.front.handover import Listener
from servers.front.ledger import Ledger
from servers.front.listening import bound_socket, listen
from servers.front.places import Places
from servers.lecture.doors import Doors
from servers.lecture.entrance import Entrance
from servers.lecture.front import Front
from servers.lecture.lines import Lines
from servers.lecture.source import Source
from servers.lecture.stage_process import StageProcess
from tests.servers.asking import Link

FRONT = Front("127.0.0.1", 0, 0, ())

KEY = "Duplex-Key: the-key"


@contextlib.asynccontextmanager
async def doors(
    make: Callable[[Listener, Doors], Callable[[], object]], most: int
) -> AsyncIterator[int]:
    """Serve the lecture's doors behind what ``make`` makes; yields their port."""
    stage = StageProcess(0, 0, 0)
    lines = Lines([("sse", 0, 1)], "127.0.0.1")
    doors = Doors("the-key", lines, stage, Source(stage, lambda: None), FRONT, "")
    runner = web.AppRunner(doors.app(), shutdown_timeout=0)
    await runner.setup()
    assert runner.server is not None
    bound = bound_socket("127.0.0.1", 0)
    listener = Listener(runner.server, Ledger(), most)
    server = await listen(make(listener, doors), bound)  # type: ignore[arg-type]
    yield bound.getsockname()[1]
    server.close()
    await runner.cleanup()


async def order(port: int, *fields: str) -> int:
    async with Link(port) as link:
        link.ask("POST /lecture/fits", *fields, body=b"{}")
        return (await link.answer()).status


@pytest.mark.attack("take all sockets, so", "off", "on")
async def test_the_key_comes_in_where_idle_connections_hold_all_places() -> None:
    for make, status in [
        (lambda listener, doors: listener, 503),
        (lambda listener, doors: Entrance(listener, Places(8, 8), doors.has_key), 200),
        (lambda listener, doors: Entrance(listener, Places(100, 8), doors.has_key), 200),
    ]:
        async with doors(make, 8) as port, contextlib.AsyncExitStack() as idle:
            for _ in range(8):
                await idle.enter_async_context(Link(port))
            assert await order(port, KEY) == status
            assert await order(port, "duplex-key:the-key") == status
            assert await order(port, "Duplex-Key: another") == 503
            assert await order(port) == 503


async def test_a_place_is_given_back_when_its_connection_ends() -> None:
    places = Places(2, 2)
    make = lambda listener, doors: Entrance(listener, places, doors.has_key)  # noqa: E731
    async with doors(make, 10) as port:
        for _ in range(10):
            assert await order(port) == 403
        assert await order(port, KEY) == 200
    assert places.taken == 0


@pytest.mark.slow
async def test_who_is_asked_and_says_nothing_is_cut() -> None:
    make = lambda listener, doors: Entrance(listener, Places(0, 0), doors.has_key)  # noqa: E731
    async with doors(make, 10) as port, contextlib.AsyncExitStack() as stack:
        links = [await stack.enter_async_context(Link(port)) for _ in range(40)]
        heard = [await link.rest() for link in links]
        assert set(heard) == {b""}


def test_the_key_is_found_in_a_head_and_nowhere_else() -> None:
    stage = StageProcess(0, 0, 0)
    has_key = Doors(
        "the-key", Lines([], "127.0.0.1"), stage, Source(stage, lambda: None), FRONT, ""
    ).has_key
    head = b"POST / HTTP/1.1\r\n%s\r\nHost: x\r\n\r\n"
    assert has_key(head % b"DUPLEX-KEY:  the-key")
    for field in (b"Duplex-Key: the ke", b"X-Duplex-Key: the-key", b"X: y"):
        assert not has_key(head % field)

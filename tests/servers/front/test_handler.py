"""What servers.front.handler relies on in aiohttp, watched one by one."""

import asyncio

from aiohttp import web

from servers.app import Running, running
from servers.front.handler import Handler
from servers.front.handover import Front, is_alone
from servers.kinds.streams import Stream
from servers.service import Service, Settings
from tests.servers.asking import Link
from tests.support.waiting import until


def handler_of(request: web.Request) -> Handler:
    assert request.transport is not None
    front = request.transport.get_protocol()
    assert isinstance(front, Front)
    return front._inner


async def test_it_is_idle_but_while_a_request_is_handled() -> None:
    handlers: list[Handler] = []
    go_on = asyncio.Event()

    async def wait(request: web.Request) -> web.Response:
        handlers.append(handler_of(request))
        await go_on.wait()
        return web.Response()

    def extend(app: web.Application, service: Service) -> None:
        app.add_routes([web.get("/wait", wait)])

    async with running(Settings(), extend=extend) as server, Link(server.port) as link:
        link.ask("GET /wait")
        await until(lambda: handlers, "the request")
        assert not handlers[0].is_idle
        go_on.set()
        await link.answer()
        await until(lambda: handlers[0].is_idle, "it waits for the next")


async def test_it_has_more_while_requests_are_queued() -> None:
    seen: list[tuple[bool, bool]] = []

    async def look(request: web.Request) -> web.Response:
        seen.append((handler_of(request).has_more, is_alone(request)))
        return web.Response()

    def extend(app: web.Application, service: Service) -> None:
        app.add_routes([web.get("/look", look)])

    async with running(Settings(), extend=extend) as server, Link(server.port) as link:
        link.send(b"GET /look HTTP/1.1\r\nHost: here\r\n\r\n" * 2)
        for _ in range(2):
            await link.answer()
    assert seen == [(True, False), (False, True)]


async def test_let_go_it_leaves_the_transport_alone(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=x")
        await link.head()
        (held,) = here.service.liveness.held
        assert not held.transport.is_closing()
        assert isinstance(held.transport.get_protocol(), Stream)

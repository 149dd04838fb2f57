import asyncio
import gc

from aiohttp.web_protocol import RequestHandler

from servers.app import Running, running
from servers.service import Settings
from tests.servers.asking import Link, ask
from tests.support.waiting import until


def handlers() -> int:
    gc.collect()
    return sum(isinstance(thing, RequestHandler) for thing in gc.get_objects())


async def test_aiohttp_s_objects_are_freed_while_the_connection_lives(here: Running) -> None:
    """What servers.front.handover relies on: told of a lost connection, aiohttp lets go of all."""
    before, tasks = handlers(), asyncio.all_tasks()
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=x")
        await link.head()
        await until(lambda: asyncio.all_tasks() == tasks, "aiohttp's task has ended")
        await until(lambda: handlers() == before, "aiohttp's protocol is gone")
        here.service.channel("x").publish("still here")
        await link.until(b"still here")


async def test_a_connection_goes_to_the_technique_and_back_as_often_as_asked(here: Running) -> None:
    async with Link(here.port) as link:
        for _ in range(3):
            link.ask("GET /polling?channel=x")
            assert (await link.answer()).json["messages"] == []
            link.ask("GET /clock")
            assert (await link.answer()).json["monotonic_ns"] > 0
        assert here.service.ledger.sockets == 1
        row = here.service.row("polling")
        assert (row.open, row.connections, row.requests) == (0, 1, 3)
        link.ask("GET /long_polling?channel=x")
        await link.answer()
        assert here.service.row("long_polling").connections == row.connections == 1


async def test_bytes_of_the_next_request_go_back_with_the_connection(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /polling?channel=x")
        await link.answer()
        link.ask("POST /publish?channel=x", "Content-Type: text/plain", body=b"whole")
        assert (await link.answer()).json["id"] == 1
        link.send(b"POST /publish?channel=x HTTP/1.1\r\nHost: here\r\nContent-Type: text/")
        await asyncio.sleep(0.01)
        link.send(b"plain\r\nContent-Length: 4\r\n\r\nha")
        await asyncio.sleep(0.01)
        link.send(b"lf")
        assert (await link.answer()).json["id"] == 2


async def test_a_client_that_pipelines_is_answered_once_and_closed(here: Running) -> None:
    async with Link(here.port) as link:
        link.send(b"GET /polling?channel=x HTTP/1.1\r\nHost: here\r\n\r\n" * 3)
        answer = await link.answer()
        assert answer.status == 200
        assert not answer.head.keeps_alive
        assert await link.rest() == b""


async def test_past_the_most_sockets_connections_are_refused() -> None:
    async with running(Settings(most_sockets=2)) as server:
        async with Link(server.port) as one, Link(server.port) as two:
            for link in (one, two):
                link.ask("GET /clock")
                await link.answer()
            (await ask(server, "GET /clock")).check_problem(503, "come back later")
            async with Link(server.plugin_port) as plugin:
                plugin.send(b"{}\0")
                assert b'"status":503' in await plugin.until(b"\0")
        await until(lambda: server.service.ledger.sockets == 0, "all are gone")
        assert (await ask(server, "GET /clock")).status == 200

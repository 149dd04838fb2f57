import asyncio
import logging
import socket

import psutil
import pytest

from clients.errors import ClientError
from servers.app import Running, most_sockets, running
from servers.service import Settings
from tests.conformance.steps import HTTP, join, take_messages
from tests.servers.asking import Link, ask
from tests.support.processes import ServerAddress
from tests.support.waiting import until
from wire.techniques import SLUGS


async def test_free_ports_are_taken_and_told(here: Running) -> None:
    assert here.port != here.plugin_port
    assert here.url == f"http://127.0.0.1:{here.port}"
    assert (await ask(here, "GET /clock")).status == 200


async def test_a_taken_port_is_an_os_error_and_leaves_nothing_open() -> None:
    tasks = asyncio.all_tasks()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for ports in [(taken.getsockname()[1], 0), (0, taken.getsockname()[1])]:
            with pytest.raises(OSError, match="in use"):
                async with running(Settings(), "127.0.0.1", *ports):
                    pass
    assert asyncio.all_tasks() == tasks


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
async def test_ipv6_addresses_stand_in_brackets() -> None:
    try:
        async with running(Settings(), "::1") as server:
            assert server.url == f"http://[::1]:{server.port}"
    except OSError:
        pytest.skip("no IPv6 loopback here")


async def test_what_is_not_there_is_told_with_what_is(here: Running) -> None:
    answer = await ask(here, "GET /nothing")
    answer.check_problem(404, "/nothing", "/polling", "/sse", "/publish")
    answer = await ask(here, "DELETE /polling")
    answer.check_problem(405, "DELETE", "GET")
    assert answer.head.fields["allow"] == "GET"


async def test_targets_without_a_path_are_told_what_there_is(
    here: Running, caplog: pytest.LogCaptureFixture
) -> None:
    for line in ("OPTIONS *", "CONNECT there:80"):
        (await ask(here, line)).check_problem(404, "/polling")
    assert not caplog.records


async def test_an_expectation_that_is_not_met_is_a_problem(here: Running) -> None:
    for path in ("/clock", "/polling", "/sse", "/web_socket", "/page_reload"):
        answer = await ask(here, f"GET {path}", "Expect: wonders")
        answer.check_problem(417, "wonders", "100-continue")


async def test_a_get_with_a_body_is_refused(here: Running) -> None:
    for path in ("/clock", "/polling", "/sse"):
        (await ask(here, f"GET {path}", body=b"x")).check_problem(400, "POST")


async def test_a_mistake_of_ours_is_a_problem_and_a_log_entry(
    here: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("servers.telling.resident_bytes", lambda: 1 // 0)
    with caplog.at_level(logging.ERROR):
        (await ask(here, "GET /stats")).check_problem(500, "log")
    assert "GET /stats failed" in caplog.text
    assert (await ask(here, "GET /clock")).status == 200


async def test_pages_of_a_named_origin_may_read_the_answers() -> None:
    origin = "https://lecture.example"
    async with running(Settings(allowed_origins=frozenset({origin}))) as server:
        wrong = ("GET /nothing", "GET /polling?after=wrong", "GET /sse?after=wrong")
        for line in ("GET /clock", "GET /polling", "GET /sse", *wrong):
            async with Link(server.port) as link:
                link.ask(line, f"Origin: {origin}")
                head = await link.head()
                assert head.fields["access-control-allow-origin"] == origin, line
        before = await ask(
            server, "OPTIONS /publish", f"Origin: {origin}", "Access-Control-Request-Method: POST"
        )
        assert before.status == 204
        assert before.head.fields["cache-control"] == "no-store"
        assert "POST" in before.head.fields["access-control-allow-methods"]
        allowed = before.head.fields["access-control-allow-headers"]
        for name in ("Content-Type", "Cache-Control", "Authorization", "X-Requested-With"):
            assert name in allowed


async def test_pages_of_other_sites_get_nothing_from_anywhere(here: Running) -> None:
    for line in ("GET /clock", "GET /polling", "GET /sse", "GET /page_reload", "GET /stats"):
        answer = await ask(here, line, "Origin: http://evil.example")
        answer.check_problem(403, "--allow-origin")
        assert "access-control-allow-origin" not in answer.head.fields
    answer = await ask(
        here,
        "POST /page_reload",
        "Origin: http://evil.example",
        "Content-Type: application/x-www-form-urlencoded",
        body=b"text=x",
    )
    answer.check_problem(403)
    assert here.service.channel("lobby").log.last == 0


async def test_pages_are_counted_with_all_their_bytes(here: Running) -> None:
    row = here.service.row("page_reload")
    async with Link(here.port) as link:
        link.ask("GET /page_reload?channel=x")
        head = await link.until(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await link.exactly(size)
        assert row.requests == 1
        assert row.bytes_down == len(head) + size
        asked = b"GET /page_reload?channel=x HTTP/1.1\r\nHost: here\r\n\r\n"
        assert row.bytes_up == len(asked)


async def test_stopping_answers_who_waits_and_ends_who_reads() -> None:
    async with running(Settings()) as server:
        waiting, reading = Link(server.port), Link(server.port)
        await waiting.__aenter__()
        await reading.__aenter__()
        channel = server.service.channel("x")
        waiting.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        reading.ask("GET /sse?channel=x")
        await reading.head()
        await until(lambda: server.service.row("long_polling").held, "one waits")
    assert (await waiting.answer()).status == 204
    assert (await reading.rest()).endswith(b"0\r\n\r\n")
    for link in (waiting, reading):
        await link.__aexit__()


async def test_only_what_is_asked_for_is_served() -> None:
    async with running(Settings(techniques=("sse",))) as server:
        assert (await ask(server, "GET /polling")).status == 404
        assert server.plugin_port == 0
        async with Link(server.port) as link:
            link.ask("GET /sse")
            assert (await link.head()).status == 200


def test_some_sockets_are_kept_in_reserve() -> None:
    resource = pytest.importorskip("resource")
    assert 16 <= most_sockets() < max(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 17)


@pytest.mark.parametrize("technique", SLUGS)
async def test_one_technique_can_be_served_alone(technique: str) -> None:
    async with running(Settings(techniques=(technique,))) as server:
        for slug in HTTP:
            async with Link(server.port) as link:
                link.ask(f"GET /{slug}")
                assert (await link.head()).status == (200 if slug == technique else 404)
        assert bool(server.plugin_port) == (technique == "plugin_socket")


@pytest.mark.parametrize("technique", SLUGS)
async def test_a_server_that_stops_leaves_nothing_behind(technique: str, channel: str) -> None:
    process = psutil.Process()
    tasks, descriptors = asyncio.all_tasks(), process.num_fds()
    async with running(Settings()) as server:
        at = ServerAddress(server.url, server.plugin_port)
        client = await asyncio.to_thread(join, technique, at, channel, reconnects=0)
        await asyncio.to_thread(client.send, "hola")
        await asyncio.to_thread(take_messages, client, 1)
    with pytest.raises(ClientError):
        await asyncio.to_thread(client.receive, 10)
    client.close()
    assert asyncio.all_tasks() == tasks
    assert process.num_fds() == descriptors
    assert not server.service.liveness.held
    assert server.service.ledger.sockets == 0

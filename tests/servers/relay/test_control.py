import asyncio
import base64
import json
import math
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest

from servers.relay.command_line import _arguments, main
from servers.relay.control import control_app
from servers.relay.relay import Link
from tests.servers import asking
from tests.servers.asking import serving
from tests.servers.relay.relayed import Backend, fails_or_ends
from tests.unbreakable.undefended import without

COMMAND = ["-m", "servers.relay"]


@asynccontextmanager
async def process(
    *arguments: str, command: Sequence[str] = COMMAND, errors: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        *[sys.executable, *command, *arguments], stdout=asyncio.subprocess.PIPE, stderr=errors
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_the_command_relays_obeys_orders_and_ends_at_once(backend: Backend) -> None:
    to = f"127.0.0.1:{backend.port}"
    options = ("--to", to, "--to", to, "--delay-ms", "5", "--control-port", "0")
    async with process(*options) as started:
        assert started.stdout
        lines = [(await started.stdout.readline()).decode().split() for _ in range(3)]
        assert [line[:2] + line[3:] for line in lines] == [
            ["relay", "ready", "->", to],
            ["relay", "ready", "->", to],
            ["control", "ready"],
        ]
        url, control = lines[0][2], lines[2][2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        backend.writers.append(writer)
        server = await backend.accepted.get()
        writer.write(b"hello")
        assert await server[0].readexactly(5) == b"hello"
        async with aiohttp.ClientSession(control) as session:
            await _give_orders(session)
            assert await fails_or_ends(reader) == b""
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 5) == 0


async def _give_orders(session: aiohttp.ClientSession) -> None:
    async with session.get("/state") as answer:
        first, second = (await answer.json())["relays"]
    assert (first["connections"]["bytes_up"], second["connections"]["opened"]) == (5, 0)
    assert first["link"]["delay_s"] == 0.005
    async with session.get("/trace?relay=0&after=1") as answer:
        (event,) = (await answer.json())["events"]
    assert (event["kind"], base64.b64decode(event["data"])) == ("up", b"hello")

    async with session.post("/link", json={"relay": 1, "stalled": True}) as answer:
        first, second = (await answer.json())["relays"]
    assert (first["link"]["stalled"], second["link"]["stalled"]) == (False, True)
    assert second["link"]["delay_s"] == 0.005, "what is not named stays"

    for path in ("/link", "/cut", "/cut_after"):
        for headers in ({"Origin": "http://127.0.0.1:1"}, {"Host": "evil.example:80"}):
            async with session.post(path, json={}, headers=headers) as answer:
                assert answer.status == 403
    for path in ("/state", "/trace"):
        for field, text, status in [
            ("Origin", "null", 403),
            ("Sec-Fetch-Site", "cross-site", 403),
            ("Sec-Fetch-Site", "same-origin", 403),
            ("Sec-Fetch-Site", "none", 200),
            ("Host", "127.0.0.1:1:2", 403),
            ("Host", "LOCALHOST:1", 200),
            ("Host", "localhost", 200),
        ]:
            async with session.get(path, headers={field: text}) as answer:
                assert answer.status == status
    change = {"jitter_s": 0.5, "up_delay_s": 1, "down_bytes_per_s": 1000, "up_bytes_per_s": None}
    async with session.post("/link", json={"relay": 1, **change}) as answer:
        first, second = (await answer.json())["relays"]
    assert {name: second["link"][name] for name in change} == change
    assert (first["link"]["jitter_s"], first["link"]["up_delay_s"]) == (0, None)
    async with session.post("/cut_after", json={}) as answer:
        assert "down_bytes is needed" in (await answer.json())["detail"]
    for query in ("relay=x", "after=-1", "after=\u0663"):
        async with session.get(f"/trace?{query}") as answer:
            assert "no whole number" in (await answer.json())["detail"]

    for path, wrong in [
        ("/link", {"jitter_s": -1}),
        ("/link", {"jitter_s": None}),
        ("/link", {"up_delay_s": -0.1}),
        ("/link", {"down_bytes_per_s": 0}),
        ("/link", {"delay_s": -1}),
        ("/link", {"delay_s": "fast"}),
        ("/link", {"delay_s": 1e308}),
        ("/link", {"delay_s": 3601}),
        ("/link", {"delay_s": 10**400}),
        ("/link", {"delay_s": -(10**400)}),
        ("/link", {"delay_s": math.nan}),
        ("/link", {"bytes_per_s": 0.5}),
        ("/link", {"bytes_per_s": 1e308}),
        ("/link", {"bytes_per_s": 10**400}),
        ("/link", {"stalled": "no"}),
        ("/link", {"speed": 1}),
        ("/link", [1]),
        ("/cut", {"relay": 7}),
        ("/cut_after", {}),
        ("/cut_after", {"down_bytes": 0}),
    ]:
        async with session.post(path, data=json.dumps(wrong)) as answer:
            assert answer.status == 400, (path, wrong)
            assert answer.content_type == "application/problem+json"
            is_bare = (path, wrong) == ("/cut_after", {})
            assert ("down_bytes is needed" in await answer.text()) is is_bare
            assert len((await answer.json())["detail"]) < 200, "words, not the number again"
    async with session.get("/state") as answer:
        assert (await answer.json())["relays"][0]["connections"]["open"] == 1, "nothing half-done"
    async with session.post("/cut", json={"relay": 0}) as answer:
        assert (await answer.json())["relays"][0]["connections"]["open"] == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("--to 8000", "'8000' is not HOST:PORT"),
        ("--to 127.0.0.1:99999", "'127.0.0.1:99999' is not HOST:PORT"),
        ("--to a:1 --port 80000", "'80000' is not a port"),
        ("--to a:1 --port 1 --port 2", "--port once for each --to"),
        ("--to a:1 --delay-ms -1", "delay_s must be 0 to 3600 s, not -0.001"),
        ("--to a:1 --delay-ms nan", "delay_s must be 0 to 3600 s"),
        ("--to a:1 --delay-ms 1e308", "delay_s must be 0 to 3600 s"),
        ("--to a:1 --jitter-ms nan", "jitter_s must be 0 to 3600 s"),
        ("--to a:1 --down-delay-ms -1", "down_delay_s must be 0 to 3600 s"),
        ("--to a:1 --up-bandwidth 0", "up_bytes_per_s must be 1 to 1e+12"),
        ("--to a:1 --bandwidth 0", "bytes_per_s must be 1 to 1e+12"),
        ("--to a:1 --bandwidth 1e300", "bytes_per_s must be 1 to 1e+12"),
    ],
)
def test_the_command_says_what_is_wrong(
    wrong: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(wrong.split())
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_the_command_takes_lines_that_are_unlike_each_way() -> None:
    words = "--to a:1 --delay-ms 10 --jitter-ms 5 --down-delay-ms 0 --up-bandwidth 16000"
    link = _arguments(words.split()).link
    assert link == Link(delay_s=0.01, jitter_s=0.005, down_delay_s=0, up_bytes_per_s=16000)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_what_is_no_order_is_a_problem_and_in_no_log(
    coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(control_app([])) as port:
        for status, head in (
            (400, "Host: a\r\nHost: b"),
            (431, f"Host: localhost:{port}\r\nCookie: {'x' * 20_000}"),
            (400, f"Host: localhost:{port}\r\nContent-Encoding: {coding}"),
        ):
            async with asking.Link(port, f"localhost:{port}") as link:
                link.send(f"POST /link HTTP/1.1\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode())
                (await link.answer()).check_problem(status)
    assert caplog.records == []


def test_the_command_says_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit, match=f"cannot listen: .*{port}"):
            main(["--to", "127.0.0.1:1", "--port", port])


UNCOUNTABLE: list[dict[str, object]] = [
    {"delay_s": 1e308},
    {"jitter_s": 1e308},
    {"delay_s": 10**400},
]


@pytest.mark.slow
@pytest.mark.attack("give it a line that nothing can count", "off", "on")
@pytest.mark.parametrize(
    ("links", "is_lifted"), [(UNCOUNTABLE, False), *(([link], True) for link in UNCOUNTABLE)]
)
async def test_a_line_that_nothing_can_count_would_never_end(
    links: list[dict[str, object]], is_lifted: bool, backend: Backend
) -> None:
    async with process(
        *["--to", f"127.0.0.1:{backend.port}", "--control-port", "0"],
        command=[*without("lines"), *COMMAND] if is_lifted else COMMAND,
        errors=asyncio.subprocess.PIPE,
    ) as started:
        assert started.stdout
        assert started.stderr
        url, control = [(await started.stdout.readline()).decode().split()[2] for _ in range(2)]
        async with aiohttp.ClientSession(control) as session:
            for link in links:
                async with session.post("/link", data=json.dumps(link)) as answer:
                    assert answer.status == (200 if is_lifted else 400)
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        backend.writers.append(writer)
        writer.write(b"x")
        if is_lifted:
            await started.stderr.readuntil(b"OverflowError")
            started.send_signal(signal.SIGTERM)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(started.wait(), 1)
        else:
            started.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(started.wait(), 5) == 0


@pytest.mark.slow
@pytest.mark.parametrize("link", [{"delay_s": 3600}, {"bytes_per_s": 1}, {"stalled": True}])
async def test_sigterm_ends_it_however_long_the_line_still_holds(
    link: dict[str, object], backend: Backend
) -> None:
    to = f"127.0.0.1:{backend.port}"
    async with process("--to", to, "--control-port", "0") as started:
        assert started.stdout
        url, control = [(await started.stdout.readline()).decode().split()[2] for _ in range(2)]
        async with (
            aiohttp.ClientSession(control) as session,
            session.post("/link", json=link) as answer,
        ):
            assert answer.status == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"held" * 1000)
        backend.writers.append(writer)
        await backend.accepted.get()
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 5) == 0
        assert await fails_or_ends(reader) == b""

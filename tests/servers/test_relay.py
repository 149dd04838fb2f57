import asyncio
import base64
import json
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import psutil
import pytest

from servers.relay import Link, Relay
from servers.relay_door import main
from servers.relay_loop import new_loop
from servers.relay_trace import Trace
from wire.tcp_info import SIZE, TcpInfo, decode_tcp_info

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")
BLOB = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Peer:
    """Both ends of one relayed connection, in the hands of the test."""

    relay: Relay
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    async def up(self, data: bytes) -> bytes:
        self.client[1].write(data)
        return await self.server[0].readexactly(len(data))

    async def down(self, data: bytes) -> bytes:
        self.server[1].write(data)
        return await self.client[0].readexactly(len(data))


@dataclass
class Backend:
    """A server that hands its connections to the test."""

    port: int = 0
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=asyncio.Queue
    )
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, relay: Relay) -> Peer:
        client = await asyncio.open_connection("127.0.0.1", relay.port)
        self.writers.append(client[1])
        return Peer(relay, client, await self.accepted.get())


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    backend = Backend()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend.writers.append(writer)
        await backend.accepted.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    backend.port = server.sockets[0].getsockname()[1]
    yield backend
    for writer in backend.writers:
        writer.transport.abort()
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def joined(backend: Backend, **settings: object) -> AsyncIterator[Peer]:
    async with Relay("127.0.0.1", backend.port, **settings) as relay:  # type: ignore[arg-type]
        yield await backend.connect(relay)


async def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, f"waited 10 s for: {what}"
        await asyncio.sleep(0.005)


async def fails_or_ends(reader: asyncio.StreamReader) -> bytes:
    """What still arrives until the connection ends, by FIN or RST."""
    got = b""
    try:
        while chunk := await reader.read(1 << 16):
            got += chunk
    except ConnectionError:
        pass
    return got


# What passes


async def test_bytes_pass_both_ways_whole_and_in_order(backend: Backend) -> None:
    async with joined(backend) as peer:
        up, down = await asyncio.gather(peer.up(BLOB), peer.down(BLOB[::-1]))
    assert up == BLOB
    assert down == BLOB[::-1]


@pytest.mark.parametrize("direction", ["up", "down"])
async def test_nothing_arrives_before_its_delay(backend: Backend, direction: str) -> None:
    async with joined(backend, link=Link(delay_s=0.03)) as peer:
        send: Callable[[bytes], Awaitable[bytes]] = getattr(peer, direction)
        for text in (b"one", b"two"):
            before = time.monotonic_ns()
            assert await send(text) == text
            assert time.monotonic_ns() - before >= 30_000_000


async def test_opening_a_connection_costs_a_round_trip(backend: Backend) -> None:
    async with Relay("127.0.0.1", backend.port, link=Link(delay_s=0.05)) as relay:
        started = time.monotonic()
        peer = await backend.connect(relay)
        await peer.up(b"the first byte comes after SYN, SYN+ACK and its own way")
        assert time.monotonic() - started >= 0.15
        before = time.monotonic()
        await peer.up(b"the second needs its own way only")
        assert time.monotonic() - before >= 0.05


async def test_a_shorter_delay_does_not_let_bytes_overtake(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.1)) as peer:
        for i in range(10):
            peer.server[1].write(bytes([i]))
            await until(lambda i=i: waiting(peer.relay) == i + 1, "the byte is in the relay")
            if i == 4:
                peer.relay.link = Link(delay_s=0)
        assert await peer.client[0].readexactly(10) == bytes(range(10))


def waiting(relay: Relay) -> int:
    return sum(connection.waiting for connection in relay.connections.each)


async def test_changing_the_line_while_bytes_pass_loses_nothing(backend: Backend) -> None:
    chance = random.Random(6455)
    async with joined(backend, buffer_bytes=50_000) as peer:
        both = asyncio.gather(peer.up(BLOB), peer.down(BLOB[::-1]))
        for _ in range(60):
            rate = chance.choice([None, 1e6, 1e8])
            peer.relay.link = Link(chance.choice([0, 0.001, 0.004]), rate, chance.random() < 0.5)
            await asyncio.sleep(chance.uniform(0, 0.003))
        peer.relay.link = Link()
        assert await both == [BLOB, BLOB[::-1]]


async def test_half_close_is_kept_and_delayed_like_bytes(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.02)) as peer:
        before = time.monotonic_ns()
        peer.client[1].write(b"question")
        peer.client[1].write_eof()
        assert await peer.server[0].read() == b"question"
        assert time.monotonic_ns() - before >= 20_000_000
        assert await peer.down(b"answer after the end") == b"answer after the end"
        assert peer.relay.connections.open == 1
        peer.server[1].write_eof()
        assert await peer.client[0].read() == b""
        await until(lambda: peer.relay.connections.open == 0, "closed after both ends")


async def test_a_reset_travels_to_the_other_side(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.01)) as peer:
        peer.client[1].get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
        )
        peer.client[1].transport.abort()
        with pytest.raises(ConnectionResetError):
            await peer.server[0].read()


async def test_bandwidth_holds_for_all_connections_together(backend: Backend) -> None:
    async with joined(backend, link=Link(bytes_per_s=200_000)) as one:
        two = await backend.connect(one.relay)
        before = time.monotonic()
        await asyncio.gather(one.down(bytes(15_000)), two.down(bytes(15_000)))
        assert time.monotonic() - before >= 30_000 / 200_000 - 0.005


async def test_a_limit_that_is_lifted_frees_what_waits(backend: Backend) -> None:
    async with joined(backend, link=Link(bytes_per_s=10)) as peer:
        down = asyncio.create_task(peer.down(BLOB))
        await until(lambda: waiting(peer.relay) > 0, "bytes in the relay")
        peer.relay.link = Link()
        assert await asyncio.wait_for(down, 10) == BLOB


# Stall


async def test_a_stalled_line_loses_nothing_and_holds_a_bounded_amount(backend: Backend) -> None:
    total = 64 << 20  # far more than the kernel's own buffers take
    async with joined(backend, link=Link(stalled=True), buffer_bytes=100_000) as peer:
        peer.client[1].write(b"up waits too")
        await until(lambda: waiting(peer.relay) == 12, "the up bytes in the relay")
        sent = asyncio.create_task(_send(peer.server[1], total))
        await until(lambda: waiting(peer.relay) >= 90_000, "a full relay")
        await asyncio.sleep(0.05)  # time enough to take more, if it did
        assert waiting(peer.relay) < 100_000 + 256 * 1024
        assert not sent.done()
        assert (peer.relay.connections.bytes_down, peer.relay.connections.bytes_up) == (0, 0)
        peer.relay.link = Link()
        assert await peer.server[0].readexactly(12) == b"up waits too"
        received = 0
        while received < total:
            received += len(await peer.client[0].read(1 << 20))
        await sent
        assert received == total == peer.relay.connections.bytes_down


async def _send(writer: asyncio.StreamWriter, total: int) -> None:
    block = bytes(1 << 20)
    for _ in range(total // len(block)):
        writer.write(block)
        await writer.drain()


async def test_a_flood_of_tiny_writes_is_bounded_by_its_upkeep(backend: Backend) -> None:
    async with joined(backend, link=Link(stalled=True), buffer_bytes=12_800) as peer:
        for i in range(100):
            peer.client[1].write(b"x")
            await until(lambda i=i: waiting(peer.relay) == i + 1, "the byte in the relay")
        peer.client[1].write(b"x" * 50)
        await asyncio.sleep(0.05)  # time enough to take more, if it did
        assert waiting(peer.relay) == 100
        peer.relay.link = Link()
        assert await peer.server[0].readexactly(150) == b"x" * 150


async def test_a_client_that_does_not_read_fills_the_relay_only_to_its_bound(
    backend: Backend,
) -> None:
    async with joined(backend, buffer_bytes=100_000) as peer:
        peer.client[1].transport.pause_reading()  # type: ignore[attr-defined]
        sent = asyncio.create_task(_send(peer.server[1], 64 << 20))
        await until(lambda: waiting(peer.relay) >= 90_000, "a full relay")
        await asyncio.sleep(0.05)  # time enough to take more, if it did
        assert waiting(peer.relay) < 100_000 + 256 * 1024
        sent.cancel()


# Cut and down


@pytest.mark.parametrize("reset", [False, True])
async def test_a_cut_comes_at_the_exact_byte(backend: Backend, reset: bool) -> None:
    async with joined(backend) as peer:
        await peer.down(b"before")
        peer.relay.cut_after(down_bytes=70_001, reset=reset)
        peer.server[1].write(BLOB)
        assert await fails_or_ends(peer.client[0]) == BLOB[:70_001]
        await fails_or_ends(peer.server[0])
        count = peer.relay.connections
        assert (count.open, count.bytes_down) == (0, 6 + 70_001)
        again = await backend.connect(peer.relay)
        assert await again.down(BLOB) == BLOB, "it cuts once"


async def test_a_cut_after_can_be_for_one_connection(backend: Backend) -> None:
    async with joined(backend) as one:
        two = await backend.connect(one.relay)
        one.relay.cut_after(down_bytes=3, connection=2)
        assert await one.down(b"not counted") == b"not counted"
        two.server[1].write(b"counted")
        assert await fails_or_ends(two.client[0]) == b"cou"
        assert await one.up(b"alive") == b"alive"


async def test_a_cut_drops_what_is_under_way_and_spares_the_others(backend: Backend) -> None:
    async with joined(backend, link=Link(stalled=True)) as one:
        two = await backend.connect(one.relay)
        one.server[1].write(b"lost")
        await until(lambda: waiting(one.relay) == 4, "bytes in the relay")
        assert one.relay.cut(1) == 1
        with pytest.raises(ConnectionResetError):
            await one.client[0].read()
        with pytest.raises(ConnectionResetError):
            await one.server[0].read()
        one.relay.link = Link()
        assert await two.up(b"alive") == b"alive"
        assert one.relay.cut(reset=False) == 1
        assert await two.client[0].read() == b""
        assert await two.server[0].read() == b""
        assert one.relay.connections.bytes_down == 0


async def test_a_line_that_is_down_refuses_and_comes_back(backend: Backend) -> None:
    async with joined(backend) as peer:
        peer.relay.link = Link(down=True)
        assert await peer.up(b"still here") == b"still here"
        refused, writer = await asyncio.open_connection("127.0.0.1", peer.relay.port)
        assert await fails_or_ends(refused) == b""
        writer.close()
        peer.relay.link = Link()
        assert await (await backend.connect(peer.relay)).down(b"back") == b"back"
        counts = peer.relay.connections
        assert (counts.opened, counts.open, counts.refused) == (2, 2, 1)


async def test_no_server_behind_means_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Relay("127.0.0.1", port) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await fails_or_ends(reader) == b""
        writer.close()
        assert relay.connections.open == 0


# Counts and trace


def _tcp_info(writer: asyncio.StreamWriter) -> TcpInfo:
    sock = writer.get_extra_info("socket")
    return decode_tcp_info(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, SIZE))


@linux_only
async def test_the_relay_and_the_kernel_count_the_same_bytes(backend: Backend) -> None:
    async with joined(backend) as peer:
        for size in (1, 125, 65_536, 300_001):
            await peer.up(bytes(size))
            await peer.down(bytes(2 * size))
        up = 1 + 125 + 65_536 + 300_001
        counts = peer.relay.connections
        assert (counts.bytes_up, counts.bytes_down) == (up, 2 * up)
        assert (counts.each[0].bytes_up, counts.each[0].bytes_down) == (up, 2 * up)
        client, server = _tcp_info(peer.client[1]), _tcp_info(peer.server[1])
        assert client.bytes_retrans == server.bytes_retrans == 0
        assert (client.bytes_sent, client.bytes_received) == (up, 2 * up)
        assert (server.bytes_sent, server.bytes_received) == (2 * up, up)
        assert client.data_segs_out
        assert server.data_segs_in


async def test_the_trace_holds_the_very_bytes_and_who_sent_them_when(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.01), trace=Trace(100, 1 << 20)) as peer:
        before = time.monotonic_ns()
        await peer.up(b"GET / HTTP/1.1\r\n\r\n")
        await peer.down(BLOB)
        peer.server[1].write_eof()
        assert await peer.client[0].read() == b""
        peer.relay.cut()
        events = list(peer.relay.trace)
    assert [e.kind for e in events if e.kind != "down"] == ["open", "up", "close"]
    assert b"".join(e.data for e in events if e.kind == "up") == b"GET / HTTP/1.1\r\n\r\n"
    down = [e for e in events if e.kind == "down"]
    assert b"".join(e.data for e in down) == BLOB
    assert (down[-1].length, down[-1].data) == (0, b"")
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.t_ns for e in events] == sorted(e.t_ns for e in events)
    assert {e.client_port for e in events} == {peer.client[1].get_extra_info("sockname")[1]}
    for event in (e for e in events if e.length):
        assert before <= event.entered_ns <= event.t_ns - 10_000_000


def test_the_trace_is_bounded_and_knows_the_true_length() -> None:
    trace = Trace(limit=3, bytes_each=4)
    for i in range(5):
        trace.record("up", 1, 1000, i, data=b"abcdefgh")
    assert [(e.seq, e.length, e.data) for e in trace] == [(i, 8, b"abcd") for i in (3, 4, 5)]
    assert [e.seq for e in trace.after(4)] == [5]
    assert [e.seq for e in trace.after(0)] == [3, 4, 5]
    assert (trace.after(5), trace.after(99)) == ((), ())


# Life and limits


async def test_stop_leaves_no_task_and_no_socket(backend: Backend) -> None:
    tasks = asyncio.all_tasks()
    relay = Relay("127.0.0.1", backend.port, link=Link(delay_s=5))
    await relay.start()
    peers = [await backend.connect(relay) for _ in range(5)]
    peers[0].client[1].write(b"under way")
    await until(lambda: waiting(relay) == 9, "bytes in the relay")
    await asyncio.wait_for(relay.stop(), 5)
    assert asyncio.all_tasks() == tasks
    assert relay.connections.open == 0
    sockets = psutil.Process().net_connections("tcp")
    assert not [s for s in sockets if relay.port == s.laddr.port]
    assert not [s for s in sockets if s.raddr and s.raddr.port == backend.port]
    for peer in peers:
        await fails_or_ends(peer.client[0])
        await fails_or_ends(peer.server[0])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", relay.port)
    with pytest.raises(RuntimeError, match="make a new one"):
        await relay.start()


@pytest.mark.parametrize(
    "wrong", [{"delay_s": -1}, {"delay_s": float("inf")}, {"bytes_per_s": 0}, {"bytes_per_s": -5}]
)
def test_a_line_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        Link(**wrong)  # type: ignore[arg-type]


async def test_a_cut_after_no_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="down_bytes must be 1 or more"):
        Relay("127.0.0.1", 1).cut_after(0)


def test_the_fine_loop_neither_fires_early_nor_misses_a_socket() -> None:
    async def ping() -> None:
        asked = time.monotonic()
        await asyncio.sleep(0.0123)
        assert time.monotonic() - asked >= 0.0122
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            asyncio.get_running_loop().call_later(0.001, right.send, b"!")
            assert await asyncio.get_running_loop().sock_recv(left, 9) == b"!"

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(ping())


# The process and its door


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "servers.relay", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_the_command_relays_obeys_its_door_and_ends_at_once(backend: Backend) -> None:
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
        url, door = lines[0][2], lines[2][2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        backend.writers.append(writer)
        server = await backend.accepted.get()
        writer.write(b"hello")
        assert await server[0].readexactly(5) == b"hello"
        async with aiohttp.ClientSession(door) as session:
            await _use_door(session)
            assert await fails_or_ends(reader) == b""
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 5) == 0


async def _use_door(session: aiohttp.ClientSession) -> None:
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
        async with session.get(path, headers={"Origin": "null"}) as answer:
            assert answer.status == 403
    for path, wrong in [
        ("/link", {"delay_s": -1}),
        ("/link", {"delay_s": "fast"}),
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
        ("--to a:1 --delay-ms -1", "delay_s must be 0 or more"),
    ],
)
def test_the_command_says_what_is_wrong(
    wrong: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(wrong.split())
    assert end.value.code == 2
    assert says in capsys.readouterr().err


def test_the_command_says_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit, match=f"cannot listen: .*{port}"):
            main(["--to", "127.0.0.1:1", "--port", port])

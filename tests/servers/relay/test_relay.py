import asyncio
import random
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from functools import partial

import psutil
import pytest

from servers.relay.relay import Link, Relay
from tests.servers.relay.relayed import BLOB, Backend, fails_or_ends, joined, waiting
from tests.support.engines import free_port
from tests.support.waiting import until

# What passes


def holds(relay: Relay, count: int) -> bool:
    return waiting(relay) == count


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


async def test_each_way_may_have_a_delay_of_its_own(backend: Backend) -> None:
    link = Link(delay_s=10, up_delay_s=0.0, down_delay_s=0.05)
    async with Relay("127.0.0.1", backend.port, link=link) as relay:
        started = time.monotonic()
        peer = await backend.connect(relay)
        await peer.up(b"one way down, for the answer to the SYN")
        assert time.monotonic() - started >= 0.05
        before = time.monotonic_ns()
        await peer.down(b"x")
        assert time.monotonic_ns() - before >= 50_000_000
    entered = {event.kind: event.t_ns - event.entered_ns for event in relay.trace}
    assert entered["down"] >= 50_000_000 > entered["open"]


async def test_each_way_may_have_a_rate_of_its_own(backend: Backend) -> None:
    size, rate = 10_000, 100_000.0
    for way, link in (
        ("up", Link(up_bytes_per_s=rate)),
        ("down", Link(down_bytes_per_s=rate)),
        ("up", Link(bytes_per_s=rate, down_bytes_per_s=1e9)),
    ):
        async with joined(backend, link=link) as peer:
            before = time.monotonic()
            await (peer.up if way == "up" else peer.down)(bytes(size))
            assert time.monotonic() - before >= 0.9 * size / rate
            # A way with the other's rate would take ten seconds for so much.
            async with asyncio.timeout(5):
                await (peer.down if way == "up" else peer.up)(BLOB)


async def test_jitter_delays_by_chance_and_keeps_the_order(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.002, jitter_s=0.02)) as peer:
        for number in range(20):
            await peer.down(bytes([number]))
        took = [e.t_ns - e.entered_ns for e in peer.relay.trace if e.kind == "down"]
        assert min(took) >= 2_000_000
        assert max(took) - min(took) > 1_000_000
        assert await peer.down(BLOB) == BLOB


def test_jitter_is_spread_evenly_and_is_for_either_way() -> None:
    link = Link(delay_s=0.010, jitter_s=0.020, up_delay_s=0.100)
    for direction, least in (("down", 0.010), ("up", 0.100)):
        drawn = sorted(link.delay(direction) for _ in range(4000))  # type: ignore[arg-type]
        assert least <= drawn[0] <= drawn[-1] <= least + 0.020
        assert drawn[2000] == pytest.approx(least + 0.010, abs=0.002)
    assert {Link(delay_s=0.01).delay("up") for _ in range(100)} == {0.01}


async def test_a_shorter_delay_does_not_let_bytes_overtake(backend: Backend) -> None:
    async with joined(backend, link=Link(delay_s=0.5)) as peer:
        for i in range(10):
            peer.server[1].write(bytes([i]))
            await until(partial(holds, peer.relay, i + 1), "the byte is in the relay")
            if i == 4:
                peer.relay.link = Link(delay_s=0)
        assert await peer.client[0].readexactly(10) == bytes(range(10))


async def test_changing_the_line_while_bytes_pass_loses_nothing(backend: Backend) -> None:
    chance = random.Random(6455)
    async with joined(backend, buffer_bytes=50_000) as peer:
        both = asyncio.gather(peer.up(BLOB), peer.down(BLOB[::-1]))
        for _ in range(60):
            rate = chance.choice([None, 1e6, 1e8])
            peer.relay.link = Link(chance.choice([0, 0.001, 0.004]), rate, chance.random() < 0.5)
            await asyncio.sleep(chance.uniform(0, 0.003))
        peer.relay.link = Link()
        assert [*await both] == [BLOB, BLOB[::-1]]


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
            await until(partial(holds, peer.relay, i + 1), "the byte in the relay")
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
    async with Relay("127.0.0.1", free_port()) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await fails_or_ends(reader) == b""
        writer.close()
        assert relay.connections.open == 0


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


async def test_a_reset_behind_what_waits_for_a_slow_reader_is_told_once(backend: Backend) -> None:
    """Asyncio ends a connection twice that is ended in the middle of its own write."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with joined(backend, buffer_bytes=2**26) as peer:
        (connection,) = peer.relay._live.values()
        reader, writer = peer.client
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        peer.server[1].transport.set_write_buffer_limits(0)
        while not waiting(peer.relay):
            peer.server[1].write(BLOB)
            await peer.server[1].drain()
        plain = peer.server[1].get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.server[1].transport.abort()
        await until(lambda: connection.down.source is None, "the reset stands behind")
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        await fails_or_ends(reader)
        await until(lambda: not peer.relay._live, "it is gone")
    assert errors == []

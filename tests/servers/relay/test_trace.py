import asyncio
import socket
import sys
import time

import pytest

from servers.relay.relay import Link
from servers.relay.trace import Trace
from tests.servers.relay.relayed import BLOB, Backend, joined
from wire.tcp_info import SIZE, TcpInfo, decode_tcp_info

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")


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
        # What the kernel, on a busy machine, sent again was not sent more.
        sent = [(info.bytes_sent or 0) - (info.bytes_retrans or 0) for info in (client, server)]
        assert sent == [up, 2 * up]
        assert [client.bytes_received, server.bytes_received] == [2 * up, up]
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

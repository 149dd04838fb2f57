"""What the transport promises to protocols: order, bounds, and an end with a good-bye."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers.front.secure_transport import SecureTransport
from servers.front.tls import _shake_hands
from tests.support.certificates import authority, cafile_of, context_for
from tests.support.waiting import until

__all__ = ["authority"]
HERE = "127.0.0.1"


class Noting(asyncio.Protocol):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.heard.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> bool:
        self.heard.append("eof")
        return True

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.append(f"lost {exc}")


@dataclass
class Both:
    """Both ends of a connection: the transport with its protocol, and the client's streams."""

    transport: SecureTransport
    protocol: Noting
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@pytest.fixture
async def both(authority: Path) -> AsyncIterator[Both]:
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    here.setblocking(False)
    context = context_for(authority, HERE)
    secure = context.wrap_socket(here, server_side=True, do_handshake_on_connect=False)
    trusting = ssl.create_default_context(cafile=cafile_of(authority))
    opening = asyncio.open_connection(sock=there, ssl=trusting, server_hostname=HERE)
    (reader, writer), _ = await asyncio.gather(opening, _shake_hands(secure))
    protocol = Noting()
    transport = SecureTransport(secure, protocol)
    yield Both(transport, protocol, reader, writer)
    if not writer.is_closing():  # Python's TLS before 3.11.3 cannot abort what is closed
        writer.transport.abort()
    transport.abort()
    await until(lambda: protocol.heard[-1].startswith("lost"), "it has ended")


async def test_what_the_kernel_does_not_take_waits_and_comes_in_order(both: Both) -> None:
    pieces = [bytes([number]) * 50_000 for number in range(40)]
    for piece in pieces:
        both.transport.write(piece)
    assert both.protocol.heard == ["made", "pause"]
    assert both.transport.get_write_buffer_size() > 64 * 2**10
    assert await both.reader.readexactly(40 * 50_000) == b"".join(pieces)
    await until(lambda: both.protocol.heard == ["made", "pause", "resume"], "it is told once")
    assert both.transport.get_write_buffer_size() == 0


async def test_closing_sends_what_waits_says_good_bye_and_waits_for_the_peers(both: Both) -> None:
    both.transport.write(b"x" * 1_000_000)
    both.transport.close()
    both.transport.write(b"nothing more")
    both.writer.write(b"on its way")
    assert len(await both.reader.read()) == 1_000_000
    both.writer.close()
    await until(lambda: both.protocol.heard[-1] == "lost None", "it has ended")
    assert both.protocol.data == b""


async def test_the_peers_end_is_heard_and_ends_it(both: Both) -> None:
    both.writer.write(b"the last words")
    both.writer.close()
    await until(lambda: both.protocol.heard == ["made", "eof", "lost None"], "it has ended")
    assert both.protocol.data == b"the last words"
    assert not both.transport.is_reading()


async def test_what_comes_waits_while_reading_is_paused(both: Both) -> None:
    both.transport.pause_reading()
    both.writer.write(b"hola")
    await both.writer.drain()
    both.transport.write(b"a turn")
    await both.reader.readexactly(6)
    assert both.protocol.data == b""
    both.transport.resume_reading()
    await until(lambda: both.protocol.data == b"hola", "it has come")


async def test_another_protocol_hears_what_comes_from_then_on(both: Both) -> None:
    other = Noting()
    both.transport.set_protocol(other)
    both.writer.write(b"hola")
    await until(lambda: other.data == b"hola", "it has come")
    both.transport.set_protocol(both.protocol)


async def test_a_garbled_record_ends_it_and_says_why(both: Both) -> None:
    plain = both.writer.get_extra_info("socket")
    os.write(plain.fileno(), b"no TLS at all")
    await until(lambda: "lost" in both.protocol.heard[-1], "it has ended")
    assert "SSL" in both.protocol.heard[-1]


async def test_a_full_buffer_that_is_none_is_refused(both: Both) -> None:
    both.transport.set_write_buffer_limits(8, 2)
    assert both.transport.get_write_buffer_limits() == (2, 8)
    with pytest.raises(ValueError, match="at least low"):
        both.transport.set_write_buffer_limits(1, 2)

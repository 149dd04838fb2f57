"""Handing a connection over: from aiohttp to a slim protocol, and back.

aiohttp keeps eight to fourteen KiB for a connection whose handler waits: parser, request, task,
response. A held connection needs none of them any more. So once aiohttp has accepted, parsed,
routed and checked a request, the technique may take the bare transport over, and aiohttp's
objects are freed while the socket lives on (measured: 1.5 KiB instead of 11 for an event
stream). What that relies on is gathered in :mod:`servers.front.handler`. All other connections are
served by aiohttp alone.
"""

import asyncio
from typing import NoReturn, cast

from aiohttp import web

from servers.front.handler import Handler
from servers.front.ledger import Ledger, Row
from servers.front.problems import Problem
from wire.http_head import END

FULL = Problem(
    503, "this server has no room for another connection; come back later", Retry_After="5"
)
# Descriptors kept free for refusals, logs and listening sockets.
RESERVE = 64
MOST_REFUSALS = 24  # that wait for a request; beyond, connections are cut without a word
_REFUSAL_SECONDS = 2.0


class Front(asyncio.Protocol):
    """Stands before aiohttp's protocol: remembers the last bytes, so that nothing gets lost."""

    __slots__ = ("_before", "_chunk", "_inner", "_ledger", "_row", "came_from", "has_ended")

    def __init__(self, inner: Handler, ledger: Ledger) -> None:
        self._inner = inner
        self._ledger = ledger
        self._before = self._chunk = b""
        self._row: Row | None = None
        self.came_from: Row | None = None  # the row of the technique that gave the connection back
        self.has_ended = False  # whether the client said that it sends no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._ledger.sockets += 1
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._before = (self._before + self._chunk)[-3:]
        self._chunk = data
        self._inner.data_received(data)

    def eof_received(self) -> bool:
        """Close, but after the answer where a whole request waits for one.

        TLS knows no half-close, so there the answer is lost.
        """
        transport = self._inner.transport
        if transport is None or not transport.can_write_eof():
            return False
        if self._inner.is_idle or not self.is_at_request_end():
            return False
        self.has_ended = True
        self._inner.close()
        return True

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def count_for(self, row: Row) -> None:
        """Enter the connection into the row of the technique that it was first used for."""
        if self._row is None:
            self._row = row
            row.open += 1
            row.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._ledger.sockets -= 1
        if self._row is not None:
            self._row.open -= 1
        self._inner.connection_lost(exc)

    def is_at_request_end(self) -> bool:
        """Whether the last bytes received end a head."""
        return (self._before + self._chunk[-4:]).endswith(END)

    def is_alone(self) -> bool:
        """Whether nothing came behind the head of the request that is handled."""
        return not self._inner.has_more and self.is_at_request_end()

    def let_go(self) -> None:
        """Free aiohttp's protocol, whose running handler gets cancelled."""
        self._ledger.sockets -= 1
        if self._row is not None:
            self._row.open -= 1
        self._inner.let_go()


class Refusal(asyncio.Protocol):
    """Answers a refusal to whatever is asked, where descriptors have run out."""

    def __init__(self, ledger: Ledger, answer: bytes) -> None:
        self._ledger = ledger
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait a moment for the request: closing before it came would destroy the answer."""
        self._transport = cast(asyncio.Transport, transport)
        self._ledger.sockets += 1
        self._ledger.refusals += 1
        self._timer = asyncio.get_running_loop().call_later(_REFUSAL_SECONDS, self._transport.abort)
        if self._ledger.refusals > MOST_REFUSALS:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ledger.sockets -= 1
        self._ledger.refusals -= 1
        self._timer.cancel()


class Listener:
    """Makes the protocol of each new connection; ``most`` bounds the open sockets."""

    def __init__(self, server: web.Server, ledger: Ledger, most: int) -> None:
        self._server = server
        self._ledger = ledger
        self._most = most
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> asyncio.Protocol:
        """Make a protocol: aiohttp's, or a refusal where the room is used up."""
        if self._ledger.sockets >= self._most:
            return Refusal(self._ledger, FULL.raw())
        return self.front()

    def front(self) -> Front:
        """Make aiohttp's protocol, for a connection that has its room already."""
        return Front(Handler(self._server, self._loop), self._ledger)


async def take_over(request: web.Request, protocol: asyncio.Protocol) -> NoReturn:
    """Give the request's connection to ``protocol``, whose ``connection_made`` is called.

    Never returns: the handler that awaits this is cancelled by it, as its request is over.
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        raise asyncio.CancelledError
    front = transport.get_protocol()
    assert isinstance(front, Front)
    transport.set_protocol(protocol)
    front.let_go()
    transport.resume_reading()  # aiohttp pauses it where requests were pipelined
    try:
        protocol.connection_made(transport)
    except Exception:
        transport.abort()  # it is not aiohttp's any more, so nobody else would close it
        raise
    if front.has_ended and not protocol.eof_received():  # which it would not hear of again
        transport.close()
    await asyncio.sleep(0)
    raise asyncio.CancelledError


def is_alone(request: web.Request) -> bool:
    """Whether nothing that the client sent after ``request`` has been received yet."""
    transport = request.transport
    front = transport.get_protocol() if transport is not None else None
    return isinstance(front, Front) and front.is_alone()


def is_new_to(request: web.Request, row: Row) -> bool:
    """Whether the request's connection is not one that the technique of ``row`` gave back."""
    front = request.transport.get_protocol() if request.transport is not None else None
    return isinstance(front, Front) and front.came_from is not row


def give_back(
    transport: asyncio.Transport, listener: Listener, unread: bytes, row: Row | None = None
) -> None:
    """Let aiohttp serve the connection again, beginning with the ``unread`` bytes.

    ``row`` is of the technique that gives it back, and has counted the connection.
    """
    protocol = listener.front()
    protocol.came_from = row
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    protocol.data_received(unread)

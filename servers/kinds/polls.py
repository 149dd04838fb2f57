"""Short and held requests on a kept connection: what polling and long-polling share.

aiohttp takes the first request; from then on this protocol reads the requests that follow, as
long as they are GETs on the technique's own address, and gives the connection back for anything
else. Each request passes the same checks as the first. Clients that wait at the same cursor get
one answer, encoded once.
"""

import asyncio
import time
from functools import lru_cache, partial
from typing import cast

from aiohttp import web

from servers.channels.channel import Channel
from servers.front.budget import FREE, NO_ROOM
from servers.front.handover import give_back, is_alone, is_new_to, take_over
from servers.front.heads import LONGEST_ADDRESS, LONGEST_FIELDS, address_too_long, fields_too_long
from servers.front.problems import Problem
from servers.front.query import Query
from servers.kinds.poll_heads import read_ask
from servers.kinds.poll_pool import Ask, Deadlines, Pool, nothing_new
from servers.kinds.poll_states import CLOSING, FULL, IDLE, LOADING, LONGEST, READING, WAITING, State
from servers.service import Service
from wire.http_head import END, encode_request

_LONGEST_HEAD = LONGEST_ADDRESS + LONGEST_FIELDS + 2**10  # with method, version and spaces


class PollDoor:
    """Takes the requests of one technique; ``serve`` says what the technique does with them."""

    slug: str

    def __init__(self, service: Service) -> None:
        self.service = service
        self.row = service.row(self.slug)
        self.deadlines = Deadlines()
        self.loading: set[asyncio.Task[None]] = set()  # a loop alone would let go of them
        self.path = f"/{self.slug}"
        # Waiting clients send the same head again and again, and many send the same one.
        self.read = lru_cache(maxsize=512)(partial(read_ask, self.path, service))

    def serve(self, pool: Pool, ask: Ask, connection: "PollConnection") -> None:
        """Answer ``ask``, or let its connection wait in ``pool``."""
        raise NotImplementedError

    def routes(self) -> list[web.RouteDef]:
        """Return the one route."""
        return [web.get(self.path, self.handle, allow_head=False)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take over the connection of a first request, and serve that as all others."""
        fields = [
            (name.decode(), value.decode("latin-1"))
            for name, value in request.raw_headers
            if name.lower() != b"content-length"  # aiohttp has seen that there is no body
        ]
        if not is_alone(request) or request.version < (1, 1):
            # What was sent behind it cannot be given back, so it must be sent again
            # (RFC 9112, 9.3.2 lets a server close on a client that pipelines). And a client of
            # HTTP/1.0 waits for the end (RFC 9112, 9.3).
            fields.append(("Connection", "close"))
        if "Host" not in request.headers:
            fields.append(("Host", ""))  # which HTTP/1.0 may leave out
        # The path may have come escaped, or with a host before it.
        target = f"{self.path}?{request.rel_url.raw_query_string}"
        head = encode_request("GET", target, fields)
        if self.read(head) is None:  # given back at once, it would come in circles
            raise Problem(400, f"not understood; accepted is a plain GET of {self.path}")
        self.row.connections += is_new_to(request, self.row)
        await take_over(request, PollConnection(self, head))

    def pool(self, query: Query) -> Pool:
        """Return the pool of the channel asked for."""
        return self.pool_of(self.service.channel(query.channel), query)

    def pool_of(self, channel: Channel, query: Query) -> Pool:
        """Return the pool of a channel, where somebody has just asked."""
        if query.name:
            self.service.presence.seen(channel, query.name, self.slug)
        return channel.reader(self.slug, lambda: Pool(channel, self.row, self.deadlines))


class PollConnection(asyncio.Protocol):
    """A kept connection, between requests or with one that waits."""

    __slots__ = (
        "_door",
        "_left",
        "_owed",
        "_pool",
        "_since",
        "_state",
        "_unread",
        "due",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, door: PollDoor, unread: bytes) -> None:
        self._door = door
        self._unread = unread
        self._state = READING
        self._since = time.monotonic()  # when the state began, or an answer was last seen moving
        self._pool: Pool | None = None  # where it waits, and only then
        self._owed = 0  # bytes of an answer that was not taken yet
        self._left = 0  # bytes of answers that the last check found unsent
        self.due = 0

    def _enter(self, state: State) -> None:
        self._state = state
        self._since = time.monotonic()

    def _go_on(self) -> None:
        """Turn to what the client sent meanwhile, or wait for it to send something."""
        self._state = READING if self._unread else IDLE
        self._since = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the request that was handed over."""
        self.transport = cast(asyncio.Transport, transport)
        self._door.row.open += 1
        self._door.service.ledger.sockets += 1
        self._door.service.liveness.held[self] = 0
        self._serve()

    def data_received(self, data: bytes) -> None:
        """Serve what came, once the request before it is answered."""
        if self._state is IDLE:
            self._state, self._since = READING, time.monotonic()
        self._unread += data
        self._serve()
        if len(self._unread) > 2 * _LONGEST_HEAD:
            self.transport.pause_reading()  # a client that sends ahead must wait, too

    def _serve(self) -> None:
        while self._state is READING:
            end = self._unread.find(END)
            if end < 0 and len(self._unread) <= _LONGEST_HEAD:
                return
            if end < 0 or end > _LONGEST_HEAD:
                is_address = b"\r\n" not in self._unread[:_LONGEST_HEAD]
                self._refuse(address_too_long() if is_address else fields_too_long())
                return
            head, rest = self._unread[: end + 4], self._unread[end + 4 :]
            ask = self._door.read(head)
            if ask is None:
                self._give_back()
                return
            self._unread = rest
            self._door.row.requests += 1
            self._door.row.bytes_up += len(head)
            if isinstance(ask, Problem):
                self._refuse(ask)
                return
            channel = self._door.service.channel(ask.query.channel)
            if channel.log.ready(ask.query.after) is None:
                self._take(ask, channel)
            else:
                self._state = LOADING
                task = asyncio.get_running_loop().create_task(self._load(ask))
                self._door.loading.add(task)
                task.add_done_callback(self._door.loading.discard)

    def _take(self, ask: Ask, channel: Channel) -> None:
        pool = self._door.pool_of(channel, ask.query)
        self._door.serve(pool, ask, self)
        if self in pool.waiting:
            self._pool, self._state = pool, WAITING

    async def _load(self, ask: Ask) -> None:
        try:
            channel = await self._door.service.open(ask.query.channel, ask.query.after)
        except Problem as problem:
            if self._state is LOADING:
                self._refuse(problem)
        else:
            if self._state is LOADING:
                self._state = READING
                self._take(ask, channel)
                self._serve()

    def answer(self, ask: Ask, response: bytes) -> None:
        """Write ``response``, and go on with what the client sent meanwhile."""
        self._pool = None
        if len(response) > FREE and not self._owe(len(response)):
            self._refuse(NO_ROOM)
            return
        self._go_on()
        self._door.row.bytes_down += len(response)
        self.transport.write(response)
        left = self.transport.get_write_buffer_size()
        if left or self._owed:  # most answers are taken at once, and need no reckoning
            self._owe(left)
        if ask.close:
            self._close()
        elif self._unread:
            self.transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._serve)

    def _owe(self, size: int) -> bool:
        """Hold so many bytes that the client has not taken; false where there is no room."""
        has_room = self._door.service.budget.change(self._owed, size)
        if has_room:
            self._owed = size
        return has_room

    def time_out(self) -> None:
        """Answer that nothing came."""
        if self._pool is not None:
            ask = self._pool.waiting[self][0]
            self._pool.drop(self)
            self.answer(ask, nothing_new(ask))

    def eof_received(self) -> bool:
        """Answer what waits: a client that sends no more may still read, but over TLS."""
        self.finish()
        return self.transport.can_write_eof()

    def pause_writing(self) -> None:
        """Serve no more requests of a client that does not read the answers."""
        if self._state is not CLOSING:
            self._enter(FULL)

    def resume_writing(self) -> None:
        self._owe(0)
        if self._state is FULL:
            self._go_on()
            asyncio.get_running_loop().call_soon(self._serve)

    def beat(self) -> None:
        """Nothing may be written while a request waits; TCP keep-alive finds the dead."""

    def check(self) -> None:
        """End connections that idle, dribble a head, or do not take their answer."""
        now, left = time.monotonic(), self.transport.get_write_buffer_size()
        if left < self._left:  # the answer is being read, however slowly
            self._since = now
        self._left = left
        is_stuck = now - self._since > LONGEST[self._state]
        if is_stuck or self._door.service.liveness.is_deaf(self):
            self.transport.abort()
        elif self._pool is not None:
            self._door.pool(self._pool.waiting[self][0].query)  # who waits is not silent

    def finish(self) -> None:
        """Answer what waits and close."""
        if self._pool is not None:
            self._door.deadlines.remove(self)
            self.time_out()
        self._close()

    def _refuse(self, problem: Problem) -> None:
        response = problem.raw()
        self._door.row.bytes_down += len(response)
        self.transport.write(response)
        self._close()

    def _close(self) -> None:
        self._enter(CLOSING)
        self.transport.close()

    def _give_back(self) -> None:
        unread, self._unread = self._unread, b""
        self._state = CLOSING
        self._leave()
        give_back(self.transport, self._door.service.listener, unread, self._door.row)

    def _leave(self) -> None:
        self._owe(0)
        self._door.row.open -= 1
        self._door.service.ledger.sockets -= 1
        self._door.service.liveness.held.pop(self, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = CLOSING
        if self._pool is not None:
            self._pool.drop(self)
            self._door.deadlines.remove(self)
            self._pool = None
        self._leave()

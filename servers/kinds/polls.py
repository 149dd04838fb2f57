"""Short and held requests on a kept connection: what polling and long-polling share.

aiohttp takes the first request; from then on this protocol reads the requests that follow, as
long as they are GETs on the technique's own address, and gives the connection back for anything
else. Each request passes the same checks as the first. Clients that wait at the same cursor get
one answer, encoded once.
"""

import asyncio
import contextlib
import time
from functools import lru_cache
from typing import cast

import httptools
from aiohttp import web

from servers.front.handover import give_back, is_alone, is_new_to, take_over
from servers.front.problems import Problem, problem_of
from servers.front.query import Query
from servers.kinds.poll_pool import Ask, Deadlines, Pool, nothing_new
from servers.service import Service
from wire.errors import WireError
from wire.http_head import END, encode_request

_LONGEST_HEAD = 16 * 2**10
_HEAD_SECONDS = 10.0  # a head that takes longer is an attack or a broken line
_IDLE_SECONDS = 75.0


class PollDoor:
    """Takes the requests of one technique; ``serve`` says what the technique does with them."""

    slug: str

    def __init__(self, service: Service) -> None:
        self.service = service
        self.row = service.row(self.slug)
        self.deadlines = Deadlines()
        self.path = f"/{self.slug}"
        # Waiting clients send the same head again and again, and many send the same one.
        self.read = lru_cache(maxsize=512)(self._read)

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
        channel = self.service.channel(query.channel)
        if query.name:
            self.service.presence.seen(channel, query.name, self.slug)
        return channel.reader(self.slug, lambda: Pool(channel, self.row, self.deadlines))

    def _read(self, head: bytes) -> Ask | Problem | None:
        """Understand a request head: what it asks, a refusal, or ``None`` if it is not for us."""
        seen = _Seen()
        parser = httptools.HttpRequestParser(seen)
        try:
            # A server may ignore an offer to speak something else (RFC 9110, 7.8).
            with contextlib.suppress(httptools.HttpParserUpgrade):
                parser.feed_data(head)
            path, _, query = seen.target.decode().partition("?")
        except (httptools.HttpParserError, UnicodeDecodeError) as error:
            return Problem(400, f"not an HTTP/1.1 request: {error}")
        fields = seen.fields
        has_body = fields.get("content-length", "0") != "0" or "transfer-encoding" in fields
        # RFC 9112, 3.2: there is one Host; aiohttp says what is wrong with none or two.
        has_host = "host" in fields and "," not in fields["host"]
        if parser.get_method() != b"GET" or path != self.path or has_body or not has_host:
            return None
        # Not parser.should_keep_alive(), which forgets at the end of the head.
        wishes = fields.get("connection", "").lower().replace(" ", "").split(",")
        close = "close" in wishes or parser.get_http_version() != "1.1"
        origin = None
        try:
            origin = self.service.guard.check(fields)
            return Ask(self.service.query(query, fields), close, origin)
        except Problem as refusal:
            problem = refusal
        except WireError as error:
            problem = problem_of(error)
        if origin is not None:
            problem.headers["Access-Control-Allow-Origin"] = origin
        return problem


class _Seen:
    """Collects what the parser reports of one head."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: dict[str, str] = {}

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.fields[key] = f"{self.fields[key]}, {text}" if key in self.fields else text


class PollConnection(asyncio.Protocol):
    """A kept connection, between requests or with one that waits."""

    __slots__ = (
        "_door",
        "_is_closing",
        "_is_full",
        "_left",
        "_pool",
        "_since",
        "_unread",
        "due",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, door: PollDoor, unread: bytes) -> None:
        self._door = door
        self._unread = unread
        self._pool: Pool | None = None  # where it waits
        self._is_closing = self._is_full = False
        self._since = time.monotonic()  # when it began to idle, to send a head, or to be answered
        self._left = 0  # bytes of answers that the last check found unsent
        self.due = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the request that was handed over."""
        self.transport = cast(asyncio.Transport, transport)
        self._door.row.open += 1
        self._door.service.ledger.sockets += 1
        self._door.service.liveness.held[self] = 0
        self._serve()

    def data_received(self, data: bytes) -> None:
        """Serve what came, once the request before it is answered."""
        if not self._unread:
            self._since = time.monotonic()
        self._unread += data
        self._serve()
        if len(self._unread) > 2 * _LONGEST_HEAD:
            self.transport.pause_reading()  # a client that sends ahead must wait, too

    def _serve(self) -> None:
        while self._unread and not (self._pool or self._is_closing or self._is_full):
            end = self._unread.find(END)
            if end < 0 and len(self._unread) <= _LONGEST_HEAD:
                return
            if end < 0 or end > _LONGEST_HEAD:
                self._refuse(Problem(431, f"a head of more than {_LONGEST_HEAD} bytes"))
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
            pool = self._door.pool(ask.query)
            self._door.serve(pool, ask, self)
            if self in pool.waiting:
                self._pool = pool

    def answer(self, ask: Ask, response: bytes) -> None:
        """Write ``response``, and go on with what the client sent meanwhile."""
        self._pool = None
        self._since = time.monotonic()
        self._door.row.bytes_down += len(response)
        self.transport.write(response)
        if ask.close:
            self._close()
        elif self._unread:
            self.transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._serve)

    def time_out(self) -> None:
        """Answer that nothing came."""
        if self._pool is not None:
            ask = self._pool.waiting[self][0]
            self._pool.drop(self)
            self.answer(ask, nothing_new(ask))

    def eof_received(self) -> bool:
        """Answer what waits: a client that sends no more may still read."""
        if self._pool is not None:
            self._door.deadlines.remove(self)
            self.time_out()
        self._close()
        return True

    def pause_writing(self) -> None:
        """Serve no more requests of a client that does not read the answers."""
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._since = time.monotonic()
        asyncio.get_running_loop().call_soon(self._serve)

    def beat(self) -> None:
        """Nothing may be written while a request waits; TCP keep-alive finds the dead."""

    def check(self) -> None:
        """End connections that idle, dribble a head, or do not take their answer."""
        now, left = time.monotonic(), self.transport.get_write_buffer_size()
        if left < self._left:  # the answer is being read, however slowly
            self._since = now
        self._left = left
        is_sending = self._unread and not self._is_full
        limit = _HEAD_SECONDS if is_sending else _IDLE_SECONDS
        is_stuck = self._pool is None and now - self._since > limit
        if is_stuck or self._door.service.liveness.is_deaf(self):
            self.transport.abort()
        elif self._pool is not None:
            self._door.pool(self._pool.waiting[self][0].query)  # who waits is not silent

    def finish(self) -> None:
        """Answer what waits and close."""
        self.eof_received()

    def _refuse(self, problem: Problem) -> None:
        response = problem.raw()
        self._door.row.bytes_down += len(response)
        self.transport.write(response)
        self._close()

    def _close(self) -> None:
        self._is_closing = True
        self.transport.close()

    def _give_back(self) -> None:
        unread, self._unread = self._unread, b""
        self._leave()
        give_back(self.transport, self._door.service.listener, unread, self._door.row)

    def _leave(self) -> None:
        self._door.row.open -= 1
        self._door.service.ledger.sockets -= 1
        self._door.service.liveness.held.pop(self, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        if self._pool is not None:
            self._pool.drop(self)
            self._door.deadlines.remove(self)
            self._pool = None
        self._leave()

"""What every technique needs, in one hand: settings, hub, ledger, guard, presence, liveness."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from servers.answering import Answers
from servers.channels.channel import Channel, Hub
from servers.channels.log import Log, MemoryLog, Unavailable
from servers.channels.pacer import Pacer
from servers.channels.presence import Presence
from servers.front.budget import Budget
from servers.front.guard import Guard
from servers.front.handover import Listener
from servers.front.heads import fields_of
from servers.front.ledger import Ledger, Row
from servers.front.liveness import Liveness
from servers.front.problems import Problem
from servers.front.query import Query, parse_query
from servers.front.unread import Unread
from wire.cursor import Cursor
from wire.techniques import SLUGS

_ANNOUNCED_S = 2.0  # is what whoever came before may take
RETRY_AFTER = "1"  # seconds, where a log is away


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is set up.

    ``heartbeat`` is seconds between signs of life on what is held open; ``most_message`` bounds
    a message's body in bytes; ``log_messages`` and ``log_bytes`` bound each channel's history;
    ``send_buffer`` is the kernel's buffer per connection in bytes: without it, a client that
    reads nothing may hold megabytes of kernel memory; ``most_waiting`` bounds the bytes of all
    large things together that are unfinished or unread (:mod:`servers.front.budget`);
    ``longest_page`` is how many bytes of messages stand on one page, while the rest comes with the
    next; ``deflate`` allows permessage-deflate; ``answers`` lets people ask for an answer that is
    written word by word (:mod:`servers.answering`); ``shares_ports`` lets other workers listen on
    the same (:mod:`servers.supervisor`).

    Deflate is off by default, as it would make byte counts unlike. Without context takeover it
    costs no memory per connection, and a broadcast is compressed once for all. Measured with 200
    subscribers (``python -m loadtests.limits.deflate``): messages of 100, 1,000 and 10,000 bytes of
    prose take 0.72, 0.39 and 0.25 of their bytes; a delivery takes 1.0 to 1.3 times the CPU, an
    echo, inflated and deflated by itself, 2.3, 2.4 and 7.4 times; idle, either holds 0.9 KiB for
    each connection.
    """

    techniques: tuple[str, ...] = SLUGS
    allowed_origins: frozenset[str] = frozenset()
    allowed_hosts: frozenset[str] = frozenset()
    heartbeat: float = 20.0  # the least that cuts a silent connection is h2o, after 30
    most_message: int = 4 * 2**20
    most_echo: int = 32 * 2**20
    log_messages: int = 10_000
    log_bytes: int = 16 * 2**20
    most_waiting: int = 256 * 2**20
    longest_page: int = 4 * 2**20
    send_buffer: int = 64 * 2**10
    most_sockets: int = 10_000
    deflate: bool = False
    answers: bool = False
    shares_ports: bool = False


@dataclass(slots=True)
class Elsewhere:
    """What other workers have told of themselves, and what those had counted that are gone."""

    others: list[dict[str, Any]] = field(default_factory=list)
    gone: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Service:
    """One running server. ``listener`` makes protocols for accepted connections.

    ``allow``, where given, is asked before each publish with the channel and the size in bytes,
    and refuses by raising a :class:`~servers.front.problems.Problem`. ``elsewhere`` is there where
    others share the log.
    """

    settings: Settings
    hub: Hub
    guard: Guard
    liveness: Liveness
    presence: Presence
    ledger: Ledger = field(default_factory=Ledger)
    allow: Callable[[str, int], None] | None = None
    listener: Listener = field(init=False)
    answers: Answers | None = None
    elsewhere: Elsewhere | None = None
    budget: Budget = field(init=False)
    unread: Unread = field(init=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.settings.most_waiting)
        self.unread = Unread(self.budget)

    def channel(self, name: str) -> Channel:
        """Return a channel by its checked name."""
        return self.hub.channel(name)

    async def open(self, name: str, after: Cursor | None = None) -> Channel:
        """Return a channel that can serve a client who has seen ``after``, by its checked name.

        Who came before this one is announced before. Raises
        :class:`~servers.front.problems.Problem` 503 if its history cannot be had.
        """
        if self.presence.roll is not None and self.presence.roll.announcing is not None:
            await asyncio.wait([self.presence.roll.announcing], timeout=_ANNOUNCED_S)
        while True:
            channel = self.channel(name)
            if (waiting := channel.log.ready(after)) is None:
                return channel
            try:
                await asyncio.shield(waiting)  # for others may wait for the same
            except Unavailable as error:
                detail = f"the channel cannot be read: {error}"
                raise Problem(503, detail, Retry_After=RETRY_AFTER) from None
            if self.hub.channels.get(name) is channel:  # and not forgotten meanwhile
                return channel

    def may_say(self, channel: str, size: int) -> bool:
        """Whether a notice of ``size`` bytes may be published, as any message would be asked."""
        try:
            if self.allow is not None:
                self.allow(channel, size)
        except Problem:
            return False
        return True

    def query(self, text: str, fields: Mapping[str, str]) -> Query:
        """Read the query ``text`` of a request with these header fields.

        A name is announced to the channel. So it is taken only from who is surely no foreign
        page: such a page could make browsers write into a channel by a mere GET.
        """
        query = parse_query(text)
        return query if not query.name or self.guard.knows(fields) else replace(query, name="")

    def row(self, slug: str) -> Row:
        """Return a technique's counters."""
        return self.ledger.rows[slug]


def memory_logs(settings: Settings) -> Callable[[str], Log]:
    """Return what makes the log of the channel that it is given: in memory, bounded as set up."""
    return lambda name: MemoryLog(settings.log_messages, settings.log_bytes)


Logs = Callable[[Settings], Callable[[str], Log]]
Join = Callable[["Service"], contextlib.AbstractAsyncContextManager[None]]


def make_service(settings: Settings, logs: Logs = memory_logs) -> Service:
    """Put a service together whose history ``logs`` keeps; needs a running loop."""
    pacer = Pacer()
    hub = Hub(pacer, logs(settings))
    liveness = Liveness(settings.heartbeat)
    service = Service(
        settings=settings,
        hub=hub,
        guard=Guard(settings.allowed_origins, settings.allowed_hosts),
        liveness=liveness,
        presence=Presence(
            hub, 1.5 * settings.heartbeat, lambda channel, size: service.may_say(channel, size)
        ),
    )
    if settings.answers:
        service.answers = Answers()
    liveness.rounds.append(service.presence.sweep)
    return service


SERVICE: web.AppKey[Service] = web.AppKey("service", Service)


def query_of(request: web.Request) -> Query:
    """Read a request's query, as it was sent: ``request.query_string`` is decoded once already."""
    return request.app[SERVICE].query(request.rel_url.raw_query_string, fields_of(request))

"""The lines: one relay per technique, and to each viewer what passed on the viewer's connections.

A viewer is one open page. Its lanes name it in every address (``viewer=``), so the first request
on a connection tells whose it is; what happens there goes to that page and to no other. A pump
reads each trace once for all viewers.
"""

import asyncio
import base64
import re
from collections import deque
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any, Final

from servers.front.budget import Budget
from servers.front.listening import own_host
from servers.front.places import Places
from servers.lecture.viewers import Viewer
from servers.relay.relay import Link, Relay
from servers.relay.trace import Trace, TraceEvent
from wire.techniques import OWN_PORT

_NAMED = re.compile(rb"(?:GET|POST) [^ ]*[?&]viewer=([a-z0-9]{8,32})")
_TICK_SECONDS: Final = 0.05
_EVENTS: Final = 1024  # of one line, until the pump comes by
_BYTES_EACH: Final = 2048
_MOST_WAITING: Final = 16 * 2**20  # bytes of large things that plugins and pages wait for
_MOST_HELD: Final = 16 * 2**20  # bytes under way on one line
_GONE: Final = _EVENTS  # closed connections of one line of which the trace may hold something
_MOST_EARLY: Final = 8  # events of a connection before anybody names it


class _Line:
    def __init__(self, slug: str, relay: Relay) -> None:
        self.slug = slug
        self.relay = relay
        self.seen = 0
        self.owners: dict[int, str] = {}
        self.early: dict[int, list[TraceEvent]] = {}
        self.gone: deque[int] = deque()  # connections that are closed, and still owned


class Lines:
    """All lines of a lecture, open at ``host``. ``viewers`` maps names to open pages."""

    def __init__(
        self,
        targets: Iterable[tuple[str, int, int]],
        listen: str,
        places: Places | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Make a line for each (slug, port to listen on, port of the stage)."""
        self.budget = Budget(_MOST_WAITING) if budget is None else budget
        self.viewers: dict[str, Viewer] = {}
        self.host = own_host(listen)
        self._plugins: dict[int, str] = {}
        self._lines = [
            _Line(
                slug,
                Relay(
                    "127.0.0.1",
                    to,
                    port=port,
                    trace=Trace(_EVENTS, _BYTES_EACH),
                    listen=listen,
                    places=places,
                    most_held=_MOST_HELD,
                ),
            )
            for slug, port, to in targets
        ]

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen, and pump until ``stack`` unwinds."""
        for line in self._lines:
            await stack.enter_async_context(line.relay)
        pump = asyncio.get_running_loop().create_task(self._pump())
        stack.callback(pump.cancel)

    @property
    def ports(self) -> dict[str, int]:
        """The port of each line."""
        return {line.slug: line.relay.port for line in self._lines}

    @property
    def link(self) -> dict[str, Any]:
        """What the lines are like; they are all alike."""
        return asdict(self._lines[0].relay.link)

    def set(self, **change: Any) -> None:
        """Change all lines; raises :class:`ValueError` for what no line can be."""
        link: Link = replace(self._lines[0].relay.link, **change)
        for line in self._lines:
            line.relay.link = link

    def cut(self) -> int:
        """Cut every open connection on all lines; return how many."""
        return sum(line.relay.cut() for line in self._lines)

    def events_of(self, viewer: str) -> dict[int, list[TraceEvent]]:
        """Return what the traces still hold of a page's connections, by the line's port."""
        return {
            line.relay.port: [
                event for event in line.relay.trace if line.owners.get(event.connection) == viewer
            ]
            for line in self._lines
        }

    def own(self, client_port: int, viewer: Viewer) -> None:
        """Say whose the connection from ``client_port`` is, where no address can tell."""
        self._plugins[client_port] = viewer.name

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for line in self._lines:
                for event in line.relay.trace.after(line.seen):
                    line.seen = event.seq
                    self._pass(line, event)

    def _pass(self, line: _Line, event: TraceEvent) -> None:
        number = event.connection
        if event.kind == "up" and (named := _NAMED.match(event.data)):
            line.owners[number] = named[1].decode()
        elif line.slug in OWN_PORT and event.client_port in self._plugins:
            line.owners[number] = self._plugins[event.client_port]
        # A lane may be quicker than its page's event stream, so names are kept and not viewers.
        owner = self.viewers.get(line.owners.get(number, ""))
        if owner is None:
            waiting = line.early.setdefault(number, [])
            if len(waiting) < _MOST_EARLY:
                waiting.append(event)
        else:
            for earlier in line.early.pop(number, ()):
                owner.trace(_row(line.slug, earlier))
            owner.trace(_row(line.slug, event))
        if event.kind in ("close", "refused"):
            line.early.pop(number, None)
            line.gone.append(number)
            if len(line.gone) > _GONE:
                line.owners.pop(line.gone.popleft(), None)
            if line.slug in OWN_PORT:
                self._plugins.pop(event.client_port, None)


def _row(slug: str, event: TraceEvent) -> list[Any]:
    """Write an event: line, seq, ms in and out of the relay, connection, kind, length, bytes."""
    data = base64.b64encode(event.data).decode()
    entered, left = round(event.entered_ns / 1e6, 3), round(event.t_ns / 1e6, 3)
    return [slug, event.seq, entered, left, event.connection, event.kind, event.length, data]

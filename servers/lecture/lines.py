"""The lines: one relay per technique, and to each viewer what passed on the viewer's connections.

A viewer is one open page. Its lanes name it in every address (``viewer=``), so the first request
on a connection tells whose it is; what happens there goes to that page and to no other. A pump
reads each trace once for all viewers.
"""

import asyncio
import base64
import json
import re
from collections import deque
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any, Final

from servers.front.listening import own_host
from servers.relay.relay import Link, Relay
from servers.relay.trace import Trace, TraceEvent
from wire.techniques import OWN_PORT

_NAMED = re.compile(rb"(?:GET|POST) [^ ]*[?&]viewer=([a-z0-9]{8,32})")
_TICK_SECONDS: Final = 0.05
_KEPT: Final = 4000  # trace events that wait for a slow viewer
_BYTES_EACH: Final = 2048
_MOST_EARLY: Final = 8  # events of a connection before anybody names it


class Viewer:
    """One open page: what waits to be told to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.news = asyncio.Event()
        self._trace: deque[list[Any]] = deque(maxlen=_KEPT)
        self._rest: dict[str, Any] = {}
        self._plugin: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def tell(self, **rest: Any) -> None:
        """Tell the newest value of something; a value not yet told is replaced."""
        self._rest |= rest
        self.news.set()

    def trace(self, row: list[Any]) -> None:
        """Tell an event of a line."""
        self._trace.append(row)
        self.news.set()

    def plugin(self, report: dict[str, Any]) -> None:
        """Tell what an emulated plugin has to say."""
        self._plugin.append(report)
        self.news.set()

    def take(self) -> str:
        """Return all that waited, as JSON."""
        told = self._rest
        if self._trace:
            told["trace"] = list(self._trace)
        if self._plugin:
            told["plugin"] = list(self._plugin)
        self._rest = {}
        self._trace.clear()
        self._plugin.clear()
        self.news.clear()
        return json.dumps(told, separators=(",", ":"))


class _Line:
    def __init__(self, slug: str, relay: Relay) -> None:
        self.slug = slug
        self.relay = relay
        self.seen = 0
        self.owners: dict[int, str] = {}
        self.early: dict[int, list[TraceEvent]] = {}


class Lines:
    """All lines of a lecture, open at ``host``. ``viewers`` maps names to open pages."""

    def __init__(self, targets: Iterable[tuple[str, int, int]], listen: str) -> None:
        """Make a line for each (slug, port to listen on, port of the stage)."""
        self.viewers: dict[str, Viewer] = {}
        self.host = own_host(listen)
        self._plugins: dict[int, str] = {}
        self._lines = [
            _Line(
                slug,
                Relay("127.0.0.1", to, port=port, trace=Trace(4096, _BYTES_EACH), listen=listen),
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
            line.owners.pop(number, None)
            line.early.pop(number, None)
            if line.slug in OWN_PORT:
                self._plugins.pop(event.client_port, None)


def _row(slug: str, event: TraceEvent) -> list[Any]:
    """Write an event: line, seq, ms in and out of the relay, connection, kind, length, bytes."""
    data = base64.b64encode(event.data).decode()
    entered, left = round(event.entered_ns / 1e6, 3), round(event.t_ns / 1e6, 3)
    return [slug, event.seq, entered, left, event.connection, event.kind, event.length, data]

"""Putting a server together: routes, checks that every request passes, listening sockets.

:func:`running` is the one way in, for the command line and for tests alike.
"""

import asyncio
import contextlib
import importlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from servers import checks, observing, publish
from servers.front.handover import RESERVE, Listener
from servers.front.listening import bound_socket, listen, listen_by_tls
from servers.front.problems import Problem
from servers.front.tls import Tls
from servers.kinds import reloads
from servers.service import SERVICE, Join, Logs, Service, Settings, make_service, memory_logs
from wire.json_lines import encode_line
from wire.techniques import OWN_PORT

_UNSAFE = Problem(400, "this port speaks TLS; ask it by https:// (wss://), and plugins by TLS, too")
_GOODBYE_SECONDS = 0.8
_LAST_CHANCE_SECONDS = 0.2  # for requests that are still being read; aiohttp takes it twice


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens on ``host``: HTTP on ``port``, plugins on ``plugin_port``.

    ``plugin_port`` is 0 where no technique has a port of its own. If it ``is_secure``, both speak
    TLS.
    """

    service: Service
    host: str
    port: int
    plugin_port: int
    is_secure: bool = False

    @property
    def url(self) -> str:
        """The address of the server's pages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}"


def make_app(service: Service) -> web.Application:
    """Make the aiohttp application of ``service``."""
    settings = service.settings
    app = web.Application(
        middlewares=[checks.answer_problems], client_max_size=7 * settings.most_message
    )
    app[SERVICE] = service
    app.on_response_prepare.append(reloads.count_page)
    app.add_routes(publish.routes(service))
    app.add_routes(observing.routes())
    for slug in settings.techniques:
        if slug not in OWN_PORT:
            app.add_routes(_module(slug).routes(service))
    return app


def _module(slug: str) -> Any:
    """Return a technique's module.

    It offers ``routes(service)``; one with a port of its own ``protocol(service)`` instead, which
    makes the protocol of each connection.
    """
    return importlib.import_module(f"servers.{slug}")


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 0,
    plugin_port: int = 0,
    extend: Callable[[web.Application, Service], None] | None = None,
    logs: Logs = memory_logs,
    secured: ssl.SSLContext | None = None,
    join: Join | None = None,
) -> AsyncIterator[Running]:
    """Run a server inside ``async with``; port 0 takes a free one.

    ``extend`` may add routes; ``logs`` keeps the history; ``secured`` has both ports speak TLS;
    ``join`` is for those who share the history: what it gives is there while the server is.

    On leaving, held polls are answered, streams ended and WebSockets closed with 1001.
    Raises :class:`OSError` where a port is taken.
    """
    service = make_service(settings, logs)
    app = make_app(service)
    if extend is not None:
        extend(app, service)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_LAST_CHANCE_SECONDS)
    await runner.setup()
    assert runner.server is not None
    service.listener = Listener(runner.server, service.ledger, settings.most_sockets)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(service.hub.close)
        if join is not None:
            await stack.enter_async_context(join(service))
        if service.answers is not None:
            stack.callback(service.answers.close)
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(_say_goodbye, service)
        tls = Tls(secured, service.ledger, settings.most_sockets) if secured else None

        async def open_port(make: Callable[[], asyncio.Protocol], port: int, unsafe: bytes) -> int:
            place = bound_socket(host, port, is_shared=True) if settings.shares_ports else host
            at = (place, port, settings.send_buffer, settings.heartbeat)
            here = listen_by_tls(make, tls, unsafe, *at) if tls else await listen(make, *at)
            stack.callback(here.close)
            bound: int = here.sockets[0].getsockname()[1]
            return bound

        port = await open_port(service.listener, port, _UNSAFE.raw())
        if beside := OWN_PORT.intersection(settings.techniques):
            make = partial(_module(*beside).protocol, service)
            plugin_port = await open_port(make, plugin_port, encode_line(_UNSAFE.in_band()))
        else:
            plugin_port = 0
        service.liveness.start()
        stack.push_async_callback(service.liveness.stop)
        yield Running(service, host, port, plugin_port, secured is not None)


async def _say_goodbye(service: Service) -> None:
    for held in list(service.liveness.held):
        held.finish()
    for _ in range(round(_GOODBYE_SECONDS / 0.01)):
        if not service.liveness.held:
            return
        await asyncio.sleep(0.01)


def most_sockets() -> int:
    """Return how many sockets this process may open, less a reserve."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 100_000
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(soft - RESERVE, 16)


def raise_most_sockets(most: int = 65_536) -> None:
    """Let this process, and those that it starts, open as many sockets as the system allows."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    with contextlib.suppress(ValueError, OSError):  # macOS knows another limit besides
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

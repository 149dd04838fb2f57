"""Putting a server together: routes, checks that every request passes, listening sockets.

:func:`running` is the one way in, for the command line and for tests alike.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from servers import checks, observing, publish
from servers.front.handover import RESERVE, Listener
from servers.front.listening import listen
from servers.kinds import reloads
from servers.service import SERVICE, Logs, Service, Settings, make_service, memory_logs
from wire.techniques import OWN_PORT

_GOODBYE_SECONDS = 0.8
_LAST_CHANCE_SECONDS = 0.2  # for requests that are still being read; aiohttp takes it twice


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens on ``host``: HTTP on ``port``, plugins on ``plugin_port``.

    ``plugin_port`` is 0 where no technique has a port of its own.
    """

    service: Service
    host: str
    port: int
    plugin_port: int

    @property
    def url(self) -> str:
        """The address of the server's pages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


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
) -> AsyncIterator[Running]:
    """Run a server inside ``async with``; port 0 takes a free one.

    ``extend`` may add routes; ``logs`` keeps the history.

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
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(_say_goodbye, service)
        pages = await listen(service.listener, host, port, settings.send_buffer, settings.heartbeat)
        stack.callback(pages.close)
        port = pages.sockets[0].getsockname()[1]
        if beside := OWN_PORT.intersection(settings.techniques):
            make = partial(_module(*beside).protocol, service)
            plugins = await listen(
                make, host, plugin_port, settings.send_buffer, settings.heartbeat
            )
            stack.callback(plugins.close)
            plugin_port = plugins.sockets[0].getsockname()[1]
        else:
            plugin_port = 0
        service.liveness.start()
        stack.push_async_callback(service.liveness.stop)
        yield Running(service, host, port, plugin_port)


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

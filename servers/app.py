"""Putting a server together: routes, checks that every request passes, listening sockets.

:func:`running` is the one way in, for the command line and for tests alike.
"""

import asyncio
import contextlib
import importlib
import logging
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from servers import publish
from servers.handover import RESERVE, Front, Listener
from servers.http_streams import count_request, fields_of
from servers.ledger import resident_bytes
from servers.listening import bound_socket
from servers.plugin_port import protocol
from servers.problems import Problem, problem_of
from servers.service import SERVICE, Service, Settings, make_service
from wire.errors import WireError

_LOG = logging.getLogger("servers")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PAGES = ("page_reload", "frame_reload")
_GOODBYE_SECONDS = 0.8
_LAST_CHANCE_SECONDS = 0.2  # for requests that are still being read; aiohttp takes it twice
_ACCEPTED_AT_ONCE = 8
_MOST_WAITING = 4096


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens on ``host``: HTTP on ``port``, plugins on ``plugin_port``."""

    service: Service
    host: str
    port: int
    plugin_port: int

    @property
    def url(self) -> str:
        """The address of the server's pages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@web.middleware
async def _answer_problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Check every request, and turn whatever goes wrong into a problem (RFC 9457)."""
    origin = None
    try:
        origin = request.app[SERVICE].guard.check(fields_of(request))
        if request.method == "GET" and request.body_exists:
            raise Problem(400, "a GET with a body is not accepted; send messages by POST")
        if request.method == "OPTIONS" and origin is not None:
            return _preflight(origin)
        response = await handler(request)
    except Problem as problem:
        response = problem.response()
    except WireError as error:
        response = problem_of(error).response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        response = Problem(error.status, _detail(request, error), **allowed).response()
    except ConnectionError:
        raise  # nobody is there to be answered
    except Exception:
        _LOG.exception("%s %s failed", request.method, request.path)
        response = Problem(500, "the server made a mistake, which is in its log").response()
    response.headers.setdefault("Cache-Control", "no-store")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _preflight(origin: str) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type, Last-Event-ID",
        "Cache-Control": "no-store",
    }
    return web.Response(status=204, headers=headers)


def _detail(request: web.Request, error: web.HTTPException) -> str:
    if error.status == 405:
        return f"{request.method} is not accepted here; accepted: {error.headers['Allow']}"
    if error.status == 404:
        paths = sorted(
            {route.resource.canonical for route in request.app.router.routes() if route.resource}
        )
        return f"there is nothing at {request.path[:100]}; there is: {' '.join(paths)}"
    return error.text or error.reason


async def _stats(request: web.Request) -> web.Response:
    service = request.app[SERVICE]
    process = {
        "pid": os.getpid(),
        "cpu_s": time.process_time(),
        "rss_bytes": resident_bytes(),
        "open_sockets": service.ledger.sockets,
        "loop": type(asyncio.get_running_loop()).__module__.partition(".")[0],
    }
    channels = {
        name: {
            "cursor": channel.cursor(),
            "messages": channel.log.last,
            "bytes": channel.log.size,
            "subscribers": sum(reader.size for reader in channel.readers.values()),
        }
        for name, channel in service.hub.channels.items()
    }
    answer = {
        "now_ns": time.monotonic_ns(),
        "process": process,
        "channels": channels,
        "techniques": service.ledger.as_json(),
    }
    return web.json_response(answer)


async def _metrics(request: web.Request) -> web.Response:
    text = request.app[SERVICE].ledger.as_metrics()
    headers = {"Content-Type": "text/plain; version=0.0.4"}
    return web.Response(text=text, headers=headers)


async def _clock(request: web.Request) -> web.Response:
    return web.json_response({"monotonic_ns": time.monotonic_ns()})


async def _count_page(request: web.Request, response: web.StreamResponse) -> None:
    """Count what the reload techniques move; all others count their own bytes."""
    slug = request.path[1:].partition("/")[0]  # of OPTIONS and CONNECT it may have no slash
    if slug not in _PAGES:
        return
    row = request.app[SERVICE].row(slug)
    count_request(row, request)
    front = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(front, Front):
        front.count_for(row)
    row.bytes_up += request.content_length or 0
    down = sum(len(name) + len(value) + 4 for name, value in response.headers.items())
    row.bytes_down += len(f"HTTP/1.1 {response.status} {response.reason}\r\n") + down + 2
    row.bytes_down += response.content_length or 0


def make_app(service: Service) -> web.Application:
    """Make the aiohttp application of ``service``."""
    settings = service.settings
    app = web.Application(middlewares=[_answer_problems], client_max_size=7 * settings.most_message)
    app[SERVICE] = service
    app.on_response_prepare.append(_count_page)
    app.add_routes(publish.routes(service))
    app.add_routes([web.get("/stats", _stats), web.get("/metrics", _metrics)])
    app.add_routes([web.get("/clock", _clock)])
    for slug in settings.techniques:
        app.add_routes(importlib.import_module(f"servers.{slug}").routes(service))
    return app


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 0,
    plugin_port: int = 0,
    extend: Callable[[web.Application, Service], None] | None = None,
) -> AsyncIterator[Running]:
    """Run a server inside ``async with``; port 0 takes a free one; ``extend`` may add routes.

    On leaving, held polls are answered, streams ended and WebSockets closed with 1001.
    Raises :class:`OSError` where a port is taken.
    """
    service = make_service(settings)
    app = make_app(service)
    if extend is not None:
        extend(app, service)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_LAST_CHANCE_SECONDS)
    await runner.setup()
    assert runner.server is not None
    service.listener = Listener(runner.server, service.ledger, settings.most_sockets)
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(_say_goodbye, service)
        pages = await _listen(loop, service.listener, host, port, settings)
        stack.callback(pages.close)
        port = pages.sockets[0].getsockname()[1]
        if "plugin_socket" in settings.techniques:
            make = partial(protocol, service)
            plugins = await _listen(loop, make, host, plugin_port, settings)
            stack.callback(plugins.close)
            plugin_port = plugins.sockets[0].getsockname()[1]
        service.liveness.start()
        stack.push_async_callback(service.liveness.stop)
        yield Running(service, host, port, plugin_port)


async def _listen(
    loop: asyncio.AbstractEventLoop,
    make: Callable[[], asyncio.Protocol],
    host: str,
    port: int,
    settings: Settings,
) -> asyncio.Server:
    listening = bound_socket(host, port)
    # Accepted sockets inherit these (Linux): bounded kernel memory, and keep-alive that finds the
    # dead within one and a half heartbeats.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        seconds = max(round(settings.heartbeat), 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 2, 1))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
    # asyncio takes as many connections at once, before it serves any, as it thinks may wait.
    server = await loop.create_server(make, sock=listening, backlog=_ACCEPTED_AT_ONCE)
    listening.listen(_MOST_WAITING)
    return server


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

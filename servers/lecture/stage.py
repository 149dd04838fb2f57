"""The stage: the techniques' server as the lecture page's lines reach it.

It is the same server as ever, with four things besides: the lanes' documents, which only the
lecture's page may embed; a limit on what the room may publish together; channels that only the
lecture publishes to; and a door for that. It runs as a process of its own, so that it can be
restarted before everybody's eyes:

    python -m servers.lecture.stage PAGE_PORT PORT PLUGIN_PORT LINES_PORT [HOST...]

with the key in the environment, and where it is one of several workers, where their common log
is, or that they have none. What comes through the lines arrives on a port of its own, so
that the room cannot ask for what is for this machine alone.
"""

import asyncio
import contextlib
import hmac
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from importlib import import_module

from aiohttp import web

from servers.app import most_sockets, running
from servers.checks import Handler
from servers.front.guard import Guard
from servers.front.listening import bound_socket, listen
from servers.front.problems import Problem
from servers.front.sparing import log_sparingly
from servers.lecture import files as lecture_files
from servers.publish import kept, read_body
from servers.service import SERVICE, Service, Settings, memory_logs
from wire.message import body_from, load_json
from wire.ready_line import ReadyLine, encode_ready_line
from wire.techniques import SLUGS

KEY_VARIABLE = "DUPLEX_STAGE_KEY"
KEY_FIELD = "Duplex-Key"
LOG_VARIABLE = "DUPLEX_STAGE_LOG"  # empty for the only one, the engine's address, or:
APART = "apart"  # several workers, and each remembers for itself
ROOM = "room"  # the chat's channel
RACE, CLOCK = "race", "clock"  # channels, and race-2 ..., that the lecture alone publishes to
MOST_MESSAGE = 2 * 2**20
HEARTBEAT = 5.0
_MOST_ECHO = 64 * 2**10
_MOST_WAITING = 16 * 2**20
_LOG_BYTES = 8 * 2**20
_LONGEST_PAGE = 2**20
_PRIVATE = ("/stats", "/metrics")
_LANES = (*SLUGS, "limits")
_MESSAGES_PER_S, _BYTES_PER_S = 40.0, 2.0 * 2**20


class Allowance:
    """What the room may publish, all together: so many messages and bytes a second.

    It is for all and not for each, as everybody seems to come from the same address here: that
    of the line. A pause saves up to three seconds' worth.
    """

    def __init__(self) -> None:
        self._used = {"messages": 0.0, "bytes": 0.0}
        self._at = time.monotonic()

    def __call__(self, channel: str, size: int) -> None:
        """Count a message; raises :class:`~servers.front.problems.Problem` 403 or 429."""
        if channel.partition("-")[0] in (RACE, CLOCK):
            raise Problem(403, f"only the lecture itself publishes to {channel}; try room")
        now = time.monotonic()
        passed, self._at = now - self._at, now
        for what, rate in (("messages", _MESSAGES_PER_S), ("bytes", _BYTES_PER_S)):
            self._used[what] = max(self._used[what] - passed * rate, 0.0)
        full = self._used["messages"] + 1 > 3 * _MESSAGES_PER_S
        if full or self._used["bytes"] + size > 3 * _BYTES_PER_S:
            raise Problem(
                429,
                f"the room may send {_MESSAGES_PER_S:.0f} messages and "
                f"{_BYTES_PER_S / 2**20:.0f} MiB a second together; try again in a moment",
                Retry_After="1",
            )
        self._used["messages"] += 1
        self._used["bytes"] += size


class StageGuard(Guard):
    """Also lets documents into frames of the same site; their own policy then names the page."""

    def check(self, fields: Mapping[str, str]) -> str | None:
        """Return a foreign but allowed origin, else ``None``; see :class:`Guard`."""
        is_frame = fields.get("sec-fetch-dest") == "iframe" and "origin" not in fields
        if is_frame and fields.get("sec-fetch-site") == "same-site":
            fields = {**fields, "sec-fetch-site": "same-origin"}
        return super().check(fields)


class _Stage:
    """The handlers that the stage has besides those of the server."""

    def __init__(self, page_port: int, key: str) -> None:
        self._page_port = page_port
        self._key = key
        self.lines_port = 0  # where the lines arrive

    def extend(self, app: web.Application, service: Service) -> None:
        """Add them to a server's application."""
        service.guard = StageGuard(hosts=service.settings.allowed_hosts)
        service.allow = Allowance()
        app.middlewares.append(self._separate)
        app.on_response_prepare.append(self._embed)
        app.add_routes([web.get("/lane", self._lane), web.post("/stage/publish", self._publish)])
        app.add_routes([web.get("/stage/present", self._present)])
        app.add_routes([web.get("/", self._to_page), *lecture_files.routes()])

    @web.middleware
    async def _separate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Tell the room nothing of everybody's channels, whose names may be private."""
        resource = request.match_info.route.resource
        transport = request.transport
        is_private = resource is not None and resource.canonical in _PRIVATE
        if is_private and (
            transport is None or transport.get_extra_info("sockname")[1] == self.lines_port
        ):
            raise Problem(404, "this is told on the lecture's own machine only")
        return await handler(request)

    async def _to_page(self, request: web.Request) -> web.Response:
        page = f"http://{lecture_files.host_of(request)}:{self._page_port}/"
        return web.Response(status=307, headers={"Location": page})

    async def _embed(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let the page embed the reload techniques' documents, within a lane's document."""
        if response.headers.get("Content-Security-Policy") == "frame-ancestors 'self'":
            page = f"http://{lecture_files.host_of(request)}:{self._page_port}"
            response.headers["Content-Security-Policy"] = f"frame-ancestors 'self' {page}"

    async def _lane(self, request: web.Request) -> web.Response:
        slug = request.query.get("technique", "")
        if slug not in _LANES:
            raise Problem(404, f"there is no lane {slug[:40]!r}; there are {' '.join(_LANES)}")
        host = lecture_files.host_of(request)
        policy = lecture_files.lane_policy(host, request.headers["Host"], self._page_port)
        module = "limits_lane" if slug == "limits" else slug
        return lecture_files.document(
            "lane.html",
            policy,
            technique=slug,
            module=module,
            page_port=str(self._page_port),
            stamp=lecture_files.stamp(),
        )

    def _check_key(self, request: web.Request) -> None:
        key = request.headers.get(KEY_FIELD, "").encode("utf-8", "replace")
        if not hmac.compare_digest(key, self._key.encode()):
            raise Problem(403, "this door is the lecture's own")

    async def _present(self, request: web.Request) -> web.Response:
        self._check_key(request)
        return web.json_response(request.app[SERVICE].presence.present(request.query["channel"]))

    async def _publish(self, request: web.Request) -> web.Response:
        self._check_key(request)
        service = request.app[SERVICE]
        order = load_json(await read_body(request, 4 * MOST_MESSAGE))
        channel = service.channel(order["channel"])
        for message in order["messages"]:
            body = body_from(message)
            await kept(channel.publish(body, message["sender"], message["sent_ns"]))
        return web.json_response({"cursor": channel.cursor()}, status=201)


async def _serve(ports: list[int], hosts: list[str], key: str, log: str) -> None:
    page_port, port, plugin_port, lines_port = ports
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(name, stop.set)
    threading.Thread(target=_wait_for_the_end, args=(loop, stop), daemon=True).start()
    settings = Settings(
        allowed_hosts=frozenset(hosts),
        heartbeat=HEARTBEAT,
        most_message=MOST_MESSAGE,
        most_echo=_MOST_ECHO,
        most_waiting=_MOST_WAITING,
        log_bytes=_LOG_BYTES,
        longest_page=_LONGEST_PAGE,
        most_sockets=most_sockets(),
        shares_ports=bool(log),
    )
    stage = _Stage(page_port, key)
    async with contextlib.AsyncExitStack() as stack:
        logs, join = memory_logs, None
        if log not in ("", APART):
            logs, join = await import_module("servers.shared.board").enter(stack, log)
        at = ("127.0.0.1", port, plugin_port)
        here = running(settings, *at, stage.extend, logs=logs, join=join)
        server = await stack.enter_async_context(here)
        place = bound_socket("127.0.0.1", lines_port, is_shared=bool(log))
        listening_at = (place, lines_port, settings.send_buffer, HEARTBEAT)
        lines = await listen(server.service.listener, *listening_at)
        stage.lines_port = lines.sockets[0].getsockname()[1]
        listening = (server.port, server.plugin_port, stage.lines_port)
        print(encode_ready_line(ReadyLine("stage", ports=listening)), flush=True)
        await stop.wait()
        lines.close()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait until the lecture has ended, however that came: then nothing holds our input open."""
    with contextlib.suppress(OSError, RuntimeError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(stop.set)


def main() -> None:
    """Run the stage until it is told to end, or until the lecture has ended."""
    log_sparingly()
    ports, hosts = [int(text) for text in sys.argv[1:5]], sys.argv[5:]
    try:
        asyncio.run(
            _serve(ports, hosts, os.environ[KEY_VARIABLE], os.environ.get(LOG_VARIABLE, ""))
        )
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"the techniques' server: {error.strerror or error}")


if __name__ == "__main__":
    main()

"""What the server tells of itself: the ledger as JSON and for Prometheus, and its clock."""

import asyncio
import os
import time

from aiohttp import web

from servers.front.ledger import resident_bytes
from servers.service import SERVICE


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
            "subscribers": channel.size,
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


def routes() -> list[web.RouteDef]:
    """Return the routes of ``/stats``, ``/metrics`` and ``/clock``."""
    return [web.get("/stats", _stats), web.get("/metrics", _metrics), web.get("/clock", _clock)]

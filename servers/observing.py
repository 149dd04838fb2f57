"""What the server tells of itself: the ledger as JSON and for Prometheus, and its clock."""

import time

from aiohttp import web

from servers.front.ledger import metrics
from servers.service import SERVICE
from servers.telling import all_together


async def _stats(request: web.Request) -> web.Response:
    answer = {"now_ns": time.monotonic_ns(), **all_together(request.app[SERVICE])}
    return web.json_response(answer)


async def _metrics(request: web.Request) -> web.Response:
    told = all_together(request.app[SERVICE])
    text = metrics(told["techniques"], told["process"])
    headers = {"Content-Type": "text/plain; version=0.0.4"}
    return web.Response(text=text, headers=headers)


async def _clock(request: web.Request) -> web.Response:
    return web.json_response({"monotonic_ns": time.monotonic_ns()})


def routes() -> list[web.RouteDef]:
    """Return the routes of ``/stats``, ``/metrics`` and ``/clock``."""
    return [web.get("/stats", _stats), web.get("/metrics", _metrics), web.get("/clock", _clock)]

"""The checks that every request passes, and problems as answers (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from servers.front.budget import NO_ROOM
from servers.front.heads import check_fields, fields_of
from servers.front.problems import Problem, problem_of
from servers.service import SERVICE
from wire.errors import WireError

_LOG = logging.getLogger("servers")
# What pages send: polyfills of EventSource, and the habits of libraries, besides what we read.
_MAY_SEND = "Content-Type, Last-Event-ID, Cache-Control, Authorization, X-Requested-With"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check every request, and turn whatever goes wrong into a problem (RFC 9457)."""
    origin = None
    try:
        check_fields(request.raw_headers)
        origin = request.app[SERVICE].guard.check(fields_of(request))
        if request.method == "GET" and request.body_exists:
            raise Problem(400, "a GET with a body is not accepted; send messages by POST")
        if request.method == "OPTIONS" and origin is not None:
            return _preflight(origin)
        response = await handler(request)
        if not _has_room(request, response):
            raise NO_ROOM.anew()
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
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _has_room(request: web.Request, response: web.StreamResponse) -> bool:
    size, transport = response.content_length or 0, request.transport
    return transport is None or request.app[SERVICE].unread.owe(transport, size)


def _preflight(origin: str) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": _MAY_SEND,
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

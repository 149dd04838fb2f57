"""The relay's control address: a small JSON door to read and change it live.

It listens on loopback and is for programs on this host (tests, the lecture's server), never for a
web page: whatever carries an ``Origin``, tells by ``Sec-Fetch-Site`` that a page asks, or has
another ``Host`` than loopback (a page that had its name rebound), gets 403. Several relays are told
apart by ``relay``, counted from 0.

    GET  /state                                   links and counters of every relay
    POST /link      {"relay"?, and any member of Link}                    change these
    POST /cut       {"relay"?, "connection"?, "reset"?}                   now
    POST /cut_after {"relay"?, "down_bytes", "connection"?, "reset"?}     later, once
    GET  /trace?relay=0&after=SEQ                 events newer than SEQ; data in base64

The members of a :class:`~servers.relay.pipe.Link` are ``delay_s``, ``jitter_s``, ``bytes_per_s``,
``stalled``, ``down``, and for one way alone ``up_delay_s``, ``down_delay_s``, ``up_bytes_per_s``
and ``down_bytes_per_s``. A POST without ``relay`` means every relay. Errors are problem+json
(RFC 9457).
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, fields, replace
from types import NoneType
from typing import Any, Final

from aiohttp import web

from servers.front.bodies import read_body
from servers.front.budget import FREE, Budget
from servers.front.heads import check_fields
from servers.front.hosts import split_host
from servers.front.problems import Problem
from servers.relay.relay import Link, Relay
from wire.errors import WireError
from wire.message import load_json

_RELAYS: web.AppKey[Sequence[Relay]] = web.AppKey("relays")
_MOST_EVENTS: Final = 1000  # in one answer
_LONGEST_ORDER: Final = FREE  # so that it needs no budget
_NO_BUDGET: Final = Budget(0)
_INTEGER: Final = re.compile(r"[0-9]{1,18}")
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "relay": (int,),
    "delay_s": (int, float),
    "up_delay_s": (int, float, NoneType),
    "down_delay_s": (int, float, NoneType),
    "jitter_s": (int, float),
    "bytes_per_s": (int, float, NoneType),
    "up_bytes_per_s": (int, float, NoneType),
    "down_bytes_per_s": (int, float, NoneType),
    "stalled": (bool,),
    "down": (bool,),
    "connection": (int, NoneType),
    "down_bytes": (int,),
    "reset": (bool,),
}


def control_app(relays: Sequence[Relay]) -> web.Application:
    """Make the application of that address; whoever runs it binds it to loopback."""
    app = web.Application(middlewares=[_guard], client_max_size=_LONGEST_ORDER)
    app[_RELAYS] = relays
    app.add_routes(
        [
            web.get("/state", _state),
            web.get("/trace", _trace),
            web.post("/link", _link),
            web.post("/cut", _cut),
            web.post("/cut_after", _cut_after),
        ]
    )
    return app


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    host = split_host(request.headers.get("Host", ""))
    is_of_page = request.headers.get("Sec-Fetch-Site", "none") != "none"
    try:
        check_fields(request.raw_headers)
        if "Origin" in request.headers or is_of_page or host not in ("127.0.0.1", "localhost"):
            raise Problem(403, "this address is for programs on this host, not for web pages")
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except (ValueError, TypeError, OverflowError, WireError) as error:
        return Problem(400, str(error)).response()
    except web.HTTPException as error:
        return Problem(error.status, error.reason).response()


async def _order(
    request: web.Request, *accepted: str, needed: str = ""
) -> tuple[Sequence[Relay], dict[str, Any]]:
    """Read an order: which relays it is for, and the rest of its fields."""
    too_large = Problem(413, f"an order has at most {_LONGEST_ORDER} bytes")
    order = load_json(await read_body(request, _LONGEST_ORDER, too_large, _NO_BUDGET) or b"{}")
    if not order.keys() <= {"relay", *accepted}:
        raise ValueError(f"send a JSON object with some of: relay, {', '.join(accepted)}")
    if needed and needed not in order:
        raise ValueError(f'{needed} is needed, such as {{"{needed}": 1000}}')
    for name, value in order.items():
        if type(value) not in _TYPES[name]:
            raise ValueError(f"{name} cannot be {json.dumps(value)[:40]}")
    relays = request.app[_RELAYS]
    number = order.pop("relay", None)
    return (relays if number is None else [_pick(relays, number)]), order


def _pick(relays: Sequence[Relay], number: int) -> Relay:
    if not 0 <= number < len(relays):
        raise ValueError(f"there is no relay {number}: they are 0 to {len(relays) - 1}")
    return relays[number]


def _answer(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "relays": [
                {
                    "port": relay.port,
                    "to": f"{relay.host}:{relay.to_port}",
                    "link": asdict(relay.link),
                    "connections": asdict(relay.connections),
                    "last_seq": relay.trace.last_seq,
                }
                for relay in request.app[_RELAYS]
            ]
        }
    )


async def _state(request: web.Request) -> web.Response:
    return _answer(request)


async def _link(request: web.Request) -> web.Response:
    relays, order = await _order(request, *(one.name for one in fields(Link)))
    links = [replace(relay.link, **order) for relay in relays]  # all are right, or none is set
    for relay, link in zip(relays, links, strict=True):
        relay.link = link
    return _answer(request)


async def _cut(request: web.Request) -> web.Response:
    relays, order = await _order(request, "connection", "reset")
    for relay in relays:
        relay.cut(**order)
    return _answer(request)


async def _cut_after(request: web.Request) -> web.Response:
    relays, order = await _order(request, "down_bytes", "connection", "reset", needed="down_bytes")
    for relay in relays:
        relay.cut_after(**order)
    return _answer(request)


async def _trace(request: web.Request) -> web.Response:
    relay = _pick(request.app[_RELAYS], _number(request, "relay"))
    events = relay.trace.after(_number(request, "after"))[:_MOST_EVENTS]
    rows = [asdict(event) | {"data": base64.b64encode(event.data).decode()} for event in events]
    return web.json_response({"events": rows, "last_seq": relay.trace.last_seq})


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(f"{name}={text[:40]!r} is no whole number of 0 or more")
    return int(text)

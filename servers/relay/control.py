"""The relay as a process: its command line, and a small JSON address to control it live.

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

import argparse
import asyncio
import base64
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, fields, replace
from types import NoneType
from typing import Any, Final

from aiohttp import web

from servers.front.bodies import read_body
from servers.front.budget import FREE, Budget
from servers.front.handover import Listener
from servers.front.heads import check_fields
from servers.front.hosts import split_host
from servers.front.ledger import Ledger
from servers.front.listening import listen
from servers.front.problems import Problem
from servers.relay.loop import new_loop
from servers.relay.relay import Link, Relay
from wire.errors import WireError
from wire.message import load_json
from wire.ready_line import ReadyLine, encode_ready_line

_RELAYS: web.AppKey[Sequence[Relay]] = web.AppKey("relays")
_MOST_AT_DOOR: Final = 100  # connections
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


def _target(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535, or 0 for any free")
    return int(text)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m servers.relay",
        description="A TCP relay on 127.0.0.1 that plays the network in front of a server.",
    )
    add = parser.add_argument
    add(
        "--to",
        type=_target,
        action="append",
        required=True,
        metavar="HOST:PORT",
        help="the server; may be given several times: one relay each",
    )
    add("--port", type=_port, action="append", help="listen here (default: any free port)")
    add(
        "--delay-ms", type=float, default=0.0, help="one-way delay, each way (default: %(default)g)"
    )
    add(
        "--jitter-ms",
        type=float,
        default=0.0,
        help="up to so much more delay, by chance; order stays (default: %(default)g)",
    )
    add("--bandwidth", type=float, metavar="BYTES_PER_S", help="limit, each way (default: none)")
    for way in ("up", "down"):
        told = f"to the {'server' if way == 'up' else 'client'}"
        add(f"--{way}-delay-ms", type=float, help=f"delay {told} alone (default: --delay-ms)")
        add(
            f"--{way}-bandwidth",
            type=float,
            metavar="BYTES_PER_S",
            help=f"limit {told} alone (default: --bandwidth)",
        )
    add(
        "--control-port",
        type=_port,
        help="serve the control address (JSON) on this port of 127.0.0.1 (default: none)",
    )
    found = parser.parse_args(argv)
    found.port = found.port or [0] * len(found.to)
    if len(found.port) != len(found.to):
        parser.error("give --port once for each --to, or not at all")
    try:
        found.link = Link(
            delay_s=found.delay_ms / 1000,
            jitter_s=found.jitter_ms / 1000,
            up_delay_s=_seconds(found.up_delay_ms),
            down_delay_s=_seconds(found.down_delay_ms),
            bytes_per_s=found.bandwidth,
            up_bytes_per_s=found.up_bandwidth,
            down_bytes_per_s=found.down_bandwidth,
        )
    except ValueError as error:
        parser.error(str(error))
    return found


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    if sys.platform != "win32":  # there Ctrl-C arrives as KeyboardInterrupt
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        relays = []
        for (host, to_port), port in zip(arguments.to, arguments.port, strict=True):
            relay = Relay(host, to_port, port=port, link=arguments.link)
            relays.append(await stack.enter_async_context(relay))
            line = ReadyLine("relay", f"http://127.0.0.1:{relay.port}", to=f"{host}:{to_port}")
            print(encode_ready_line(line), flush=True)
        if arguments.control_port is not None:
            runner = web.AppRunner(control_app(relays), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            door = Listener(runner.server, Ledger(), _MOST_AT_DOOR)
            server = await listen(door, "127.0.0.1", arguments.control_port)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            line = ReadyLine("control", f"http://127.0.0.1:{port}")
            print(encode_ready_line(line), flush=True)
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Run relays until SIGTERM or Ctrl-C."""
    arguments = _arguments(argv)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_run(arguments))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"the relay cannot listen: {error}")

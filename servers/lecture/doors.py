"""The lecture's doors: what the page asks of this command, and who may.

Everybody in the room may watch:

    GET  /lecture/clock                     this host's monotonic clock, for latencies
    GET  /lecture/events?viewer=ID          an event stream: state, and what passed on ID's lines
    POST /lecture/plugin?viewer=ID          start an emulated plugin (at most a few each)
    POST /lecture/plugin/send, .../close    let it publish; end it
    GET  /lecture/present                   who is in the chat, by which technique
    POST /lecture/capture?viewer=ID         what passed on ID's lines lately, for Wireshark
    GET  /lecture/qr                        the room's address as a picture
    POST /lecture/part, measured, vote      take part, see :mod:`servers.lecture.hall`

Only who has the lecturer's key (field ``Duplex-Key``) may change the network and the server:

    POST /lecture/link, cut, source, ...    see :mod:`servers.lecture.controls`
    POST /lecture/pass                      the lecturer's own link as a picture, for a phone

Nobody else's pages come in, key or not; refusals are problems (RFC 9457).
"""

import asyncio
import contextlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from servers.front.bodies import load_order, read_body
from servers.front.budget import NO_ROOM
from servers.front.guard import Guard
from servers.front.heads import check_fields, fields_of
from servers.front.problems import Problem
from servers.front.query import check_name
from servers.front.unread import Unread
from servers.lecture import files as lecture_files
from servers.lecture.captures import Captures
from servers.lecture.controls import Controls
from servers.lecture.front import Front
from servers.lecture.hall import Hall
from servers.lecture.lines import Lines
from servers.lecture.plugin import Plugin, check_order
from servers.lecture.source import Source
from servers.lecture.stage import KEY_FIELD, MOST_MESSAGE, ROOM
from servers.lecture.stage_process import StageProcess
from servers.lecture.viewers import Bulletin, Seats
from wire.cursor import check_channel, parse_cursor
from wire.errors import WireError
from wire.techniques import TECHNIQUES

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_VIEWER: Final = re.compile(r"[a-z0-9]{8,32}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PLUGINS_EACH: Final = 4
_PLUGINS_OF_ADDRESS: Final = 24
_MOST_PRESENT: Final = 200
_MOST_BODY: Final = 2 * MOST_MESSAGE
_TOO_LARGE: Final = Problem(413, f"an order has at most {_MOST_BODY} bytes")
_BEAT_SECONDS: Final = 1.0
_POSTS_PER_S: Final = 20.0


class Doors:
    """The page and its doors; ``hosts`` are its names, ``room`` other devices' address for it."""

    def __init__(
        self,
        key: str,
        lines: Lines,
        stage: StageProcess,
        source: Source,
        front: Front,
        room: str,
        hosts: Iterable[str] = (),
    ) -> None:
        self._key = key
        self._lines, self._stage, self._source = lines, stage, source
        self._front, self._room = front, room
        self._run = secrets.token_urlsafe(6)  # a page sees by it that another command answers
        self._guard = Guard(hosts=hosts)
        self._plugins: dict[tuple[str, int], Plugin] = {}
        self._next_plugin = 1
        self._seats = Seats(lines.viewers, lines.budget)
        self._unread = Unread(lines.budget)
        self._busy: dict[str, float] = {}  # address: until when its requests are used up
        self._captures = Captures(lines)
        self.bulletin = Bulletin(lines.viewers, self.state)
        self._hall = Hall(lines.viewers, _viewer_of, self._body, self.bulletin.tell_soon)
        more = {**self._hall.orders, "front": front.order}
        self._controls = Controls(lines, stage, source, self.bulletin.tell, more)

    def app(self) -> web.Application:
        """Make the application."""
        app = web.Application(middlewares=[self._check], client_max_size=_MOST_BODY)
        app.add_routes(
            [
                web.get("/", self._page),
                *lecture_files.routes(),
                web.get("/lecture/clock", self._clock),
                web.get("/lecture/events", self._events),
                web.get("/lecture/present", self._present),
                web.get("/lecture/qr", self._qr),
                web.post("/lecture/capture", self._capture),
                web.post("/lecture/plugin", self._plugin),
                web.post("/lecture/plugin/send", self._plugin_send),
                web.post("/lecture/plugin/close", self._plugin_close),
                web.post("/lecture/pass", self._pass),
                *self._hall.routes(),
                *(web.post(f"/lecture/{name}", self._control) for name in self._controls.orders),
            ]
        )
        return app

    # Checks that every request passes.

    @web.middleware
    async def _check(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            check_fields(request.raw_headers)
            lecture_files.host_of(request)
            if self._guard.check(fields_of(request)) is not None or request.method == "OPTIONS":
                raise Problem(403, "only the lecture's own page may use this door")
            if request.method == "POST" and not self._has_key(request):
                self._count(request.remote or "")
            response = await handler(request)
            size, transport = response.content_length or 0, request.transport
            if transport is not None and not self._unread.owe(transport, size):
                raise NO_ROOM.anew()
        except Problem as problem:
            response = problem.response()
        except (ValueError, TypeError, KeyError, WireError) as error:
            response = Problem(400, f"not understood: {error}").response()
        except web.HTTPException as error:
            response = Problem(error.status, error.reason).response()
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    def has_key(self, head: bytes) -> bool:
        """Whether a request's head, as it came, has the lecturer's key."""
        found = re.search(rb"\r\n%s:[ \t]*([!-~]*)" % KEY_FIELD.encode(), head, re.IGNORECASE)
        return found is not None and hmac.compare_digest(found[1], self._key.encode())

    def _has_key(self, request: web.Request) -> bool:
        key = request.headers.get(KEY_FIELD, "")
        return hmac.compare_digest(key.encode("utf-8", "replace"), self._key.encode())

    def _check_key(self, request: web.Request) -> None:
        if not self._has_key(request):
            raise Problem(403, "only the lecturer may do this: the key is in the terminal")

    def _count(self, address: str) -> None:
        now = time.monotonic()
        used = max(self._busy.get(address, now), now) + 1 / _POSTS_PER_S
        if used - now > 3:
            raise Problem(429, f"at most {_POSTS_PER_S:.0f} requests a second, please")
        if len(self._busy) > 1000:
            self._busy = {who: until for who, until in self._busy.items() if until > now}
        self._busy[address] = used

    async def _body(self, request: web.Request) -> bytes:
        return await read_body(request, _MOST_BODY, _TOO_LARGE, self._lines.budget)

    async def _control(self, request: web.Request) -> web.Response:
        self._check_key(request)
        if "viewer" in request.query:
            self._seats.keep(_viewer_of(request))
        order = load_order(await self._body(request) or b"{}")
        await self._controls.orders[request.path.rpartition("/")[2]](order)
        self.bulletin.tell()
        return web.json_response(self.state())

    # Doors for everybody.

    async def _page(self, request: web.Request) -> web.Response:
        ports = self._lines.ports
        host = lecture_files.host_of(request)
        policy = lecture_files.page_policy(host, list(ports.values()))
        techniques = json.dumps([asdict(one) for one in TECHNIQUES])
        return lecture_files.document(
            "index.html", policy, lines=json.dumps(ports), techniques=techniques
        )

    async def _clock(self, request: web.Request) -> web.Response:
        return web.json_response({"monotonic_ms": time.monotonic_ns() / 1e6})

    async def _present(self, request: web.Request) -> web.Response:
        people = await self._stage.present(ROOM)
        return web.json_response({"present": people[:_MOST_PRESENT]})

    async def _qr(self, request: web.Request) -> web.Response:
        return lecture_files.code(self._room)

    async def _pass(self, request: web.Request) -> web.Response:
        self._check_key(request)
        return lecture_files.code(self._room, f"#speaker?key={self._key}")

    async def _capture(self, request: web.Request) -> web.Response:
        file = await self._captures.take(_viewer_of(request), request.remote or "127.0.0.1")
        return web.Response(body=file, content_type="application/octet-stream")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        name = _viewer_of(request)
        viewer = self._seats.open(name, request.remote or "")
        viewer.tell(state=self.state())
        self.bulletin.tell_soon()
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        headers["X-Accel-Buffering"] = "no"  # see servers.kinds.http_streams
        response = web.StreamResponse(headers=headers)
        try:
            await response.prepare(request)
            if request.transport is not None:
                self._unread.owe(request.transport, 0, is_stream=True)
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_BEAT_SECONDS):
                        await viewer.news.wait()
                await response.write(b"data: %s\n\n" % viewer.take().encode())
                viewer.written()
                await asyncio.sleep(0.03)  # what comes together is told together
        except ConnectionError:
            pass
        finally:
            self._seats.close(viewer)
            self._hall.close(viewer.name)
            self.bulletin.tell_soon()
            for who in [who for who, p in self._plugins.items() if p.viewer is viewer]:
                await self._plugins.pop(who).close()
        return response

    async def _plugin(self, request: web.Request) -> web.Response:
        name = _viewer_of(request)
        viewer = self._lines.viewers.get(name)
        if viewer is None:
            raise Problem(409, "open the event stream first")
        if sum(who == name for who, _ in self._plugins) >= _PLUGINS_EACH:
            raise Problem(429, f"at most {_PLUGINS_EACH} plugins for a page")
        alike = sum(p.viewer.address == viewer.address for p in self._plugins.values())
        if alike >= _PLUGINS_OF_ADDRESS:
            raise Problem(429, f"at most {_PLUGINS_OF_ADDRESS} plugins for an address")
        order = load_order(await self._body(request))
        channel = check_channel(str(order.get("channel", "")))
        person = check_name(order.get("name", ""))
        number, self._next_plugin = self._next_plugin, self._next_plugin + 1
        cursor = parse_cursor(str(order["cursor"])) if "cursor" in order else None
        is_brief = bool(order.get("brief"))
        plugin = Plugin(number, viewer, self._lines, channel, person, is_brief, cursor)
        self._plugins[name, number] = plugin
        return web.json_response({"plugin": number}, status=201)

    def _plugin_of(self, request: web.Request) -> tuple[str, int]:
        number = request.query.get("plugin", "")
        who = (_viewer_of(request), int(number) if _NUMBER.fullmatch(number) else 0)
        if who not in self._plugins:
            raise Problem(404, "there is no such plugin; it ends with its page")
        return who

    async def _plugin_send(self, request: web.Request) -> web.Response:
        plugin = self._plugins[self._plugin_of(request)]
        if not plugin.send(check_order(await self._body(request))):
            raise Problem(503, "the plugin is not connected")
        return web.Response(status=204)

    async def _plugin_close(self, request: web.Request) -> web.Response:
        await self._plugins.pop(self._plugin_of(request)).close()
        return web.Response(status=204)

    # What everybody is told.

    def state(self) -> dict[str, Any]:
        """Describe the network, the source and the server, as they are now."""
        return {
            "run": self._run,
            "link": self._lines.link,
            "source": self._source.state(),
            **self._stage.state(),
            "room": self._room,
            "viewers": len(self._lines.viewers),
            "techniques_url": f"http://127.0.0.1:{self._stage.port}",
            **(self._front.state() | self._hall.state()),
        }


def _viewer_of(request: web.Request) -> str:
    name = request.query.get("viewer", "")
    if _VIEWER.fullmatch(name) is None:
        raise Problem(400, "viewer names the page: 8 to 32 of the characters a-z 0-9")
    return name

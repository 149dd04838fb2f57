"""The hall: the room takes part, by doors of its own.

    POST /lecture/part?viewer=ID      {"who", "technique"}              subscribe; null ends it
    POST /lecture/measured?viewer=ID  {"state", "lost", "counts", "sum_ms"}
    POST /lecture/vote?viewer=ID      {"who", "question", "choice"}
    GET  /lecture/audience            who takes part, and what they measured

Each needs the page's own event stream. With the lecturer's key, as orders:

    ask   {"question", "choices"}     ask the room; null ends the question
    show  {"measured", "fits"}        end the vote and show it
    go    {"at", "step"}              tell where the lecturer is
"""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from servers.front.bodies import load_order
from servers.front.problems import Problem
from servers.lecture.audience import Audience
from servers.lecture.ballot import Ballot
from servers.lecture.tour import Tour
from servers.lecture.viewers import Viewer

_WHO: Final = re.compile(r"[a-z0-9]{16,32}")
_FRESH_S: Final = 0.5  # for so long the audience is not counted anew
_MOST_ORDER: Final = 4096

_Order = Callable[[dict[str, Any]], Awaitable[None]]


class Hall:
    """The room's part. ``changed`` hears when many's doing has changed everybody's state."""

    def __init__(
        self,
        viewers: dict[str, Viewer],
        viewer_of: Callable[[web.Request], str],
        read: Callable[[web.Request], Awaitable[bytes]],
        changed: Callable[[], None],
    ) -> None:
        self._viewers, self._viewer_of, self._read = viewers, viewer_of, read
        self._changed = changed
        self._ballot, self._tour = Ballot(), Tour()
        self._audience = Audience(viewers, self._ballot.forget)
        self._counted: tuple[float, dict[str, Any]] | None = None
        self.orders: Final[dict[str, _Order]] = {
            "ask": self._ask,
            "show": self._show,
            "go": self._go,
        }

    def routes(self) -> list[web.RouteDef]:
        """Return the doors that are for everybody."""
        return [
            web.post("/lecture/part", self._part),
            web.post("/lecture/measured", self._measured),
            web.post("/lecture/vote", self._vote),
            web.get("/lecture/audience", self._who),
        ]

    def state(self) -> dict[str, Any]:
        """Describe to everybody what is asked, where the lecturer is, and how many take part."""
        return {
            "people": len(self._audience),
            "asked": self._ballot.state(),
            "tour": self._tour.state(),
        }

    def close(self, page: str) -> None:
        """A page has gone."""
        self._audience.close(page)
        self._changed()

    async def _ask(self, order: dict[str, Any]) -> None:
        self._ballot.ask(order)

    async def _show(self, order: dict[str, Any]) -> None:
        self._ballot.show(order)

    async def _go(self, order: dict[str, Any]) -> None:
        self._tour.go(order)

    async def _read_order(self, request: web.Request) -> tuple[Viewer, dict[str, Any]]:
        """Read an order of a page, whose event stream must be open."""
        name = self._viewer_of(request)
        if (request.content_length or 0) > _MOST_ORDER:
            raise Problem(413, f"at most {_MOST_ORDER} bytes, please")
        data = await self._read(request)
        if len(data) > _MOST_ORDER:
            raise Problem(413, f"at most {_MOST_ORDER} bytes, please")
        order = load_order(data)
        viewer = self._viewers.get(name)
        if viewer is None:
            raise Problem(409, "open the event stream first")
        return viewer, order

    async def _part(self, request: web.Request) -> web.Response:
        viewer, order = await self._read_order(request)
        person = self._audience.subscribe(_who_of(order), viewer, order.get("technique"))
        self._changed()
        return web.json_response({"number": person.number})

    async def _measured(self, request: web.Request) -> web.Response:
        viewer, order = await self._read_order(request)
        self._audience.hear(viewer, order)
        return web.Response(status=204)

    async def _vote(self, request: web.Request) -> web.Response:
        viewer, order = await self._read_order(request)
        who = _who_of(order)
        choice = self._ballot.check(order)  # who says nothing sensible takes no one's place
        self._audience.come(who, viewer)
        self._ballot.vote(who, choice)
        self._changed()
        return web.json_response({"choice": choice})

    async def _who(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > _FRESH_S:
            self._counted = (now, self._audience.state())
        return web.json_response(self._counted[1])


def _who_of(order: dict[str, Any]) -> str:
    who = order.get("who")
    if not isinstance(who, str) or _WHO.fullmatch(who) is None:
        raise Problem(400, "who is your own secret: 16 to 32 of the characters a-z 0-9")
    return who

"""Fetch streaming: an answer that a script reads while it comes, ``fetch()`` and a ReadableStream.

On the wire it is an answer without an end, as the forever frame's; what is new is the reader. Each
line of the answer is a message. Any request may be answered so: a GET, or a POST that publishes
its body and is then answered by what follows, which is how services stream what a model writes.
Nothing reconnects by itself: the script asks again, with the cursor. It leaves by closing.

    GET /fetch_stream?channel=lobby[&after=CURSOR]
    POST /fetch_stream?channel=lobby, and a body as POST /publish takes it
    {"id":17,...}
"""

from typing import NoReturn

from aiohttp import web

from servers.front.handover import take_over
from servers.front.heads import count_request
from servers.kinds.http_streams import Transfer, stream_head
from servers.kinds.streams import Framing, Stream
from servers.publish import publish_request
from servers.service import SERVICE, Service, query_of
from wire.cursor import Cursor
from wire.line_stream import CONTENT_TYPE, HEARTBEAT, encode_line


def framing(transfer: Transfer) -> Framing:
    """Write a line for each message, each in a chunk of its own."""
    wrap = transfer.wrap
    return Framing(
        slug="fetch_stream",
        key=("fetch_stream", transfer),
        message=lambda cursor, json: wrap(encode_line(json)),
        gap=lambda cursor, json: wrap(encode_line(json)),
        heartbeat=wrap(HEARTBEAT),
        farewell=transfer.end,
    )


_FRAMINGS = {transfer: framing(transfer) for transfer in Transfer}


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with the channel's messages."""
    count_request(request.app[SERVICE].row("fetch_stream"), request)
    await _follow(request, query_of(request).after)


async def ask(request: web.Request) -> web.StreamResponse:
    """Publish the body, and answer with what follows; after a cursor, with that before it, too."""
    count_request(request.app[SERVICE].row("fetch_stream"), request)
    place = await publish_request(request, "fetch_stream")
    await _follow(request, query_of(request).after or place)


async def _follow(request: web.Request, after: Cursor | None) -> NoReturn:
    service, query = request.app[SERVICE], query_of(request)
    channel = await service.open(query.channel, after)
    start = channel.resume(after)
    transfer, head = stream_head(request, CONTENT_TYPE, channel.cursor(start[0]))
    # Some browsers (Firefox) give the answer to the script only with its first byte.
    head += transfer.wrap(HEARTBEAT)
    await take_over(request, Stream(service, _FRAMINGS[transfer], channel, head, start, query.name))


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [web.get("/fetch_stream", stream, allow_head=False), web.post("/fetch_stream", ask)]

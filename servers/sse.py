"""Server-Sent Events: one response that never ends, in a format that browsers read by themselves.

Each event carries the cursor as its ``id``; a browser that reconnects gives the last one back as
``Last-Event-ID`` and misses nothing (WHATWG HTML, 9.2). Text only, one way only: to talk back the
client POSTs, on a second connection.

    GET /sse?channel=lobby[&after=CURSOR]
    id: CURSOR
    data: {"id":17,...}
"""

from aiohttp import web

from servers.front.handover import take_over
from servers.front.heads import count_request
from servers.kinds.http_streams import Transfer, stream_head
from servers.kinds.streams import Framing, Stream
from servers.service import SERVICE, Service, query_of
from wire.cursor import parse_cursor
from wire.event_stream import CONTENT_TYPE, HEARTBEAT, encode_event, encode_retry

# How long a client waits before it reconnects, in ms; its own default would be some seconds.
RETRY_MS = 2000


def framing(transfer: Transfer) -> Framing:
    """Write events whose id is the cursor, each in a chunk of its own."""
    wrap = transfer.wrap
    return Framing(
        slug="sse",
        key=("sse", transfer),
        message=lambda cursor, json: wrap(encode_event(json, cursor)),
        gap=lambda cursor, json: wrap(encode_event(json, cursor, "gap")),
        heartbeat=wrap(HEARTBEAT),
        farewell=transfer.end,
    )


_FRAMINGS = {transfer: framing(transfer) for transfer in Transfer}


async def stream(request: web.Request) -> web.StreamResponse:
    """Answer with an event stream."""
    service = request.app[SERVICE]
    query = query_of(request)
    count_request(service.row("sse"), request)
    # A browser that reconnects repeats its address, so the newer word is the header's.
    last_event_id = request.headers.get("Last-Event-ID")
    after = parse_cursor(last_event_id) if last_event_id else query.after
    channel = await service.open(query.channel, after)
    start = channel.resume(after)
    transfer, head = stream_head(request, CONTENT_TYPE, channel.cursor(start[0]))
    head += transfer.wrap(encode_retry(RETRY_MS))
    await take_over(request, Stream(service, _FRAMINGS[transfer], channel, head, start, query.name))


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [web.get("/sse", stream, allow_head=False)]

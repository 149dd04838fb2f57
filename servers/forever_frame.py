"""The forever frame: a page in a hidden iframe that never ends.

The browser runs each ``<script>`` of a page as soon as it has arrived, so a page that is sent
bit by bit can call a function of the page around it for every message. Chunked coding lets
HTTP/1.1 send it without knowing its length (RFC 9112, 7.1); over HTTP/1.0 the connection's end
is the page's end. To talk back the client POSTs.

    GET /forever_frame?channel=lobby[&after=CURSOR][&padding=1024]
    <script>parent.receive({"id":17,...})</script>
"""

from aiohttp import web

from servers.front.handover import take_over
from servers.front.heads import count_request
from servers.kinds.http_streams import Transfer, stream_head
from servers.kinds.streams import Framing, Stream
from servers.service import SERVICE, Service, query_of
from wire.script_stream import HEARTBEAT, encode_prologue, encode_script


def framing(transfer: Transfer) -> Framing:
    """Write a call for each message, each in a chunk of its own."""
    wrap = transfer.wrap
    return Framing(
        slug="forever_frame",
        key=("forever_frame", transfer),
        message=lambda cursor, json: wrap(encode_script(json)),
        gap=lambda cursor, json: wrap(encode_script(json)),
        heartbeat=wrap(HEARTBEAT),
        farewell=transfer.end,
    )


_FRAMINGS = {transfer: framing(transfer) for transfer in Transfer}


async def frame(request: web.Request) -> web.StreamResponse:
    """Answer with a page that goes on for as long as it is read."""
    service = request.app[SERVICE]
    query = query_of(request)
    count_request(service.row("forever_frame"), request)
    channel = await service.open(query.channel, query.after)
    start = channel.resume(query.after)
    transfer, head = stream_head(request, "text/html; charset=utf-8", channel.cursor(start[0]))
    head += transfer.wrap(encode_prologue(query.padding))
    await take_over(request, Stream(service, _FRAMINGS[transfer], channel, head, start, query.name))


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return [web.get("/forever_frame", frame, allow_head=False)]

"""Long-polling: the client asks, and the server does not answer before there is something to say.

When a message comes, the waiting *response* ends; the TCP connection stays and carries the next
request (RFC 6202, 2.2). Between the two the client is deaf for one round trip, so it brings a
cursor along, and what was published meanwhile is answered at once. A naive server has no
cursor and loses those messages; ``naive=1`` plays it.

    GET /long_polling?channel=lobby&after=CURSOR&timeout=25
    200 {"messages":[...],"cursor":"...","gap":false}   or   204 when the timeout is over
"""

from aiohttp import web

from servers.kinds.poll_pool import Ask, Pool, nothing_new
from servers.kinds.polls import PollConnection, PollDoor
from servers.service import Service


class LongPolling(PollDoor):
    """Holds every request that has nothing to hear yet."""

    slug = "long_polling"

    def serve(self, pool: Pool, ask: Ask, connection: PollConnection) -> None:
        """Answer what is new after the cursor, or else wait for it."""
        response = b"" if ask.query.naive else pool.answer(ask)
        if response:
            connection.answer(ask, response)
        elif ask.query.timeout:
            pool.hold(connection, ask)
        else:
            connection.answer(ask, nothing_new(ask))


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return LongPolling(service).routes()

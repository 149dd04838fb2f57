"""Polling: the client asks on a timer, the server answers at once.

Most answers say that nothing is new, and a message waits for half an interval on average before
it is asked for. What saves the idea is the batch: however many messages came meanwhile, they
share one request (RFC 6202, 2.1).

    GET /polling?channel=lobby&after=CURSOR
    200 {"messages":[...],"cursor":"...","gap":false}   or   204 when nothing is new
"""

from aiohttp import web

from servers.kinds.poll_pool import Ask, Pool, nothing_new
from servers.kinds.polls import PollConnection, PollDoor
from servers.service import Service


class Polling(PollDoor):
    """Answers every request at once."""

    slug = "polling"

    def serve(self, pool: Pool, ask: Ask, connection: PollConnection) -> None:
        """Answer what is new after the cursor; without a cursor, where the channel is now."""
        connection.answer(ask, pool.answer(ask) or nothing_new(ask))


def routes(service: Service) -> list[web.RouteDef]:
    """Return the technique's routes."""
    return Polling(service).routes()

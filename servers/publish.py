"""The way up for techniques that only bring messages down: one POST for each message.

POST /publish?channel=lobby
text/plain, application/json {"text" or "base64","sender","sent_ns"}, application/octet-stream
201 {"id":17,"cursor":"..."}

A log that takes no messages, or none in time, is a problem 503 with ``Retry-After``.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from servers.channels.channel import Channel
from servers.channels.log import Appended, Unavailable, Unsure
from servers.front import bodies
from servers.front.bodies import load_order
from servers.front.ledger import Row
from servers.front.problems import Problem
from servers.front.query import check_name, check_sent_ns
from servers.service import RETRY_AFTER, SERVICE, Service, query_of
from wire.cursor import Cursor
from wire.message import Body, body_from, dump_json

_LOG_SECONDS = 5.0  # a log that takes longer to keep a message is called late


def publish_fields(
    service: Service, slug: str | None, channel: Channel, fields: Mapping[str, Any], name: str = ""
) -> Appended:
    """Publish what a JSON object asks for: ``text`` or ``base64``, ``sender``, ``sent_ns``."""
    sender = check_name(fields.get("sender", name))
    sent_ns = check_sent_ns(fields.get("sent_ns"))
    return publish_body(service, slug, channel, body_from(dict(fields)), sender, sent_ns)


def publish_body(
    service: Service,
    slug: str | None,
    channel: Channel,
    body: Body,
    sender: str,
    sent_ns: int | None = None,
) -> Appended:
    """Publish ``body`` unless it is too large; :func:`kept` tells what became of it."""
    size = len(body) if isinstance(body, bytes) else len(body.encode("utf-8", "surrogatepass"))
    if size > service.settings.most_message:
        raise too_large(service)
    if service.allow is not None:
        service.allow(channel.name, size)
    answers = service.answers
    question = answers.read(body) if answers is not None else None
    appended = channel.publish(body, sender, sent_ns)
    if slug is not None:
        row = service.row(slug)
        _once_kept(appended, partial(_count, row))
    if answers is not None and question is not None:
        _once_kept(appended, partial(answers.begin, channel, question))
    return appended


def _once_kept(appended: Appended, do: Callable[[], None]) -> None:
    """Do something if the log keeps a message: now, where it does so at once."""
    if isinstance(appended, asyncio.Future):
        appended.add_done_callback(partial(_if_kept, do))
    else:
        do()


def _if_kept(do: Callable[[], None], appended: asyncio.Future[Cursor]) -> None:
    if not appended.cancelled() and appended.exception() is None:
        do()


def _count(row: Row) -> None:
    row.publishes += 1


async def kept(appended: Appended) -> Cursor:
    """Return the cursor after a message once the log holds it.

    Raises :class:`~servers.front.problems.Problem` with status 503 if it was refused, or is late.
    """
    if isinstance(appended, Cursor):
        return appended
    try:
        async with asyncio.timeout(_LOG_SECONDS):
            return await appended
    except Unsure as error:
        detail = f"{error}: the message may come, or not"
    except Unavailable as error:
        detail = f"the message was not published: {error}"
    except TimeoutError:
        detail = f"the log did not answer for {_LOG_SECONDS:g} s: the message may come, or not"
    raise Problem(503, detail, Retry_After=RETRY_AFTER)


def most_json(service: Service) -> int:
    """Return how many bytes of JSON may stand for a message.

    Escapes and base64 may need several times the room of what they stand for.
    """
    return 6 * service.settings.most_message + 4096


def too_large(service: Service) -> Problem:
    """Return the refusal of a message over the limit."""
    return Problem(413, f"a message has at most {service.settings.most_message} bytes")


async def read_body(request: web.Request, most: int) -> bytes:
    """Read a request's body of at most ``most`` bytes, and not for ever."""
    service = request.app[SERVICE]
    return await bodies.read_body(request, most, too_large(service), service.budget)


async def publish_request(request: web.Request, slug: str | None = None) -> Cursor:
    """Publish the body of a POST, through the technique of ``slug``; return the cursor after it.

    Raises :class:`~servers.front.problems.Problem`.
    """
    service = request.app[SERVICE]
    query = query_of(request)
    kind = request.content_type
    if kind not in ("text/plain", "application/json", "application/octet-stream"):
        raise Problem(
            415,
            f"a body of type {kind} is not accepted; send text/plain, application/json or "
            "application/octet-stream (curl: -H 'Content-Type: text/plain')",
        )
    most = service.settings.most_message
    body = await read_body(request, most_json(service) if kind == "application/json" else most)
    channel = service.channel(query.channel)
    if kind == "application/json":
        appended = publish_fields(service, slug, channel, load_order(body), query.sender)
    else:
        content: Body = body if kind == "application/octet-stream" else decode_text(body)
        appended = publish_body(service, slug, channel, content, query.sender, query.sent_ns)
    return await kept(appended)


async def publish(request: web.Request) -> web.Response:
    """Publish the body of a POST, and tell its place."""
    place = await publish_request(request)
    return web.Response(
        status=201,
        body=dump_json({"id": place.id, "cursor": str(place)}),
        content_type="application/json",
    )


def decode_text(body: bytes) -> str:
    """Decode text, which must be UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Problem(
            400,
            f"the text is not UTF-8 at byte {error.start}; send bytes as application/octet-stream",
        ) from None


def routes(service: Service) -> list[web.RouteDef]:
    """Return the route."""
    return [web.post("/publish", publish)]

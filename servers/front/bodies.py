"""Bodies of requests: read to their end, but not for ever and not without bound."""

import asyncio
from typing import Any, Final

from aiohttp import web

from servers.front.budget import NO_ROOM, Budget
from servers.front.codings import decode, wrong_coding
from servers.front.problems import Problem
from wire.message import load_json

_BODY_SECONDS: Final = 30.0  # a body that takes longer is an attack or a broken line
_LARGE: Final = 64 * 2**10  # bytes of JSON that are read in no time, whatever they are
_MOST_QUOTES: Final = 64
_MOST_BESIDE: Final = 4096  # bytes outside of strings


async def read_body(request: web.Request, most: int, too_large: Problem, budget: Budget) -> bytes:
    """Read a request's body of at most ``most`` bytes, else raise ``too_large``.

    Raises :class:`~servers.front.problems.Problem` also for what cannot be decoded, takes too
    long, or finds no room in ``budget``.
    """
    if request.headers.get("Transfer-Encoding", "chunked").lower() != "chunked":
        raise Problem(501, "the only transfer coding understood here is chunked")
    coding = ", ".join(request.headers.getall("Content-Encoding", ("identity",))).lower()
    if coding not in ("identity", "gzip", "deflate"):
        raise Problem(
            415,
            f"a body coded as {coding[:40]} is not accepted; send it as it is, or as gzip or "
            "deflate",
            Accept_Encoding="gzip, deflate",
        )
    if (request.content_length or 0) > most:
        raise too_large.anew()
    body, held = bytearray(), 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise too_large.anew()
                if not budget.change(held, len(body)):
                    raise NO_ROOM.anew()
                held = len(body)
        return bytes(body) if coding == "identity" else decode(coding, body, most, too_large)
    except TimeoutError:
        raise Problem(408, f"the body did not come within {_BODY_SECONDS:.0f} s") from None
    except web.RequestPayloadError:
        raise wrong_coding() from None
    finally:
        budget.change(held, 0)


def load_order(data: bytes | str) -> dict[str, Any]:
    """Read a JSON object of a few texts and numbers, however long its texts are.

    Reading megabytes of tiny values would hold everybody up, so they are refused unread.
    Raises :class:`~servers.front.problems.Problem` and :class:`~wire.errors.MessageError`.
    """
    if len(data) > _LARGE and not _is_plain(data.encode() if isinstance(data, str) else data):
        raise Problem(400, "large JSON is an object of a few texts and numbers, nothing else")
    return load_json(data)


def _is_plain(data: bytes) -> bool:
    # Without escaped characters, every second part between quotes stands outside of strings.
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = bare.split(b'"', _MOST_QUOTES)
    return sum(map(len, parts[::2])) <= _MOST_BESIDE

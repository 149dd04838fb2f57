"""aiohttp's protocol of a connection, and all that is relied on of its inside.

A connection that is handed over must leave aiohttp, for which it offers no public way. What is
used of :class:`aiohttp.web_protocol.RequestHandler` besides its public methods is gathered in
:class:`Handler`, with what it means; tests watch each, and ``pyproject.toml`` holds aiohttp below
the next major version. The rest of the class makes problems (RFC 9457) of what aiohttp would answer
by itself.
"""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, InvalidHeader, LineTooLong
from aiohttp.web_protocol import RequestHandler

from servers.front.heads import (
    LONGEST_ADDRESS,
    LONGEST_FIELDS,
    MOST_FIELDS,
    address_too_long,
    fields_too_long,
)
from servers.front.problems import Problem

_IDLE_SECONDS = 30.0  # for a head to arrive, and between requests


class Handler(RequestHandler):
    """aiohttp's protocol of one connection, on which a handler may let go of its transport."""

    __slots__ = ()

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=_IDLE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # which means none, as in web.AppRunner
            max_line_size=LONGEST_ADDRESS,
            max_field_size=LONGEST_FIELDS,
            max_headers=MOST_FIELDS,
            auto_decompress=False,  # see servers.front.codings
        )

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request.

        ``_waiter`` is the future on which aiohttp's task of the connection waits for the next
        request; it is ``None`` while one is handled, and done when one has come.
        """
        return self._waiter is not None and not self._waiter.done()

    @property
    def has_more(self) -> bool:
        """Whether requests are queued behind the one that is handled (RFC 9112, 9.3.2).

        ``_messages`` is the queue of requests that were parsed and are not begun.
        """
        return bool(self._messages)

    def let_go(self) -> None:
        """End, while the connection lives on.

        Told that its connection is lost, aiohttp cancels the handler that runs, and drops parser,
        request and task. It also closes its ``transport`` and pauses or resumes it, so that is
        taken away before.
        """
        self.transport = None
        self.connection_lost(None)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read; our own mistakes stay aiohttp's to log."""
        if isinstance(exc, ConnectionError):
            raise exc  # nobody is there to be answered
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        response = _problem_of(exc, status).response()
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Make a problem of the one refusal that comes before the application is asked."""
        if isinstance(resp, web.HTTPExpectationFailed):
            asked = request.headers.get("Expect", "")[:40]
            resp = Problem(417, f"Expect: {asked} is not met; accepted is 100-continue").response()
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log our mistakes, but not what was wrong with a body: the request was answered so."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)


def _problem_of(error: HttpProcessingError, status: int) -> Problem:
    """Tell what was wrong with a head, and repeat nothing that may be a secret."""
    if isinstance(error, LineTooLong):
        # The two have different limits, by which they are told apart.
        return address_too_long() if error.args[1] == LONGEST_ADDRESS else fields_too_long()
    if error.message == "Too many headers received":
        return fields_too_long()
    if isinstance(error, InvalidHeader):
        reason = "a header field has a character that may not be there"
    else:
        reason = error.message.partition("\n")[0].rstrip(": ")[:200]
    return Problem(status, f"not an HTTP/1.1 request: {reason}")

"""Reading the heads of polls: those that follow on a kept connection never see aiohttp."""

import contextlib

import httptools

from servers.front.heads import LONGEST_ADDRESS, address_too_long, check_fields
from servers.front.problems import Problem, problem_of
from servers.kinds.poll_pool import Ask
from servers.service import Service
from wire.errors import WireError


def read_ask(path: str, service: Service, head: bytes) -> Ask | Problem | None:
    """Understand the head of a request: what it asks, a refusal, or ``None`` if it is not for us.

    For us is a plain GET of ``path``.
    """
    seen = _Seen()
    parser = httptools.HttpRequestParser(seen)
    try:
        # A server may ignore an offer to speak something else (RFC 9110, 7.8).
        with contextlib.suppress(httptools.HttpParserUpgrade):
            parser.feed_data(head)
        target, _, query = seen.target.decode().partition("?")
    except (httptools.HttpParserError, UnicodeDecodeError) as error:
        return Problem(400, f"not an HTTP/1.1 request: {error}")
    if len(seen.target) > LONGEST_ADDRESS:
        return address_too_long()
    try:
        check_fields(seen.raw)
    except Problem as refusal:
        return refusal
    fields = seen.fields
    has_body = fields.get("content-length", "0") != "0" or "transfer-encoding" in fields
    # RFC 9112, 3.2: there is one Host; aiohttp says what is wrong with none or two.
    has_host = "host" in fields and "," not in fields["host"]
    if parser.get_method() != b"GET" or target != path or has_body or not has_host:
        return None
    # Not parser.should_keep_alive(), which forgets at the end of the head.
    wishes = fields.get("connection", "").lower().replace(" ", "").split(",")
    close = "close" in wishes or parser.get_http_version() != "1.1"
    origin = None
    try:
        origin = service.guard.check(fields)
        return Ask(service.query(query, fields), close, origin)
    except Problem as refusal:
        problem = refusal
    except WireError as error:
        problem = problem_of(error)
    if origin is not None:
        problem.headers["Access-Control-Allow-Origin"] = origin
    return problem


class _Seen:
    """Collects what the parser reports of one head."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: dict[str, str] = {}
        self.raw: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        value = value.rstrip(b" \t")
        self.raw.append((name, value))
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.fields[key] = f"{self.fields[key]}, {text}" if key in self.fields else text

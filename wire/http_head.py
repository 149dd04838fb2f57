"""HTTP/1.1 heads (RFC 9112, 2 to 5): the lines before a body.

Written out here because heads are what polling pays for: the suite must know each byte of them.
Field names are case-insensitive (RFC 9110, 5.1); they are kept in lower case once read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wire.errors import HttpError

END = b"\r\n\r\n"
LONGEST_HEAD = 64 * 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: (.*))?")
_FORBIDDEN = re.compile(r"[\r\n\0]")  # never inside a value (RFC 9110, 5.5)
_LENGTH = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A status line and its fields; ``minor`` is the 1 of HTTP/1.1."""

    status: int
    reason: str
    fields: Mapping[str, str]
    minor: int = 1

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may carry another request (RFC 9112, 9.3)."""
        options = self.fields.get("connection", "").lower()
        return "close" not in options and (self.minor == 1 or "keep-alive" in options)

    @property
    def is_chunked(self) -> bool:
        """Whether the body is in chunks (RFC 9112, 6.3)."""
        return self.fields.get("transfer-encoding", "").lower().endswith("chunked")

    @property
    def length(self) -> int | None:
        """The body's length in bytes, or ``None`` where chunks or the connection's end tell."""
        if self.status in (204, 304) or self.status < 200:
            return 0
        text = self.fields.get("content-length")
        if text is None or self.is_chunked:
            return None
        if _LENGTH.fullmatch(text) is None:
            raise HttpError(f"Content-Length {text[:40]!r} is not a number")
        return int(text)


def encode_request(
    method: str, target: str, fields: Iterable[tuple[str, str]], body: bytes = b""
) -> bytes:
    """Write a whole request; the caller gives ``Host`` and, with a body, its length."""
    return _head(f"{method} {target} HTTP/1.1", fields) + body


def encode_response(status: str, fields: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Write a response head (``status`` is code and reason) and, where given, its body."""
    return _head(f"HTTP/1.1 {status}", fields) + body


def _head(first: str, fields: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in fields)]
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError(f"a line end inside a line of an HTTP head: {line[:60]!r}")
    return "\r\n".join(lines).encode("latin-1") + END


def decode_response_head(data: bytes) -> ResponseHead:
    """Read the bytes before (or with) the empty line.

    Raises :class:`~wire.errors.HttpError`.
    """
    lines = data.removesuffix(END).decode("latin-1").split("\r\n")
    match = _STATUS.fullmatch(lines[0])
    if match is None:
        raise HttpError(f"{lines[0][:60]!r} is not an HTTP/1.x status line")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or TOKEN.fullmatch(name) is None or _FORBIDDEN.search(value):
            raise HttpError(f"{line[:60]!r} is not a header field")
        name, value = name.lower(), value.strip(" \t")
        # Repeated fields mean one list (RFC 9110, 5.2).
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return ResponseHead(int(match[2]), match[3] or "", fields, int(match[1]))

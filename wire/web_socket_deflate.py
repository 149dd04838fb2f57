"""permessage-deflate (RFC 7692), always without context takeover.

Without context takeover each message is compressed by itself. That gives away some of the gain
on repetitive messages, and buys two things a broadcast server wants: one compressed form serves
all subscribers, and no connection keeps a compression window (which is what makes the extension
cost a hundred KiB per connection elsewhere).
"""

import re
import zlib
from dataclasses import dataclass

from wire.errors import WebSocketError
from wire.web_socket_frames import CloseCode

NAME = "permessage-deflate"
_ANSWER = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
# Every sync flush ends with these; RFC 7692, 7.2.1 takes them off the wire.
_TAIL = b"\x00\x00\xff\xff"
# An empty last block: that zlib reads it as such proves that the data before it was all there.
_LAST_BLOCK = b"\x01\x00\x00\xff\xff"
_PARAMETER = re.compile(r'([a-z_]+)(?:\s*=\s*"?([0-9]+)"?)?')
# The parameters and the form of their values, empty where there is none (RFC 7692, 7.1).
_VALUES = {
    "server_no_context_takeover": re.compile(r""),
    "client_no_context_takeover": re.compile(r""),
    "server_max_window_bits": re.compile(r"[89]|1[0-5]"),
    "client_max_window_bits": re.compile(r"([89]|1[0-5])?"),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both ends agreed on: the window for what this end sends, 9 to 15 bits."""

    window_bits: int = 15


def offer() -> str:
    """Write the client's offer for ``Sec-WebSocket-Extensions``.

    With ``client_max_window_bits`` the server may ask for a smaller window than 15 bits.
    """
    return f"{_ANSWER}; client_max_window_bits"


def agree(offers: str) -> tuple[Agreement, str] | None:
    """Answer a client's offers: the agreement and the response's header value.

    ``None`` when no offer is acceptable, which declines the extension (RFC 7692, 5.1).
    """
    for text in offers.split(","):
        name, *rest = (part.strip() for part in text.split(";"))
        if name != NAME:
            continue
        parameters = _parameters(rest)
        if parameters is None or not _known(parameters):
            continue
        answer = _ANSWER
        bits = parameters.get("server_max_window_bits")
        if bits is not None:
            # zlib cannot make a raw stream for a window of 8 bits: decline such an offer.
            if bits == "8":
                continue
            answer += f"; server_max_window_bits={bits}"
        return Agreement(int(bits or 15)), answer
    return None


def accept(answer: str) -> Agreement | None:
    """Read the server's answer to :func:`offer`.

    Raises :class:`ValueError` where it is not an answer to that offer; the client must then
    fail the connection (RFC 7692, 7.1).
    """
    if not answer.strip():
        return None
    name, *rest = (part.strip() for part in answer.split(";"))
    parameters = _parameters(rest)
    if name != NAME or parameters is None or not _known(parameters):
        raise ValueError(f"extension {answer!r} was not offered")
    if "server_no_context_takeover" not in parameters:
        raise ValueError("the server insists on context takeover, which was not offered")
    bits = parameters.get("client_max_window_bits", "15")
    if bits in ("", "8"):
        raise ValueError(f"a window of {bits!r} bits was not offered; accepted are 9 to 15")
    return Agreement(int(bits))


def _parameters(parts: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    for part in parts:
        match = _PARAMETER.fullmatch(part)
        if match is None or match[1] in parameters:
            return None
        parameters[match[1]] = match[2] or ""
    return parameters


def _known(parameters: dict[str, str]) -> bool:
    return all(
        name in _VALUES and _VALUES[name].fullmatch(value) for name, value in parameters.items()
    )


def deflate(payload: bytes, window_bits: int = 15) -> bytes:
    """Compress one message."""
    compressor = zlib.compressobj(wbits=-window_bits)
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(_TAIL)


def inflate(payload: bytes, limit: int) -> bytes:
    """Decompress one message, never to more than ``limit`` bytes (a small bomb inflates far).

    Raises :class:`~wire.errors.WebSocketError` 1009 past the limit, 1007 for bad data.
    """
    inflater = zlib.decompressobj(wbits=-15)
    try:
        data = inflater.decompress(payload + _TAIL + _LAST_BLOCK, limit + 1)
    except zlib.error as error:
        raise WebSocketError(CloseCode.INVALID_DATA, f"not deflate data: {error}") from None
    if len(data) > limit:
        reason = f"a message that inflates to more than {limit} bytes"
        raise WebSocketError(CloseCode.TOO_BIG, reason)
    if not inflater.eof:
        raise WebSocketError(CloseCode.INVALID_DATA, "deflate data that ends too soon")
    return data

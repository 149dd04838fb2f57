"""The WebSocket opening handshake, RFC 6455, 4: one GET that leaves HTTP.

The accept value proves that the peer understood the WebSocket request and is not a confused
HTTP server or cache. It is a digest, made anew by the client and compared; nothing is decoded,
nobody is authenticated, and ``Origin`` (not the drafts' ``Sec-WebSocket-Origin``) tells which
page asks.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wire import web_socket_deflate
from wire.errors import HandshakeError
from wire.http_head import TOKEN, ResponseHead, encode_request, encode_response
from wire.web_socket_deflate import Agreement

VERSION = "13"
SUBPROTOCOL = "duplex.v1"
# Any server that does not know WebSocket will hardly send this by chance (RFC 6455, 1.3).
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a client asked for in its opening handshake."""

    key: str
    protocols: tuple[str, ...]
    extensions: str


def accept_key(key: str) -> str:
    """Return ``Sec-WebSocket-Accept`` for a key: base64 of SHA-1 of the key's text and the GUID.

    The 24 characters of the key are used as they stand; the key itself is not decoded.
    """
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def check_request(method: str, minor: int, fields: Mapping[str, str]) -> Opening:
    """Check a server's side of the opening handshake (RFC 6455, 4.2.1).

    ``minor`` is the 1 of HTTP/1.1; ``fields`` has lower-case names. Raises
    :class:`~wire.errors.HandshakeError` with the status to refuse with: 405, 426 or 400.
    """
    if method != "GET":
        raise HandshakeError(405, f"a WebSocket opens with GET, not {method}")
    if "websocket" not in _tokens(fields.get("upgrade", "")):
        raise HandshakeError(
            426, "this address speaks WebSocket only: send 'Upgrade: websocket' (RFC 6455, 4.1)"
        )
    if minor < 1 or "upgrade" not in _tokens(fields.get("connection", "")):
        raise HandshakeError(
            400,
            "'Upgrade: websocket' came without 'Connection: Upgrade' over HTTP/1.1; "
            "a proxy in between may have dropped it",
        )
    version = fields.get("sec-websocket-version", "")
    if version != VERSION:
        raise HandshakeError(
            426, f"Sec-WebSocket-Version {version[:20]!r} is not spoken here; accepted is 13"
        )
    key = fields.get("sec-websocket-key", "")
    if not _is_key(key):
        raise HandshakeError(
            400, "Sec-WebSocket-Key must be 16 random bytes in base64, which is 24 characters"
        )
    protocols = tuple(
        name
        for item in fields.get("sec-websocket-protocol", "").split(",")
        if (name := item.strip())
    )
    if not all(TOKEN.fullmatch(name) for name in protocols):
        raise HandshakeError(400, "Sec-WebSocket-Protocol must be a list of tokens")
    return Opening(key, protocols, fields.get("sec-websocket-extensions", ""))


def encode_answer(
    opening: Opening,
    protocol: str | None = None,
    extension: str = "",
    more: Sequence[tuple[str, str]] = (),
) -> bytes:
    """Write the server's ``101 Switching Protocols``."""
    fields = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept_key(opening.key)),
    ]
    if protocol:
        fields.append(("Sec-WebSocket-Protocol", protocol))
    if extension:
        fields.append(("Sec-WebSocket-Extensions", extension))
    return encode_response("101 Switching Protocols", [*fields, *more])


def encode_opening(
    target: str,
    fields: Sequence[tuple[str, str]],
    nonce: bytes,
    protocols: Sequence[str] = (),
    extension: str = "",
) -> bytes:
    """Write a client's opening request; ``nonce`` is 16 fresh random bytes."""
    all_fields = [
        *fields,
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", base64.b64encode(nonce).decode()),
        ("Sec-WebSocket-Version", VERSION),
    ]
    if protocols:
        all_fields.append(("Sec-WebSocket-Protocol", ", ".join(protocols)))
    if extension:
        all_fields.append(("Sec-WebSocket-Extensions", extension))
    return encode_request("GET", target, all_fields)


def check_response(
    head: ResponseHead, nonce: bytes, protocols: Sequence[str] = (), extension: str = ""
) -> tuple[str | None, Agreement | None]:
    """Check the client's side: return the subprotocol and the compression agreed on.

    ``nonce``, ``protocols`` and ``extension`` are what :func:`encode_opening` was given. Raises
    :class:`~wire.errors.HandshakeError`; a client must then fail the connection (RFC 6455, 4.1,
    the checks after the request).
    """
    if head.status != 101:
        raise HandshakeError(head.status, f"the server answered {head.status} {head.reason}")
    if "websocket" not in _tokens(head.fields.get("upgrade", "")):
        raise HandshakeError(head.status, "the answer has no 'Upgrade: websocket'")
    if "upgrade" not in _tokens(head.fields.get("connection", "")):
        raise HandshakeError(head.status, "the answer has no 'Connection: Upgrade'")
    expected = accept_key(base64.b64encode(nonce).decode())
    accept = head.fields.get("sec-websocket-accept", "")
    if accept != expected:
        raise HandshakeError(
            head.status, f"Sec-WebSocket-Accept is {accept!r}, but the key asks for {expected!r}"
        )
    protocol = head.fields.get("sec-websocket-protocol")
    if protocol is not None and protocol not in protocols:
        raise HandshakeError(head.status, f"subprotocol {protocol!r} was not asked for")
    answer = head.fields.get("sec-websocket-extensions", "")
    if answer and not extension:
        raise HandshakeError(head.status, f"extension {answer!r} was not offered")
    try:
        agreement = web_socket_deflate.accept(answer)
    except ValueError as error:
        raise HandshakeError(head.status, str(error)) from None
    return protocol, agreement


def _tokens(value: str) -> set[str]:
    return {item.strip().lower() for item in value.split(",")}


def _is_key(key: str) -> bool:
    try:
        return len(key) == 24 and len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        return False

r"""The message, and the one JSON form of it that every technique carries.

The JSON is one line without spaces, UTF-8, with three more escapes than JSON asks for: ``<`` is
written ``\u003c``, so that no message can end the ``<script>`` of a forever frame or of a page,
and U+2028 and U+2029 are escaped because JavaScript before ES2019 took them for line ends inside
a string. Escaping for all techniques alike keeps the bytes comparable; JSON readers see no
difference.
"""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from wire.errors import MessageError

Body = str | bytes
T = TypeVar("T")
# json.dumps makes an encoder for each call that is not quite usual.
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one channel.

    ``id`` counts from 1 in its channel. ``sent_ns`` (by the sender: the intended send time of an
    open-loop publisher) and ``published_ns`` (by the channel) are monotonic clock nanoseconds of
    the host. ``body`` is text or bytes. ``presence`` is empty for what people and programs send;
    ``"joined"`` or ``"left"`` marks the channel's own notice about ``sender``, whose body then
    names the technique.
    """

    id: int
    sender: str
    sent_ns: int
    published_ns: int
    body: Body
    presence: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """Said in-band when messages may be missing: what follows continues after ``cursor``.

    The cursor asked for was older than the log, or of another epoch.
    """

    cursor: str


def dump_json(value: object) -> bytes:
    """Write ``value`` as one line of UTF-8 JSON that is also safe inside a ``<script>``."""
    text = _write_json(value)
    if "<" in text:
        text = text.replace("<", "\\u003c")
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate has no UTF-8, but JSON can carry it as an escape.
        return "".join(f"\\u{ord(c):04x}" if c in _SURROGATES else c for c in text).encode()


def encode_message(message: Message) -> bytes:
    """Write the JSON form: ``{"id","sender","sent_ns","published_ns","text"}``.

    Bytes go as ``"base64"`` instead of ``"text"``; a notice has ``"presence"`` besides.
    """
    return dump_json(message_fields(message))


def encode_binary_message(message: Message) -> bytes:
    """Write a message of bytes for a binary frame: its fields as JSON, a line feed, the bytes."""
    if not isinstance(message.body, bytes) or message.presence:
        raise ValueError("only a message of bytes, and no notice, goes into a binary frame")
    return dump_json(_head_fields(message)) + b"\n" + message.body


def decode_binary_message(data: bytes) -> Message:
    """Read what :func:`encode_binary_message` wrote.

    Raises :class:`~wire.errors.MessageError`.
    """
    head, newline, body = data.partition(b"\n")
    if not newline:
        raise MessageError("a binary frame without the line of JSON before its bytes")
    decoded = message_from(load_json(head) | {"text": ""})
    if isinstance(decoded, Gap):
        raise MessageError("a gap notice is not binary")
    return replace(decoded, body=body)


def _head_fields(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "sender": message.sender,
        "sent_ns": message.sent_ns,
        "published_ns": message.published_ns,
    }


def message_fields(message: Message) -> dict[str, object]:
    """Return the JSON fields of ``message`` in their order."""
    fields = _head_fields(message)
    if isinstance(message.body, bytes):
        fields["base64"] = base64.b64encode(message.body).decode()
    else:
        fields["text"] = message.body
    if message.presence:
        fields["presence"] = message.presence
    return fields


def encode_gap(gap: Gap) -> bytes:
    """Write the notice ``{"gap":true,"cursor":"..."}``."""
    return dump_json({"gap": True, "cursor": gap.cursor})


def load_json(data: bytes | str) -> dict[str, Any]:
    """Read one JSON object.

    Raises :class:`~wire.errors.MessageError` for bad UTF-8, bad JSON or another JSON type.
    """
    try:
        # json.loads would guess at UTF-16 and let surrogates through, were it given the bytes.
        value = json.loads(data if isinstance(data, str) else data.decode())
    except UnicodeDecodeError as error:
        raise MessageError(f"not UTF-8 at byte {error.start}; JSON must be UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise MessageError(f"a JSON object is expected, not {type(value).__name__}")
    return value


def decode_message(data: bytes | str) -> Message | Gap:
    """Read the JSON form of a message or of a gap notice.

    Raises :class:`~wire.errors.MessageError`.
    """
    return message_from(load_json(data))


def message_from(fields: dict[str, Any]) -> Message | Gap:
    """Make a message or gap notice of decoded JSON ``fields``.

    Raises :class:`~wire.errors.MessageError`.
    """
    try:
        if "gap" in fields and "id" not in fields:
            return Gap(_typed(fields, "cursor", str))
        return Message(
            id=_count(fields, "id"),
            sender=_typed(fields, "sender", str),
            sent_ns=_count(fields, "sent_ns"),
            published_ns=_count(fields, "published_ns"),
            body=body_from(fields),
            presence=_typed(fields, "presence", str) if "presence" in fields else "",
        )
    except KeyError as error:
        raise MessageError(f"a message without {error}") from None


def body_from(fields: dict[str, Any]) -> Body:
    """Return the text, or the bytes behind ``"base64"``."""
    if "base64" in fields:
        try:
            return base64.b64decode(_typed(fields, "base64", str), validate=True)
        except (binascii.Error, ValueError) as error:
            raise MessageError(f'"base64" is not base64: {error}') from None
    if "text" not in fields:
        raise MessageError('a message needs "text" or "base64"')
    return _typed(fields, "text", str)


def _count(fields: dict[str, Any], name: str) -> int:
    value = _typed(fields, name, int)
    if not 0 <= value < 2**63:
        raise MessageError(f'"{name}" must be from 0 to 2^63 - 1')
    return value


def _typed(fields: dict[str, Any], name: str, kind: type[T]) -> T:
    value = fields[name]
    if type(value) is not kind:
        raise MessageError(f'"{name}" must be {kind.__name__}, not {type(value).__name__}')
    return value

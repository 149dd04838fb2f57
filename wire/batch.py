"""The answer of polling and long-polling: all messages after a cursor, in one JSON object.

``{"messages":[...],"cursor":"...","gap":false}``: the client gives ``cursor`` back with its next
request. Batching is what makes slow polling cheap (many messages, one head).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from wire.errors import MessageError
from wire.message import Gap, Message, dump_json, load_json, message_from


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages after some cursor, the ``cursor`` after them, and whether some are missing."""

    messages: tuple[Message, ...]
    cursor: str
    gap: bool = False


def encode_batch(encoded_messages: Iterable[bytes], cursor: str, gap: bool = False) -> bytes:
    """Join messages that are JSON already (each was encoded once) into one batch."""
    return b'{"messages":[%b],"cursor":%b,"gap":%b}' % (
        b",".join(encoded_messages),
        dump_json(cursor),
        b"true" if gap else b"false",
    )


def decode_batch(data: bytes | str) -> Batch:
    """Read a batch.

    Raises :class:`~wire.errors.MessageError`.
    """
    fields = load_json(data)
    messages = fields.get("messages")
    cursor = fields.get("cursor")
    if not isinstance(messages, list) or not isinstance(cursor, str):
        raise MessageError('a batch needs "messages" (a list) and "cursor" (a string)')
    decoded = [message_from(item) for item in messages if isinstance(item, dict)]
    kept = tuple(item for item in decoded if not isinstance(item, Gap))
    if len(kept) != len(messages):
        raise MessageError("a batch holds messages only; a gap is its own field")
    return Batch(kept, cursor, fields.get("gap") is True)

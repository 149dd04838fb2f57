"""Decoding each message once, however many clients of this process receive it.

A load generator holds thousands of clients of one channel, and all receive the same bytes. A
decoded message is frozen, so they can share it: what is left for each client is a look-up.
"""

from functools import lru_cache

from wire.batch import Batch, decode_batch
from wire.message import Gap, Message, decode_message

_LONGEST = 4096  # bytes; remembering a few hundred of these stays within some megabytes

_known_message = lru_cache(maxsize=512)(decode_message)
_known_batch = lru_cache(maxsize=512)(decode_batch)


def message(json: bytes | str) -> Message | Gap:
    """Read the JSON of a message or of a gap notice.

    Raises :class:`~wire.errors.MessageError`.
    """
    return _known_message(json) if len(json) <= _LONGEST else decode_message(json)


def batch(json: bytes) -> Batch:
    """Read a batch.

    Raises :class:`~wire.errors.MessageError`.
    """
    return _known_batch(json) if len(json) <= _LONGEST else decode_batch(json)

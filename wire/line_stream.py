r"""JSON values ended by line feeds, in an answer that is read while it comes.

Called NDJSON or JSON Lines, ``application/x-ndjson``. JSON written on one line holds no line feed
(inside of text it is ``\n``), so the one byte ends a value; a carriage return before it is white
space. An empty line is no value: with one such a stream begins, and one is its sign of life.
"""

from collections.abc import Callable

from wire.json_lines import JsonLinesDecoder
from wire.message import Gap, Message, decode_message

CONTENT_TYPE = "application/x-ndjson"
END = b"\n"
HEARTBEAT = END


def encode_line(json: bytes) -> bytes:
    """End one JSON value.

    Raises :class:`ValueError` where a line end would break the value apart.
    """
    if END in json:
        raise ValueError("a value is one line, which JSON without spaces always is")
    return json + END


class LineStreamDecoder:
    """Reads the messages of a stream of lines; what is unfinished at its end is discarded.

    Raises :class:`~wire.errors.MessageError` for a line that is no message of ours, or grows past
    ``limit`` bytes. ``read`` makes a message of a line; a caller with many decoders may give one
    that remembers.
    """

    def __init__(
        self, limit: int = 16 * 2**20, read: Callable[[bytes], Message | Gap] = decode_message
    ) -> None:
        self._lines = JsonLinesDecoder(limit, END)
        self._decode_message = read

    def decode(self, chunk: bytes) -> list[Message | Gap]:
        """Take what arrived; return the messages and gap notices that it completed."""
        return [self._decode_message(line) for line in self._lines.decode(chunk) if line.strip()]

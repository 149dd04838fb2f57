"""Server-Sent Events, to the letter of WHATWG HTML 9.2 (server-sent events).

An event is a few ``field: value`` lines and an empty line. Text only, always UTF-8; lines end
with CR, LF or CRLF; a line that begins with a colon is a comment, which is what a heartbeat is.
"""

import codecs
import re
from dataclasses import dataclass

from wire.errors import MessageError

CONTENT_TYPE = "text/event-stream"
HEARTBEAT = b":\n\n"
# No clock counts so many milliseconds, and int() itself refuses very long numbers.
_RETRY = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event: ``last_event_id`` is what a reconnecting client gives back."""

    data: str
    type: str = "message"
    last_event_id: str = ""


def encode_event(data: bytes, event_id: str = "", event_type: str = "") -> bytes:
    """Write one event of one line of ``data``, which JSON always is.

    Raises :class:`ValueError` where a line end would break the event apart.
    """
    words = event_id + event_type
    if b"\n" in data or b"\r" in data or "\n" in words or "\r" in words or "\0" in event_id:
        raise ValueError("an event's data, id and type are one line each; an id has no NUL")
    head = f"id: {event_id}\n" if event_id else ""
    if event_type:
        head += f"event: {event_type}\n"
    return b"%bdata: %b\n\n" % (head.encode(), data)


def encode_retry(milliseconds: int) -> bytes:
    """Tell the client how long to wait before it reconnects."""
    return b"retry: %d\n\n" % milliseconds


class EventStreamDecoder:
    """Interprets an event stream as a browser does.

    ``last_event_id`` is what to send as ``Last-Event-ID`` on reconnecting; ``retry_ms`` is the
    server's wish for the waiting time, or ``None``. An unfinished event at the end of the stream
    is discarded, as the standard asks, so there is nothing to flush. Raises
    :class:`~wire.errors.MessageError` when one event grows past ``limit`` characters.
    """

    def __init__(self, limit: int = 16 * 2**20) -> None:
        self._limit = limit
        self.last_event_id = ""
        self.retry_ms: int | None = None
        # One leading byte order mark is dropped; bytes that are not UTF-8 become U+FFFD.
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._rest: list[str] = []  # of the line that has not ended yet
        self._rest_size = 0
        self._after_cr = False
        self._data: list[str] = []
        self._data_size = 0
        self._type = ""
        self._id = ""

    def decode(self, chunk: bytes) -> list[Event]:
        """Take what arrived; return the events that it completed."""
        text = self._utf8.decode(chunk)
        if not text:
            return []
        if self._at_start:
            text = text.removeprefix("\ufeff")
            self._at_start = False
        if self._after_cr:
            # The line ended at the CR already; its LF, should one follow, belongs to it.
            text = text.removeprefix("\n")
            self._after_cr = False
        if "\r" in text:
            self._after_cr = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        rest = lines.pop()
        events = []
        if lines:
            if self._rest:
                lines[0] = "".join(self._rest) + lines[0]
                self._rest.clear()
                self._rest_size = 0
            for line in lines:
                if line:
                    self._interpret(line)
                elif (event := self._dispatch()) is not None:
                    events.append(event)
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
        if self._data_size + self._rest_size > self._limit:
            raise MessageError(f"an event of more than {self._limit} characters")
        return events

    def _interpret(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._data_size += len(value) + 1  # and the line feed that will join them
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and _RETRY.fullmatch(value):
            self.retry_ms = int(value)

    def _dispatch(self) -> Event | None:
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data, self._data_size, self._type = [], 0, ""
        if not data:
            return None
        return Event("\n".join(data), kind or "message", self.last_event_id)

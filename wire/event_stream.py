"""Server-Sent Events, to the letter of WHATWG HTML 9.2 (server-sent events).

An event is a few ``field: value`` lines and an empty line. Text only, always UTF-8; lines end
with CR, LF or CRLF; a line that begins with a colon is a comment, which is what a heartbeat is.
"""

import codecs
import re
from dataclasses import dataclass

CONTENT_TYPE = "text/event-stream"
HEARTBEAT = b":\n\n"
# CR, LF or CRLF. A CR at the very end may be half of a CRLF; see EventStreamDecoder.
_LINE_END = re.compile(r"\r\n|\n|\r")


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
    head = f"id: {event_id}\n" if event_id else ""
    if event_type:
        head += f"event: {event_type}\n"
    if b"\n" in data or b"\r" in data or "\r" in head or "\0" in event_id:
        raise ValueError("an event's data and id are one line each")
    return b"%bdata: %b\n\n" % (head.encode(), data)


def encode_retry(milliseconds: int) -> bytes:
    """Tell the client how long to wait before it reconnects."""
    return b"retry: %d\n\n" % milliseconds


class EventStreamDecoder:
    """Interprets an event stream as a browser does.

    ``last_event_id`` is what to send as ``Last-Event-ID`` on reconnecting; ``retry_ms`` is the
    server's wish for the waiting time, or ``None``. An unfinished event at the end of the stream
    is discarded, as the standard asks, so there is nothing to flush.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry_ms: int | None = None
        # One leading byte order mark is dropped; bytes that are not UTF-8 become U+FFFD.
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._rest: list[str] = []
        self._after_cr = False
        self._data: list[str] = []
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
        self._after_cr = text.endswith("\r")
        lines = _LINE_END.split(text)
        if len(lines) == 1:
            self._rest.append(text)
            return []
        lines[0] = "".join(self._rest) + lines[0]
        self._rest = [lines.pop()]
        events = (self._interpret(line) for line in lines)
        return [event for event in events if event is not None]

    def _interpret(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> Event | None:
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data, self._type = [], ""
        if not data:
            return None
        return Event("\n".join(data), kind or "message", self.last_event_id)

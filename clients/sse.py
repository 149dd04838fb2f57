"""Server-Sent Events: one answer that never ends, made of small text events (WHATWG HTML, 9.2).

The browser's EventSource does by itself what the older techniques had to program: it reconnects
after the time that the server wished (``retry:``) and says which event it saw last
(``Last-Event-ID``). So does this client.
"""

from collections.abc import Sequence

from clients.client import Item
from clients.kinds.http_client import HttpClient
from clients.net import decoding
from wire.event_stream import CONTENT_TYPE, EventStreamDecoder


class SseClient(HttpClient):
    """Reads the event stream; an event's id is the cursor behind it."""

    __slots__ = ("_decoder",)
    technique = "sse"

    def _open(self) -> None:
        fields = [("Accept", CONTENT_TYPE)]
        if self._cursor is not None:
            fields.append(("Last-Event-ID", self._cursor))
        target = self.address.target("/sse", channel=self.channel, name=self.name)
        self._open_stream(target, CONTENT_TYPE, tuple(fields))
        self._decoder = EventStreamDecoder()

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        pieces = self._stream_pieces(deadline)
        if pieces is None:
            return None
        events = self._decoder.decode(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if self._decoder.retry_ms is not None:
            self._reconnecting.server_wait_s = self._decoder.retry_ms / 1000
        if not events:
            return ()
        items = [decoding.message(event.data) for event in events]
        self.arrived_ns = self._down.arrived_ns
        self._cursor = events[-1].last_event_id or self._cursor  # not before all could be read
        return items

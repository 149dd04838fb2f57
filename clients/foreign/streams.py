"""Answers that do not end, from a server that is not ours: event streams, and any other."""

import codecs
from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.errors import UnexpectedAnswerError
from clients.foreign.finding import Finder
from clients.foreign.peer_file import Subscribe
from clients.kinds.http_client import HttpClient
from clients.options import Options
from wire.event_stream import CONTENT_TYPE, EventStreamDecoder

_LONGEST = 16 * 2**20  # characters between two ends of messages


class ForeignEvents(HttpClient):
    """Reads an event stream; the text is in an event's data.

    As a browser's EventSource does, it says which event it saw last when it comes again
    (``Last-Event-ID``), and comes after the time that the server wished (``retry:``).
    """

    __slots__ = ("_decoder", "_last_event_id", "finder", "how")
    technique = "sse"

    def __init__(self, url: str, how: Subscribe, **options: Unpack[Options]) -> None:
        self.how = how
        self.finder = Finder(how.place, how.split)
        self._last_event_id = ""
        super().__init__(url, **options)

    def _open(self) -> None:
        target = self.address.target(self.how.path)
        fields = [("Accept", CONTENT_TYPE), *self.how.headers]
        if self._last_event_id:
            fields.append(("Last-Event-ID", self._last_event_id))
        self._open_stream(target, CONTENT_TYPE, tuple(fields))
        self._decoder = EventStreamDecoder()

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if (pieces := self._stream_pieces(deadline)) is None:
            return None
        events = self._decoder.decode(b"".join(pieces))
        if self._decoder.retry_ms is not None:
            self._reconnecting.server_wait_s = self._decoder.retry_ms / 1000
        self._last_event_id = self._decoder.last_event_id or self._last_event_id
        self.arrived_ns = self._down.arrived_ns
        return [message for event in events for message in self.finder.find(event.data)]


class ForeignStream(HttpClient):
    """Reads an answer that never ends; ``split`` ends each message in it."""

    __slots__ = ("_rest", "_utf8", "finder", "how")
    technique = "stream"

    def __init__(self, url: str, how: Subscribe, **options: Unpack[Options]) -> None:
        self.how = how
        self.finder = Finder(how.place)
        super().__init__(url, **options)

    def _open(self) -> None:
        self._open_stream(self.address.target(self.how.path), "", self.how.headers)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if (pieces := self._stream_pieces(deadline)) is None:
            return None
        *whole, self._rest = (self._rest + self._utf8.decode(b"".join(pieces))).split(
            self.how.split
        )
        if len(self._rest) > _LONGEST:
            raise UnexpectedAnswerError(
                f"{len(self._rest):,} characters without {self.how.split!r}, which ends a message"
            )
        self.arrived_ns = self._down.arrived_ns
        return [message for piece in whole for message in self.finder.find(piece)]

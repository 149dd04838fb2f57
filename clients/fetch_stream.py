"""Fetch streaming: one answer that is read while it comes, a line of JSON for each message.

In a browser it is ``fetch()`` and the ReadableStream of its body. One request may carry a question
up and the stream down; closing it ends both. What EventSource does by itself is left to the script:
to ask again after a break, with the cursor of what it saw last. So does this client.
"""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.errors import RefusedError
from clients.kinds.http_client import HttpClient, plain_body
from clients.net import decoding
from clients.options import Options
from wire.line_stream import CONTENT_TYPE, LineStreamDecoder
from wire.message import Body


class FetchStreamClient(HttpClient):
    """Reads the lines; a ``question`` is published by the request that they answer.

    After a break the question is not asked again, as nobody knows whether it was heard.
    """

    __slots__ = ("_decoder", "_question")
    technique = "fetch_stream"

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        question: Body | None = None,
        **options: Unpack[Options],
    ) -> None:
        self._question = question
        super().__init__(url, channel, **options)

    def _open(self) -> None:
        question, self._question = self._question, None
        fields = (("Accept", CONTENT_TYPE),)
        sender = None if question is None else self.name
        target = self.address.target(
            "/fetch_stream", channel=self.channel, after=self._cursor, name=self.name, sender=sender
        )
        if question is None:
            self._open_stream(target, CONTENT_TYPE, fields)
        else:
            body, kind = plain_body(question)
            try:
                self._open_stream(target, CONTENT_TYPE, (*fields, *kind), body)
            except RefusedError:
                self._question = question  # of what is refused nothing was done
                raise
        self._decoder = LineStreamDecoder(read=decoding.message)

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        pieces = self._stream_pieces(deadline)
        if pieces is None:
            return None
        items = self._decoder.decode(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        return self._follow(items, self._down.arrived_ns)

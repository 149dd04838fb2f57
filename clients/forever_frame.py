"""The forever frame: a page in a hidden iframe that never finishes loading.

Each message is a ``<script>`` that the browser runs as soon as it has read it. Here no browser is
needed: the calls are read out of the page.
"""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.kinds.http_client import HttpClient
from clients.net import decoding
from clients.options import Options, check_whole
from wire.script_stream import ScriptStreamDecoder


class ForeverFrameClient(HttpClient):
    """Reads the endless page; ``padding`` asks for that many bytes of comment before it."""

    __slots__ = ("_decoder", "padding")
    technique = "forever_frame"

    def __init__(
        self, url: str, channel: str = "lobby", *, padding: int = 0, **options: Unpack[Options]
    ) -> None:
        self.padding = check_whole("padding", padding, 0, 65536)
        super().__init__(url, channel, **options)

    def _open(self) -> None:
        target = self.address.target(
            "/forever_frame",
            channel=self.channel,
            after=self._cursor,
            name=self.name,
            padding=self.padding or None,
        )
        self._open_stream(target, "text/html")
        self._decoder = ScriptStreamDecoder(read=decoding.message)

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        pieces = self._stream_pieces(deadline)
        if pieces is None:
            return None
        items = self._decoder.decode(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        return self._follow(items, self._down.arrived_ns)

"""The plugin socket: a raw TCP connection that a browser's plugin opened beside the page.

Java's LiveConnect, Flash's XMLSocket, Silverlight: each gave scripts a socket. It needs a port of
its own, often behind a firewall, and end marks, because TCP knows no messages.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from clients.client import Client, Item
from clients.errors import ConnectionLostError, UnexpectedAnswerError, refusal_in, refused_for
from clients.net import decoding
from clients.net.address import parse_address
from clients.net.connecting import connect
from clients.net.connection import Connection
from clients.net.uploads import encode_upload
from clients.options import LONGEST_PORT, Options, Receipt, check_whole
from wire.json_lines import JsonLinesDecoder, encode_line
from wire.message import Body, dump_json, load_json

_CLOSING_S = 1.0  # how long to wait for the server's end


class PluginSocketClient(Client):
    """Speaks NUL-terminated JSON with ``plugin_port``, which is by default the page's port + 1.

    ``dial``, where given, is the way to that port. A line that the server refuses is told by
    the next ``receive``, for nothing answers a line by itself.
    """

    __slots__ = ("_decoder", "_lines", "_link", "plugin_port")
    technique = "plugin_socket"

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        plugin_port: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        port = parse_address(url).port + 1 if plugin_port is None else plugin_port
        self.plugin_port = check_whole("plugin_port", port, 1, LONGEST_PORT)
        self._link: Connection | None = None
        super().__init__(url, channel, **options)

    @property
    def requests(self) -> int:
        """No HTTP here, so no requests."""
        return 0

    def _open(self) -> None:
        address = replace(self.address, port=self.plugin_port).tunnelled()
        link = self._link = connect(address, self._traffic, self._timeout)
        hello = {"channel": self.channel, "cursor": self._cursor, "name": self.name}
        first = {name: value for name, value in hello.items() if value is not None}
        link.send(encode_line(dump_json(first)), self._timeout)
        self._decoder = JsonLinesDecoder()
        self._lines: list[bytes] = []
        limit = self._limit()
        while not self._lines:
            if not self._read_lines(link, limit):
                raise ConnectionLostError(f"the server said nothing for {self._timeout:g} s")
        answer = load_json(self._lines.pop(0))
        if "problem" in answer:
            raise refused_for(answer["problem"])
        if not isinstance(answer.get("cursor"), str):
            raise UnexpectedAnswerError('the first line should be {"channel","cursor"}')
        self._cursor = answer["cursor"]

    def _read_lines(self, link: Connection, deadline: float | None) -> bool:
        data = link.receive(deadline)
        if data is None:
            return False
        if not data:
            raise ConnectionLostError("the server closed the connection")
        self._lines += filter(None, self._decoder.decode(data))  # an empty one is a heartbeat
        return True

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        link = self._link
        if link is None:
            raise ConnectionLostError("the connection was closed")
        if not self._lines and not self._read_lines(link, deadline):
            return None
        lines, self._lines = self._lines, []
        items = []
        for line in lines:
            if refusal := refusal_in(line):
                self._failure = refusal
            else:
                items.append(decoding.message(line))
        return self._follow(items, link.arrived_ns)

    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        """Send one line; nothing comes back but the message itself, as to every subscriber."""
        link = self._link
        if link is None:
            raise ConnectionLostError("there is no connection now; receiving makes it again")
        link.send(encode_line(encode_upload(body, sender or self.name, sent_ns)), self._timeout)
        return None

    def _shut(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.finish(_CLOSING_S)

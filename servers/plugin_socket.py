"""The plugin socket: raw TCP on a port of its own, as Flash and Silverlight opened beside a page.

A raw socket has no message boundaries, no addresses and no error codes; all three are made by hand:
values are JSON ended by a NUL byte (Flash's XMLSocket), the first lines name channel and cursor, a
wrong line is answered by a problem. Before Flash connected, it asked there for a policy file.

    <policy-file-request/>\\0                       the policy file, and the end
    {"channel":"lobby","cursor":"..."}\\0            {"channel":"lobby","cursor":"..."}\\0, messages
    {"text":"hola","sender":"ana","sent_ns":1}\\0    publishes
"""

import asyncio
import time
from collections import deque
from typing import Any

from servers.front.bodies import load_order
from servers.front.handover import FULL, Refusal
from servers.front.problems import Problem, problem_of
from servers.front.query import check_name
from servers.kinds.streams import Framing
from servers.kinds.two_way import TwoWay
from servers.publish import most_json, publish_fields
from servers.service import Service
from wire.cursor import DEFAULT_CHANNEL, check_channel, parse_cursor
from wire.errors import MessageError, WireError
from wire.json_lines import END, POLICY_REQUEST, JsonLinesDecoder, encode_line, encode_policy
from wire.message import dump_json

_FIRST_LINE_SECONDS = 10.0  # whoever takes longer is an attack or a broken line
FRAMING = Framing(
    slug="plugin_socket",
    key="plugin_socket",
    message=lambda cursor, json: encode_line(json),
    gap=lambda cursor, json: encode_line(json),
    heartbeat=END,  # an empty line
)


class PluginSocket(TwoWay):
    """One plugin's connection."""

    __slots__ = ("_lines", "_since", "_waiting")

    def __init__(self, service: Service) -> None:
        super().__init__(service, FRAMING, channel=None, head=b"")
        self._since = time.monotonic()
        self._lines = JsonLinesDecoder(most_json(service))
        self._waiting: deque[bytes] = deque()  # lines that are not acted on yet

    def data_received(self, data: bytes) -> None:
        """Act on the lines that are complete."""
        self.row.bytes_up += len(data)
        try:
            lines = self._lines.decode(data)
        except MessageError as error:
            return self.give_up(Problem(413, str(error)))
        self.hold(self._lines.waiting, bool(lines))
        self._waiting += lines
        self.go_on()

    def go_on(self) -> None:
        while self._waiting and self.may_go_on():
            line = self._waiting.popleft()
            if line == POLICY_REQUEST:
                self.write(encode_policy(self.transport.get_extra_info("sockname")[1]))
                self.finish()
            elif line:  # an empty line is the client's sign of life
                self._take(line)

    def check(self) -> None:
        """End the connection also if it never said what it wants."""
        super().check()
        if self.feed is None and time.monotonic() - self._since > _FIRST_LINE_SECONDS:
            self.transport.abort()

    def _take(self, line: bytes) -> None:
        try:
            fields = load_order(line)
            if self._channel is None:
                self._open(fields)
            else:
                to = self._service, FRAMING.slug, self._channel
                self.see_kept(publish_fields(*to, fields, self._name))
        except (Problem, WireError) as error:
            self.complain(error if isinstance(error, Problem) else problem_of(error))

    def _open(self, fields: dict[str, Any]) -> None:
        cursor = fields.get("cursor") or fields.get("after")
        name = check_channel(str(fields.get("channel") or DEFAULT_CHANNEL))
        self._name = check_name(fields.get("name", ""))
        self.open(name, parse_cursor(str(cursor)) if cursor else None)

    def on_open(self, name: str, cursor: str) -> None:
        self.write(encode_line(dump_json({"channel": name, "cursor": cursor})))

    def complain(self, problem: Problem) -> None:
        """Tell what was wrong; whoever said nothing right yet, or does not read it, must go."""
        self.write(encode_line(problem.in_band()))
        if self.feed is None or not self.is_writable():
            self.finish()


def protocol(service: Service) -> asyncio.Protocol:
    """Make the protocol of one connection, or of its refusal where descriptors have run out."""
    if service.ledger.sockets >= service.settings.most_sockets:
        return Refusal(service.ledger, encode_line(FULL.in_band()))
    return PluginSocket(service)

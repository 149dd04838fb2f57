"""A line to the server itself, past any relay: publishes, and reads the ledger."""

import time
from typing import Any

from clients.errors import ClientError, UnexpectedAnswerError, refused
from clients.net.address import parse_address
from clients.net.headers import make_headers
from clients.net.http import HttpConnection
from clients.net.traffic import Traffic
from loadtests.measures.measure import Flow
from wire.errors import WireError
from wire.message import dump_json, load_json

TIMEOUT_S = 10.0


class ServerLine:
    """One kept HTTP connection to the server itself: publishes, and asks where a channel is."""

    def __init__(self, url: str, channel: str) -> None:
        self.traffic = Traffic()
        self.text_bytes = 0
        address = parse_address(url)
        self._http = HttpConnection(address, self.traffic, make_headers("lean", address), TIMEOUT_S)
        self._publish = address.target("/publish", channel=channel)
        self._stats = address.target("/stats")
        self._channel = channel

    def publish(self, text: str, sender: str, sent_ns: int) -> str:
        """Publish one text and return the cursor after it. Raises ``ClientError``."""
        body = dump_json({"text": text, "sender": sender, "sent_ns": sent_ns})
        self.text_bytes += len(text.encode())
        fields = (("Content-Type", "application/json"),)
        answer = self._ask("POST", self._publish, 201, body, fields)
        return str(load_json(answer)["cursor"])

    def cursor(self) -> str:
        """Return the channel's cursor of now, empty if there is no such channel.

        Raises ``ClientError``.
        """
        channels = self.stats().get("channels", {})
        return str(channels.get(self._channel, {}).get("cursor", ""))

    def stats(self) -> dict[str, Any]:
        """Return the server's ledger. Raises ``ClientError``."""
        return load_json(self._ask("GET", self._stats, 200))

    def flow(self) -> Flow:
        """Return what publishing has cost so far."""
        flow = Flow(message_bytes_up=self.text_bytes, connections=self.traffic.connections)
        flow.count(self.traffic.tcp_info(), self.traffic.bytes_down, self.traffic.bytes_up)
        return flow

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _ask(
        self,
        method: str,
        target: str,
        expected: int,
        body: bytes = b"",
        fields: tuple[tuple[str, str], ...] = (),
    ) -> bytes:
        try:
            self._http.ask(method, target, body, fields)
            answer = self._http.answer(time.monotonic() + TIMEOUT_S)
        except (ClientError, WireError) as error:
            self._http.close()
            raise (
                error if isinstance(error, ClientError) else UnexpectedAnswerError(str(error))
            ) from error
        if answer is None:
            self._http.close()
            raise UnexpectedAnswerError(f"{method} {target}: no answer within {TIMEOUT_S:g} s")
        if answer.head.status != expected:
            raise refused(answer.head, answer.body)
        return answer.body

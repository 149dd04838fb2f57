"""A line to the server itself, past any relay: publishes, and asks where a channel is."""

from clients.net.desk import Desk
from loadtests.measures.measure import Flow
from wire.message import dump_json, load_json


class ServerLine(Desk):
    """One kept HTTP connection to the server itself, and to one channel there."""

    def __init__(self, url: str, channel: str) -> None:
        super().__init__(url)
        self.text_bytes = 0
        self._publish = self.address.target("/publish", channel=channel)
        self._channel = channel

    def publish(self, text: str, sender: str, sent_ns: int) -> str:
        """Publish one text and return the cursor after it. Raises ``ClientError``."""
        body = dump_json({"text": text, "sender": sender, "sent_ns": sent_ns})
        self.text_bytes += len(text.encode())
        fields = (("Content-Type", "application/json"),)
        answer = self.ask("POST", self._publish, 201, body, fields)
        return str(load_json(answer)["cursor"])

    def cursor(self) -> str:
        """Return the channel's cursor of now, empty if there is no such channel.

        Raises ``ClientError``.
        """
        channels = self.stats().get("channels", {})
        return str(channels.get(self._channel, {}).get("cursor", ""))

    def flow(self) -> Flow:
        """Return what publishing has cost so far."""
        flow = Flow(message_bytes_up=self.text_bytes, connections=self.traffic.connections)
        traffic = self.traffic
        flow.count(traffic.tcp_info(), traffic.bytes_down, traffic.bytes_up, traffic.tls())
        return flow

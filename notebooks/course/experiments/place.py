"""Where an experiment happens, and what all of them need there."""

import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import clients
from clients.client import Client
from clients.net.desk import Desk
from wire.techniques import OWN_PORT


@dataclass(frozen=True, slots=True)
class Place:
    """A server at ``server_url``; ``url`` and ``plugin_port`` lead there, through a relay or not.

    ``door`` is the relay's control address, empty without a relay.
    """

    server_url: str
    url: str
    plugin_port: int
    door: str = ""

    def open(self, technique: str, channel: str, **options: Any) -> Client:
        """Subscribe by a technique, through the relay if there is one."""
        if technique in OWN_PORT:
            options.setdefault("plugin_port", self.plugin_port)
        return clients.open(technique, self.url, channel, **options)

    def sender(self, channel: str) -> Client:
        """Return a client beside the relay, to publish with: its POST connection is kept."""
        return clients.open("polling", self.server_url, channel)

    def stats(self) -> dict[str, Any]:
        """Read the server's ledger."""
        with Desk(self.server_url) as desk:
            return desk.stats()

    def order(self, path: str, **members: Any) -> Any:
        """Give the relay an order, see :mod:`servers.relay.control`'s list."""
        body = json.dumps(members).encode() if members or path != "state" else None
        with urlopen(Request(f"{self.door}/{path}", data=body), timeout=5) as answer:
            return json.load(answer)

    def trace(self, after: int = 0, relay: int = 0) -> list[dict[str, Any]]:
        """Read what passed the relay."""
        with urlopen(f"{self.door}/trace?relay={relay}&after={after}", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["events"]
            return found


def fresh_channel(prefix: str) -> str:
    """Return a channel name that nobody used before."""
    return f"{prefix}.{os.getpid()}.{time.monotonic_ns() % 10**9}"


def sleep_to(moment: float) -> None:
    """Sleep until ``moment`` in monotonic seconds."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)

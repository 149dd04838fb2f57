"""Where an experiment happens, and what all of them need there."""

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.request import Request, urlopen

import clients
from clients.client import Client
from clients.net.desk import Desk
from wire.techniques import OWN_PORT

_TELL_S = 0.3


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


class Teller:
    """Tells, some times a second, what an experiment has measured so far.

    ``rows`` are lists that grow, by technique. Use it in a ``with`` block.
    """

    def __init__(self, rows: Mapping[str, list[float]]) -> None:
        self._rows, self._told = rows, dict.fromkeys(rows, 0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_TELL_S):
            new = {name: row[self._told[name] :] for name, row in self._rows.items()}
            self._told = {name: self._told[name] + len(row) for name, row in new.items()}
            if any(new.values()):
                print(f"dots {json.dumps(new)}", flush=True)


def fresh_channel(prefix: str) -> str:
    """Return a channel name that nobody used before."""
    return f"{prefix}.{os.getpid()}.{time.monotonic_ns() % 10**9}"


def sleep_to(moment: float) -> None:
    """Sleep until ``moment`` in monotonic seconds."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)

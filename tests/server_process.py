"""A server somewhere or in a process of its own, a relay in a thread, and waiting for the truth."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil

from servers.relay.relay import Link, Relay
from wire.ready_line import decode_ready_lines
from wire.techniques import OWN_PORT

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")
PATIENCE_S = 30.0  # for what must come true; only a failing test waits that long


def eventually(check: Callable[[], T], what: str) -> T:
    """Ask until the answer is a true one, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := check()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s in vain for: {what}"
        time.sleep(0.01)
    return found


class ServerAddress:
    """A server that listens somewhere: ``url`` of its pages, and the port of its plugin socket.

    ``without`` names the techniques that it has not.
    """

    def __init__(self, url: str, plugin_port: int, without: Collection[str] = ()) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self.host = parts.hostname or ""
        self.port = parts.port or 80
        self.plugin_port = plugin_port
        self.without = frozenset(without)

    def port_of(self, slug: str) -> int:
        return self.plugin_port if slug in OWN_PORT else self.port

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/stats", timeout=PATIENCE_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def descriptors(self) -> int:
        """How many descriptors it has open, as far as one can see from here."""
        return int(self.stats()["process"]["open_sockets"])


class ServerProcess(ServerAddress):
    """`python -m servers` on free ports, or another ``module`` that starts them."""

    module = "servers"
    python: Sequence[str] = (sys.executable,)
    folder = ROOT
    environment: Mapping[str, str] | None = None

    def __init__(self, *arguments: str) -> None:
        command = [*self.python, "-m", self.module, "--port", "0", "--plugin-port", "0"]
        self.child = subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        lines = decode_ready_lines(said, "servers")
        if not lines:
            self.stop()
            raise AssertionError(f"the server said {said!r} and ended")
        super().__init__(lines[0].url, lines[0].plugin_port)
        self.process = psutil.Process(self.child.pid)

    def descriptors(self) -> int:
        return int(self.process.num_fds())

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def stop(self) -> int:
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise
        finally:
            assert self.child.stdout is not None
            self.child.stdout.close()


class RelayThread:
    """A relay whose loop runs in a thread, so that blocking clients can be tested through it."""

    def __init__(self, to_port: int, link: Link | None = None, to_host: str = "127.0.0.1") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._relay = self.do(lambda: Relay(to_host, to_port, link=link))
        asyncio.run_coroutine_threadsafe(self._relay.start(), self._loop).result(PATIENCE_S)
        self.port = self._relay.port
        self.dial = ("127.0.0.1", self.port)

    def do(self, action: Callable[[], T]) -> T:
        async def act() -> T:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(PATIENCE_S)

    def cut(self, *, reset: bool = True) -> int:
        return self.do(lambda: self._relay.cut(reset=reset))

    def cut_after(self, down_bytes: int) -> None:
        self.do(lambda: self._relay.cut_after(down_bytes))

    def set_down(self, down: bool) -> None:
        """Cut the line and refuse new connections, or let them through again."""

        def change() -> None:
            self._relay.link = Link(down=down)
            if down:
                self._relay.cut()

        self.do(change)

    def counts(self) -> tuple[int, int]:
        """Payload bytes that passed so far, up and down."""
        now = self.do(lambda: self._relay.connections)
        return now.bytes_up, now.bytes_down

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._relay.stop(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


@contextmanager
def relaying(
    to_port: int, link: Link | None = None, to_host: str = "127.0.0.1"
) -> Iterator[RelayThread]:
    relay = RelayThread(to_port, link, to_host)
    try:
        yield relay
    finally:
        relay.stop()

"""A relay in a thread, between blocking clients and a server."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from servers.relay.relay import Link, Relay
from tests.support.waiting import PATIENCE_S

T = TypeVar("T")


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

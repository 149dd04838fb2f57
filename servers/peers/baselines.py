"""What the server core is held against: the same messages by the usual means.

Each baseline serves one way of bringing messages down, and takes messages up as JSON lines ended
by NUL on its second port, as our plugin socket does, so that publishing costs all of them alike.

    send_str    aiohttp's WebSocketResponse, ``await ws.send_str(text)`` for one after the other
    broadcast   ``websockets.broadcast``
    bare        asyncio streams of pre-framed bytes: one ``transport.write`` per message and socket
    bare_tls    the same by TLS, with ``--cert``: one ``SSLSocket.send`` per message and socket
    writing     tokens to whoever asks, by a timer and a ``transport.write`` of a line for each
    plain       aiohttp handlers for polling and long-polling: a future is parked, and
                ``web.json_response`` answers; its SSE and WebSocket handlers hold idle connections

``python -m servers.peers.baselines NAME`` prints ``baseline ready PORT LINES_PORT``.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import ssl
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from wire.json_lines import JsonLinesDecoder
from wire.ready_line import ReadyLine, encode_ready_line
from wire.techniques import TECHNIQUES, Delivery
from wire.web_socket_frames import Opcode, encode_frame

Publish = Callable[[str], None]


def encode(number: int, line: bytes) -> str:
    """Stamp a published line and write the message as our server would."""
    fields = json.loads(line)
    message = {
        "id": number,
        "sender": fields.get("sender", ""),
        "sent_ns": fields.get("sent_ns", 0),
        "published_ns": time.monotonic_ns(),
        "text": fields["text"],
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


class Lines(asyncio.Protocol):
    """Takes messages up: every line is published."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._decoder = JsonLinesDecoder()
        self._number = 0

    def data_received(self, data: bytes) -> None:
        """Publish what came."""
        for line in self._decoder.decode(data):
            self._number += 1
            self._publish(encode(self._number, line))


async def send_str() -> tuple[int, Publish]:
    """Serve WebSockets by aiohttp, sending to each in turn."""
    sockets: set[web.WebSocketResponse] = set()
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def handler(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.add(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            sockets.discard(socket)
        return socket

    async def pump() -> None:
        while True:
            text = await queue.get()
            for one in list(sockets):
                await one.send_str(text)

    asyncio.get_running_loop().pump = asyncio.create_task(pump())  # type: ignore[attr-defined]
    return await serve_app([web.get("/web_socket", handler)]), queue.put_nowait


async def broadcast() -> tuple[int, Publish]:
    """Serve WebSockets by ``websockets``."""
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.asyncio.server import broadcast as send_all

    connections: set[ServerConnection] = set()

    async def handler(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    server = await serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None)
    port = next(iter(server.sockets)).getsockname()[1]
    return port, lambda text: send_all(connections, text)


async def bare() -> tuple[int, Publish]:
    """Write pre-framed bytes to bare transports; any greeting is answered by an empty head."""
    transports: list[asyncio.Transport] = []

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport: Any = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            transports.append(self.transport)

        def connection_lost(self, exc: Exception | None) -> None:
            if self.transport in transports:
                transports.remove(self.transport)

    def publish(text: str) -> None:
        frame = encode_frame(Opcode.TEXT, text.encode())
        for transport in transports:
            transport.write(frame)

    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=4096)
    return server.sockets[0].getsockname()[1], publish


async def bare_tls(cert: Path) -> tuple[int, Publish]:
    """Encrypt and send pre-framed bytes; any greeting is answered by an empty head."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    sockets: list[ssl.SSLSocket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            one = context.wrap_socket(listening.accept()[0], server_side=True)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.recv(4096)
            one.send(b"HTTP/1.1 200 OK\r\n\r\n")
            one.setblocking(False)
            sockets.append(one)

    def publish(text: str) -> None:
        frame = encode_frame(Opcode.TEXT, text.encode())
        for one in sockets:
            with contextlib.suppress(OSError):  # it has left, or does not read
                one.send(frame)

    asyncio.get_running_loop().add_reader(listening, accept)
    return listening.getsockname()[1], publish


async def writing() -> tuple[int, Publish]:
    """Answer each POST by tokens at the times that our server would write them."""
    loop = asyncio.get_running_loop()

    class Writing(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport: Any = transport

        def data_received(self, data: bytes) -> None:
            asked = json.loads(data[data.index(b"\r\n\r\n") :])["answer"]
            self.left, self.rate = asked["tokens"], asked["per_second"]
            self.chance = random.Random(asked["seed"])
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n\n")
            self.due = time.monotonic() + 0.3
            loop.call_later(0.3, self.write)

        def write(self) -> None:
            """Write all that is due."""
            while self.due <= (now := time.monotonic()):
                line = encode(self.left, b'{"text":"word","sent_ns":%d}' % int(self.due * 1e9))
                self.transport.write(line.encode() + b"\n")
                self.left -= 1
                if not self.left:
                    return
                self.due += self.chance.uniform(0.5, 1.5) / self.rate
            loop.call_later(self.due - now + 0.0005, self.write)  # timers are rounded to ms

    server = await loop.create_server(Writing, "127.0.0.1", 0, backlog=4096)
    return server.sockets[0].getsockname()[1], lambda text: None


async def plain() -> tuple[int, Publish]:
    """Serve polling, long-polling, SSE and WebSocket by ordinary aiohttp handlers."""
    log: list[str] = []
    waiting: set[asyncio.Future[None]] = set()

    def batch(after: int) -> web.Response:
        messages = [json.loads(text) for text in log[after:]]
        return web.json_response({"messages": messages, "cursor": f"e-{len(log)}", "gap": False})

    def after_of(request: web.Request) -> int:
        text = request.query.get("after", "")
        return int(text.partition("-")[2]) if text else len(log)

    async def polling(request: web.Request) -> web.Response:
        after = after_of(request)
        if "after" in request.query and after == len(log):
            return web.Response(status=204)
        return batch(after)

    async def long_polling(request: web.Request) -> web.Response:
        after = after_of(request)
        if "after" in request.query and after == len(log):
            future = asyncio.get_running_loop().create_future()
            waiting.add(future)
            try:
                await asyncio.wait_for(future, float(request.query.get("timeout", "25")))
            except TimeoutError:
                return web.Response(status=204)
            finally:
                waiting.discard(future)
        return batch(after)

    async def sse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b":\n\n")
        await asyncio.Event().wait()
        return response

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        await response.receive()
        return response

    def publish(text: str) -> None:
        log.append(text)
        for future in waiting:
            if not future.done():
                future.set_result(None)

    one_way = {Delivery.TIMER: polling, Delivery.REQUEST: long_polling, Delivery.STREAM: sse}
    routes = [
        web.get(f"/{one.slug}", socket if one.two_way else one_way[one.delivery])
        for one in TECHNIQUES
        if not (one.reloads or one.own_port)
    ]
    return await serve_app(routes), publish


async def serve_app(routes: list[web.RouteDef]) -> int:
    """Serve an aiohttp application on a free port."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    return int(runner.addresses[0][1])


BASELINES = {
    "send_str": send_str,
    "broadcast": broadcast,
    "bare": bare,
    "writing": writing,
    "plain": plain,
}


async def main() -> None:
    """Serve the named baseline until killed."""
    parser = argparse.ArgumentParser(prog="python -m servers.peers.baselines")
    parser.add_argument("name", choices=[*BASELINES, "bare_tls"])
    parser.add_argument("--cert", type=Path, help="PEM, with its key, for bare_tls")
    options = parser.parse_args()
    if options.name == "bare_tls" and options.cert is None:
        parser.error("bare_tls takes --cert")
    baseline = BASELINES.get(options.name) or partial(bare_tls, options.cert)
    port, publish = await baseline()
    lines = await asyncio.get_running_loop().create_server(lambda: Lines(publish), "127.0.0.1", 0)
    ports = (port, lines.sockets[0].getsockname()[1])
    print(encode_ready_line(ReadyLine("baseline", ports=ports)), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    # The same loop for everybody: the one that the servers choose by themselves.
    if sys.platform == "win32":
        asyncio.run(main())
    else:
        import uvloop

        uvloop.run(main())

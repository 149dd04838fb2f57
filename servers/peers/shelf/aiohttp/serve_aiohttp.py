"""What is POSTed to ``/publish`` goes to all WebSockets and event streams: aiohttp, plain."""

import asyncio
import os
from contextlib import suppress

from aiohttp import web

sockets: set[web.WebSocketResponse] = set()
streams: set[web.StreamResponse] = set()
turn = asyncio.Lock()


async def publish(request: web.Request) -> web.Response:
    """Send a text to all, in turns, so that none overtakes another."""
    text = await request.text()
    async with turn:
        for socket in list(sockets):
            with suppress(ConnectionResetError):  # who left just now
                await socket.send_str(text)
        for stream in list(streams):
            with suppress(ConnectionResetError):
                await stream.write(f"data: {text}\n\n".encode())
    return web.Response(status=204)


async def web_socket(request: web.Request) -> web.WebSocketResponse:
    """Hold a WebSocket."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    sockets.add(socket)
    try:
        async for _ in socket:
            pass
    finally:
        sockets.discard(socket)
    return socket


async def sse(request: web.Request) -> web.StreamResponse:
    """Hold an event stream."""
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await stream.prepare(request)
    streams.add(stream)
    try:
        await asyncio.Event().wait()
    finally:
        streams.discard(stream)
    return stream


def main() -> None:
    """Serve on ``PORT``."""
    app = web.Application(handler_args={"handler_cancellation": True})
    app.add_routes(
        [web.post("/publish", publish), web.get("/web_socket", web_socket), web.get("/sse", sse)]
    )
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)


if __name__ == "__main__":
    main()

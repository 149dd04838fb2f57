"""What is POSTed to ``/publish`` goes to all event streams: aiohttp-sse, as its page shows."""

import asyncio
import os
from contextlib import suppress

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

streams: set[EventSourceResponse] = set()
turn = asyncio.Lock()


async def publish(request: web.Request) -> web.Response:
    """Send a text to all, in turns, so that none overtakes another."""
    text = await request.text()
    async with turn:
        for stream in list(streams):
            with suppress(ConnectionResetError):  # who left just now
                await stream.send(text)
    return web.Response(status=204)


async def sse(request: web.Request) -> EventSourceResponse:
    """Hold an event stream."""
    async with sse_response(request) as stream:
        streams.add(stream)
        try:
            await stream.wait()
        finally:
            streams.discard(stream)
    return stream


def main() -> None:
    """Serve on ``PORT``."""
    app = web.Application(handler_args={"handler_cancellation": True})
    app.add_routes([web.post("/publish", publish), web.get("/sse", sse)])
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)


if __name__ == "__main__":
    main()

"""What is POSTed to ``/publish`` goes to all: python-socketio on aiohttp."""

import os

import socketio
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp")


async def publish(request: web.Request) -> web.Response:
    """Send a text to everybody."""
    await server.emit("message", await request.text())
    return web.Response(status=204)


def main() -> None:
    """Serve on ``PORT``."""
    app = web.Application()
    server.attach(app)
    app.router.add_post("/publish", publish)
    port = int(os.environ["PORT"])
    # At its end it does not wait for those whose poll is held.
    web.run_app(app, host="127.0.0.1", port=port, shutdown_timeout=0.5, access_log=None, print=None)


if __name__ == "__main__":
    main()

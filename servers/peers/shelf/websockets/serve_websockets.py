"""What ``/publish?TEXT`` is asked for goes to all WebSockets: websockets, as it broadcasts.

It takes no POST, so a text comes up in the address of a GET.
"""

import asyncio
import os
from http import HTTPStatus
from urllib.parse import unquote

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.http11 import Request, Response

people: set[ServerConnection] = set()


def publish(connection: ServerConnection, request: Request) -> Response | None:
    """Send a text to everybody; anything else that is asked for is a handshake."""
    path, _, text = request.path.partition("?")
    if path != "/publish":
        return None
    broadcast(people, unquote(text))
    return connection.respond(HTTPStatus.OK, "")


async def stay(connection: ServerConnection) -> None:
    """Hold a WebSocket."""
    people.add(connection)
    try:
        await connection.wait_closed()
    finally:
        people.discard(connection)


async def main() -> None:
    """Serve on ``PORT``."""
    port = int(os.environ["PORT"])
    async with serve(stay, "127.0.0.1", port, process_request=publish, compression=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

"""Speaking WebSocket to a server by hand."""

import os

from tests.servers.asking import Link
from wire.web_socket_frames import Opcode, encode_frame

KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
OPENING = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    f"Sec-WebSocket-Key: {KEY}",
)


async def open_socket(link: Link, target: str, *fields: str) -> dict[str, str]:
    link.ask(f"GET {target}", *OPENING, *fields)
    head = await link.head()
    assert head.status == 101
    return dict(head.fields)


def masked(opcode: Opcode, payload: bytes) -> bytes:
    return encode_frame(opcode, payload, mask=os.urandom(4))


async def read_frame(link: Link) -> tuple[int, bytes]:
    first, size = await link.exactly(2)
    if size == 126:
        size = int.from_bytes(await link.exactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await link.exactly(8), "big")
    return first, await link.exactly(size)

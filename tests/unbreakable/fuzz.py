"""Byte streams that no client of ours would send, made from good ones by a seeded generator."""

import base64
import contextlib
import json
import random
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass

from tests.support.raw import get, upgrade
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import encode_close

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets, and leaves no port waiting
_IN_FLIGHT = 100
_WORDS = [
    b"\0", b"\r\n", b"\n", b"\r\n\r\n", b"\xff\xfe", b"\xc3", b"%00", b"%ff", b"-1", b"9" * 25,
    b"chunked", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"{", b'"', b"[" * 60,
    b"\xed\xa0\x80", b"\\ud800", b"HTTP/1.0", b"HTTP/2.0", b"Connection: close\r\n", b"after=",
    b"Expect: 100-continue\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"&name=ana",
    b"Content-Encoding: gzip\r\n", b"true", b"null", b"\x7f\xff\xff\xff", b"?", b"%", b" ", b"#",
]  # fmt: skip


@dataclass(frozen=True)
class Seed:
    """A good stream; ``opening`` is what must stay whole for the rest to be reached at all."""

    rest: bytes
    opening: bytes = b""
    is_plugin: bool = False


def _post(path: str, kind: str, body: bytes, *more: str) -> bytes:
    fields = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {kind}", *more]
    head = "\r\n".join([*fields, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def _frames(*payloads: bytes) -> bytes:
    mask = b"\x11\x22\x33\x44"
    frames = [encode_frame(Opcode.TEXT, payload, mask=mask) for payload in payloads]
    frames += [
        encode_frame(Opcode.BINARY, bytes(range(200)), mask=mask),
        encode_frame(Opcode.TEXT, b"ho", mask=mask, fin=False),
        encode_frame(Opcode.PING, b"p", mask=mask),
        encode_frame(Opcode.CONTINUATION, b"la", mask=mask),
        encode_close(1000, "bye", mask),
    ]
    return b"".join(frames)


def seeds(port: int, channel: str = "fuzz") -> dict[str, list[Seed]]:
    """Return good streams for each door."""
    text = json.dumps({"text": "hola", "sender": "ana", "sent_ns": 1}).encode()
    data = json.dumps({"base64": base64.b64encode(b"hola").decode()}).encode()
    form = f"text=hola&sender=ana&channel={channel}&sent_ns=17&every=2".encode()
    kind = "application/x-www-form-urlencoded"
    query = f"channel={channel}"
    chunked = (
        f"POST /publish?{query} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhola\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n"
    ).encode()
    first = json.dumps({"channel": channel, "name": "ana"}).encode() + b"\0"
    poll = get(f"/polling?{query}") + get(f"/polling?{query}&after=00000000-1", "X: y")
    held = get(f"/long_polling?{query}") + get(f"/long_polling?{query}&timeout=0.1&after=aaaa-1")
    return {
        "page_reload": [
            Seed(get(f"/page_reload?{query}&every=2&name=ana")),
            Seed(_post("/page_reload", kind, form)),
        ],
        "frame_reload": [
            Seed(get(f"/frame_reload?{query}")),
            Seed(get(f"/frame_reload/frames?{query}&every=1")),
            Seed(_post("/frame_reload", kind, form)),
        ],
        "polling": [Seed(poll), Seed(poll, get(f"/polling?{query}"))],
        "long_polling": [Seed(held), Seed(held, get(f"/long_polling?{query}"))],
        "forever_frame": [Seed(get(f"/forever_frame?{query}&padding=100&after=aaaa-1"))],
        "sse": [Seed(get(f"/sse?{query}&name=ana", "Last-Event-ID: aaaa-1"))],
        "web_socket": [
            Seed(_frames(text, data, b"hola"), upgrade(f"/web_socket?{query}", port)),
            Seed(_frames(text, data), upgrade(f"/web_socket?{query}&envelope=json", port)),
            Seed(
                _frames(b"hola"),
                upgrade("/web_socket/echo", port, "Sec-WebSocket-Extensions: permessage-deflate"),
            ),
            Seed(upgrade(f"/web_socket?{query}", port, "Sec-WebSocket-Protocol: duplex.v1")),
        ],
        "plugin_socket": [
            Seed(text + b"\0" + data + b"\0\0", first, is_plugin=True),
            Seed(first + text + b"\0", is_plugin=True),
            Seed(b"<policy-file-request/>\0", is_plugin=True),
        ],
        "publish": [
            Seed(_post(f"/publish?{query}", "text/plain", b"hola")),
            Seed(_post(f"/publish?{query}", "application/json", text)),
            Seed(_post(f"/publish?{query}", "application/octet-stream", b"\0\xff" * 20)),
            Seed(_post(f"/publish?{query}", "text/plain", b"hola", "Content-Encoding: deflate")),
            Seed(chunked),
        ],
        "service": [Seed(get("/stats") + get("/metrics") + get("/clock") + get("/nowhere"))],
    }


def mutate(rng: random.Random, data: bytes, others: list[Seed]) -> bytes:
    """Return ``data`` with one to five things done to it."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        at = rng.randrange(len(out) + 1)
        end = min(at + rng.randrange(1, 30), len(out))
        match rng.randrange(8):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                del out[at:end]
            case 2:
                out[at:at] = rng.randbytes(rng.randrange(1, 20))
            case 3:
                out[at:at] = out[at:end]
            case 4:
                del out[at:]
            case 5:
                out[at:at] = rng.choice(others).rest
            case 6:
                out[at:end] = rng.choice(_WORDS)
            case _:
                out[at:at] = rng.choice(_WORDS)
    return bytes(out)


def stream(rng: random.Random, choices: list[Seed]) -> tuple[bool, bytes, bytes]:
    """Return one hostile stream: whether for the plugin port, its opening, and the rest."""
    seed = rng.choice(choices)
    kind = rng.random()
    if kind < 0.1:
        return seed.is_plugin, b"", rng.randbytes(rng.randrange(1, 300))
    if kind < 0.15:
        return seed.is_plugin, seed.opening, rng.randbytes(rng.randrange(1, 300))
    if kind < 0.3:
        return seed.is_plugin, b"", mutate(rng, seed.opening + seed.rest, choices)
    return seed.is_plugin, seed.opening, mutate(rng, seed.rest, choices)


def throw(port: int, plugin_port: int, choices: list[Seed], count: int, seed: int) -> None:
    """Send ``count`` hostile streams, each on a connection of its own.

    Some end well, some by half, most by a reset, and some read what comes. Each is left alone for
    as long as the next hundred take, so that it is read before it ends.
    """
    rng = random.Random(seed)
    waiting: deque[socket.socket] = deque()
    for number in range(count):
        is_plugin, opening, rest = stream(rng, choices)
        sock = socket.create_connection(("127.0.0.1", plugin_port if is_plugin else port), 30)
        waiting.append(sock)
        with contextlib.suppress(OSError):
            if opening and rng.random() < 0.5:
                # Otherwise opening and rest come in one piece, which not every door allows.
                sock.sendall(opening)
                sock.recv(65536)
            elif opening:
                sock.sendall(opening)
            cut = rng.randrange(len(rest) + 1) if rng.random() < 0.2 else 0
            if cut:
                sock.sendall(rest[:cut])
            sock.sendall(rest[cut:])
            if number % 10 == 0:
                sock.shutdown(socket.SHUT_WR)
        if len(waiting) > _IN_FLIGHT:
            _end(waiting.popleft(), rng)
    while waiting:
        _end(waiting.popleft(), rng)


def _end(sock: socket.socket, rng: random.Random) -> None:
    with contextlib.suppress(OSError), sock:
        sock.setblocking(False)
        if rng.random() < 0.5:
            sock.recv(65536)
        if rng.random() < 0.9:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def main() -> None:
    """Throw: ``python -m tests.unbreakable.fuzz PORT PLUGIN_PORT COUNT SEED DOOR...``."""
    port, plugin_port, count, seed = map(int, sys.argv[1:5])
    choices = seeds(port)
    for door in sys.argv[5:]:
        throw(port, plugin_port, choices[door], count, seed)


if __name__ == "__main__":
    main()

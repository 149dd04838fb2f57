"""One hostile address against a lecture: `python -m tests.unbreakable.siege ATTACK SECONDS JSON`.

It does one of the attacks, as hard as it can, until it is told to end; JSON names the ports.
"""

import contextlib
import http.client
import json
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from wire.web_socket_frames import Opcode, encode_frame

HOSTILE = "127.0.0.2"
MIB = 2**20
MASK = b"abcd"
Step = Callable[[], object]


def connect(port: int, buffer: int | None = None) -> socket.socket:
    talk = socket.socket()
    if buffer is not None:
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    talk.bind((HOSTILE, 0))
    talk.settimeout(2)
    talk.connect(("127.0.0.1", port))
    return talk


class Crowd:
    """Connections that are kept open, and opened again where the lecture ends them."""

    def __init__(self, size: int, open_one: Callable[[int], socket.socket], reads: bool) -> None:
        self._size, self._open, self._reads = size, open_one, reads
        self._held: list[socket.socket] = []
        self._watch = selectors.DefaultSelector()
        self._number = 0

    def step(self) -> None:
        for _ in range(50):
            if len(self._held) >= self._size:
                break
            self._number += 1
            with contextlib.suppress(OSError):
                talk = self._open(self._number)
                talk.setblocking(False)
                self._held.append(talk)
                if self._reads:
                    self._watch.register(talk, selectors.EVENT_READ, talk)
        if self._reads:
            ready = [key.data for key, _ in self._watch.select(0)]
        else:  # an end is seen without taking anything
            ready = [one for one in self._held if _has_ended(one)]
        for talk in ready:
            with contextlib.suppress(BlockingIOError):
                try:
                    if self._reads and talk.recv(65536):
                        continue
                except ConnectionError:
                    pass
                if self._reads:
                    self._watch.unregister(talk)
                self._held.remove(talk)
                talk.close()


def _has_ended(talk: socket.socket) -> bool:
    try:
        return talk.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def post(port: int, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, 5, source_address=(HOSTILE, 0))
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read()


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *fields, "", ""]).encode()


def talking(port: int, *said: bytes, buffer: int | None = None) -> Callable[[int], socket.socket]:
    """Open connections on which so much is said as is taken."""

    def make(number: int) -> socket.socket:
        talk = connect(port, buffer)
        with contextlib.suppress(OSError):  # refused, or not taken any more
            for part in said:
                talk.sendall(part)
        return talk

    return make


def idle(ports: dict[str, int]) -> Iterator[Step]:
    """Connections on which nothing is said."""
    yield Crowd(1100, talking(ports["page"]), reads=True).step
    yield Crowd(600, talking(ports["sse"]), reads=True).step


def unread(ports: dict[str, int]) -> Iterator[Step]:
    """Event streams with four plugins each, of which nothing is read, while much is said."""

    def watch(number: int) -> socket.socket:
        viewer = f"hostile{number:09}"
        talk = connect(ports["page"], 4096)
        talk.sendall(head(f"GET /lecture/events?viewer={viewer}"))
        for _ in range(4):
            with contextlib.suppress(OSError, http.client.HTTPException):
                order = json.dumps({"channel": "flood"}).encode()
                post(ports["page"], f"/lecture/plugin?viewer={viewer}", order)
        return talk

    yield Crowd(20, watch, reads=False).step
    yield from flood(ports)


def flood(ports: dict[str, int]) -> Iterator[Step]:
    """Say as much as the room may."""

    def say() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            post(ports["sse"], "/publish?channel=flood", b'"' * MIB, "text/plain")

    yield say


def streams(ports: dict[str, int]) -> Iterator[Step]:
    """Event streams that are read, as many as there are seats."""

    def watch(number: int) -> socket.socket:
        talk = connect(ports["page"])
        talk.sendall(head(f"GET /lecture/events?viewer=hostile{number:09}"))
        return talk

    yield Crowd(300, watch, reads=True).step


def large(ports: dict[str, int]) -> Iterator[Step]:
    """Large things that do not end, or that nobody reads."""
    opening = head(
        *["GET /web_socket/echo", "Upgrade: websocket", "Connection: Upgrade"],
        *["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    )
    echo = encode_frame(Opcode.BINARY, bytes(31 * MIB), mask=MASK)[:-100]
    first = encode_frame(Opcode.BINARY, b"x" * MIB, mask=MASK, fin=False)
    more = encode_frame(Opcode.CONTINUATION, b"x" * 1000, mask=MASK, fin=False)
    pong = encode_frame(Opcode.PONG, b"", mask=MASK)
    lane = opening.replace(b"/echo", b"")
    body = head("POST /publish", "Content-Type: application/json", f"Content-Length: {12 * MIB}")
    order = head("POST /lecture/plugin/send?viewer=hostile00", f"Content-Length: {4 * MIB}")
    page = head("GET /page_reload?channel=flood&after=00000000-0")
    json_body = b'{"text":"a","more":[%s]}' % b",".join([b"0"] * (5 * MIB))
    yield Crowd(20, talking(ports["web_socket"], opening, echo), reads=False).step
    yield Crowd(20, talking(ports["web_socket"], lane, first, *[pong + more] * 50), False).step
    yield Crowd(20, talking(ports["sse"], body, bytes(11 * MIB)), reads=False).step
    yield Crowd(20, talking(ports["page"], order, bytes(3 * MIB)), reads=False).step
    yield Crowd(20, talking(ports["page_reload"], page, buffer=4096), reads=False).step
    yield from flood(ports)

    def parse() -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            post(ports["polling"], "/publish?channel=flood", json_body)

    yield parse


ATTACKS: dict[str, Callable[[dict[str, int]], Iterator[Step]]] = {
    "idle": idle,
    "unread": unread,
    "streams": streams,
    "large": large,
}


def main() -> None:
    attack, seconds, ports = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
    steps: list[Any] = list(ATTACKS[attack](ports))
    until = time.monotonic() + seconds
    print("attacking", flush=True)
    while time.monotonic() < until:
        for step in steps:
            step()
        time.sleep(0.01)


if __name__ == "__main__":
    main()

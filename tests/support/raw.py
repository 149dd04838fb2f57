"""A bare socket, for what no well-behaved client does, and the requests that it may begin with."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.support.waiting import PATIENCE_S
from wire.http_head import END, ResponseHead, decode_response_head

_PIECE = 2**18


@dataclass(frozen=True)
class Answer:
    """One whole answer; field names are in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class RawSocket:
    """One TCP connection on which anything can be said; ``heard`` is what was not taken yet.

    With a ``context`` it is said by TLS.
    """

    def __init__(
        self,
        port: int,
        first: bytes = b"",
        *,
        host: str = "127.0.0.1",
        buffer: int | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.socket = socket.socket()
        if buffer is not None:  # before connecting, or the window is as large as ever
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((host, port))
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.heard = b""
        if first:
            self.send(first)

    def __enter__(self) -> "RawSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, target: str, *fields: str, version: str = "1.1") -> None:
        self.send(get(target, *fields, version=version))

    def hear(self, wanted: bytes | Callable[[bytes], object]) -> bytes:
        """Read until the bytes are there, and return all that was heard; nothing is taken."""
        deadline = time.monotonic() + PATIENCE_S
        while not (wanted in self.heard if isinstance(wanted, bytes) else wanted(self.heard)):
            assert time.monotonic() < deadline, self.heard[-300:]
            data = self.socket.recv(_PIECE)
            assert data, f"ended after {self.heard[-300:]!r}"
            self.heard += data
        return self.heard

    def until(self, end: bytes) -> bytes:
        """Take up to and with ``end``."""
        found, _, self.heard = self.hear(end).partition(end)
        return found + end

    def exactly(self, size: int) -> bytes:
        """Take so many bytes."""
        self.hear(lambda heard: len(heard) >= size)
        found, self.heard = self.heard[:size], self.heard[size:]
        return found

    def head(self) -> ResponseHead:
        return decode_response_head(self.until(END))

    def answer(self) -> Answer:
        """Take one whole answer with a known length."""
        head = self.head()
        return Answer(head.status, head.fields, self.exactly(head.length or 0))

    def rest(self) -> bytes:
        """Read to the end, be it FIN or RST, and return all that was not taken."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := self.socket.recv(_PIECE):
                self.heard += data
        return self.heard

    def close(self) -> None:
        self.socket.close()


def get(path: str, *fields: str, version: str = "1.1") -> bytes:
    """Write a GET."""
    lines = [f"GET {path} HTTP/{version}", "Host: 127.0.0.1", *fields, "", ""]
    return "\r\n".join(lines).encode()


def upgrade(path: str, port: int, *fields: str) -> bytes:
    """Write an opening handshake (RFC 6455, 1.2)."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *fields,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()

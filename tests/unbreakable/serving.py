"""A server in a process of its own whose words are kept, and bare sockets to be rude with."""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httptools
import psutil

from wire.ready_line import decode_ready_lines

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 30.0  # for what must come true; only a failing test waits that long
T = TypeVar("T")
# Lowers the file limit, then becomes the server: nothing of the test's own process changes.
_LIMITED = (
    "import os, resource, sys;"
    "n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_NOFILE, (n, n));"
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


def eventually(check: Callable[[], T], what: str, within: float = PATIENCE_S) -> T:
    """Ask until the answer is a true one, and return it."""
    deadline = time.monotonic() + within
    while not (found := check()):
        assert time.monotonic() < deadline, f"waited {within:g} s in vain for: {what}"
        time.sleep(0.01)
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    fields: Mapping[str, str]
    body: bytes


class Server:
    """``python -m servers`` on free ports; what it says on stderr goes to ``log``."""

    def __init__(self, log: Path, *arguments: str, files: int | None = None, port: int = 0) -> None:
        command = ["-m", "servers", "--port", str(port), "--plugin-port", "0", *arguments]
        if files is not None:
            command = ["-c", _LIMITED, str(files), *command]
        self.log = log
        with log.open("wb") as errors:
            self.child = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        lines = decode_ready_lines(said, "servers")
        if not lines:
            self.stop()
            raise AssertionError(f"the server said {said!r} and ended: {self.said()}")
        (line,) = lines
        self.url, self.host = line.url, line.host
        self.port, self.plugin_port = line.port, line.plugin_port
        self.process = psutil.Process(self.child.pid)

    def said(self) -> str:
        """Return what the server wrote to stderr so far."""
        return self.log.read_text(errors="replace")

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        timeout: float = 10,
        **fields: str,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            heads = {name.replace("_", "-"): value for name, value in fields.items()}
            connection.request(method, path, body, heads)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def publish(self, channel: str, text: str) -> None:
        path = f"/publish?channel={channel}"
        answer = self.ask(path, "POST", text.encode(), Content_Type="text/plain")
        assert answer.status == 201, answer

    def stats(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ask("/stats").body)
        return found

    def descriptors(self) -> int:
        return int(self.process.num_fds())

    def resident_bytes(self) -> int:
        return int(self.process.memory_info().rss)

    def stop(self, patience: float = PATIENCE_S) -> int:
        """Send SIGTERM, wait, and return the exit status."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        finally:
            assert self.child.stdout is not None
            self.child.stdout.close()


@contextlib.contextmanager
def serving(
    folder: Path, *arguments: str, files: int | None = None, port: int = 0
) -> Iterator[Server]:
    """Serve; in the end the server must stop well and must have had nothing to complain about."""
    server = Server(folder / f"stderr-{time.monotonic_ns()}", *arguments, files=files, port=port)
    try:
        yield server
    except BaseException:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()
        raise
    status, said = server.stop(), server.said()
    assert not said, said
    assert status == 0, status


class Talk:
    """One TCP connection on which anything can be said."""

    def __init__(self, port: int, first: bytes = b"", *, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if buffer is not None:  # before connecting, or the window is as large as ever
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self.heard = b""
        if first:
            self.say(first)

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self, until: bytes | Callable[[bytes], object]) -> bytes:
        """Read until the bytes are there, and return all that was heard since the start."""
        deadline = time.monotonic() + PATIENCE_S
        while not (until in self.heard if isinstance(until, bytes) else until(self.heard)):
            assert time.monotonic() < deadline, self.heard[-300:]
            data = self.socket.recv(2**18)
            assert data, f"ended after {self.heard[-300:]!r}"
            self.heard += data
        return self.heard

    def answer(self) -> Answer:
        """Read one whole answer with a known length, and forget it."""
        reader = _AnswerReader()
        while not reader.is_whole:
            if not self.heard:
                self.heard = self.socket.recv(2**18)
                assert self.heard, "ended without an answer"
            data, self.heard = self.heard[:1], self.heard[1:]  # never a byte of the next
            reader.parser.feed_data(data)
        return Answer(reader.parser.get_status_code(), reader.fields, reader.body)

    def rest(self) -> bytes:
        """Read to the end, be it a close or a reset."""
        with contextlib.suppress(ConnectionError):
            while data := self.socket.recv(2**18):
                self.heard += data
        return self.heard

    def close(self) -> None:
        self.socket.close()


class _AnswerReader:
    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.fields: dict[str, str] = {}
        self.body = b""
        self.is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_whole = True


def get(path: str, *fields: str) -> bytes:
    """Write a GET."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *fields, "", ""]).encode()


def upgrade(path: str, port: int, *fields: str) -> bytes:
    """Write an opening handshake (RFC 6455, 1.2)."""
    return "\r\n".join(
        [
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
    ).encode()

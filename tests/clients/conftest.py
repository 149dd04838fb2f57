"""Clients of the shared server, a wire that can be cut, and servers that say what they are told."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

import clients
from clients.client import Client
from tests.support.processes import ServerProcess

TICKING = ("page_reload", "frame_reload", "polling")


class Proxy:
    """A TCP proxy whose connections the test may cut, and whose new ones it may refuse."""

    def __init__(self, port: int) -> None:
        self.to_port = port
        self.refuses = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def dial(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def cut(self) -> None:
        for pair in self._pairs:
            for end in pair:
                end_socket(end)

    def close(self) -> None:
        end_socket(self._listener)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.refuses:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self.to_port))
                self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def end_socket(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    end_socket(sink)
    source.close()


@pytest.fixture
def make_proxy() -> Iterator[Callable[[int], Proxy]]:
    made: list[Proxy] = []

    def make(port: int) -> Proxy:
        made.append(Proxy(port))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def connect(server: ServerProcess, channel: str) -> Iterator[Callable[..., Client]]:
    """Open a client of a technique on this test's channel; all are closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(slug: str, **options: object) -> Client:
            to = options.pop("server", server)
            assert isinstance(to, ServerProcess)
            if slug == "plugin_socket":
                options.setdefault("plugin_port", to.plugin_port)
            if slug in TICKING:
                options.setdefault("interval", 0.05)
            return stack.enter_context(clients.open(slug, to.url, channel, **options))

        yield make


class Script:
    """A server that says what it is told to: each connection gets the next of the ``answers``.

    An answer is a list of byte strings; ``...`` among them waits for the next request.
    """

    def __init__(self, *answers: list[object]) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.go_on = threading.Event()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, args=(answers,), daemon=True)
        self._thread.start()

    def _run(self, answers: tuple[list[object], ...]) -> None:
        with contextlib.suppress(OSError):
            for answer in answers:
                end, _ = self._listener.accept()
                self._open.append(end)
                for part in itertools.chain([...], answer):
                    if part is ...:
                        self.heard.append(end.recv(65536))
                    elif part == "wait":
                        self.go_on.wait(20)
                        self.go_on.clear()
                    elif part == "end":
                        end_socket(end)
                    else:
                        assert isinstance(part, bytes)
                        end.sendall(part)
            while end.recv(65536):  # what comes now is heard no more, until the client ends
                pass
            end_socket(end)

    def close(self) -> None:
        self.go_on.set()
        end_socket(self._listener)
        self._listener.close()
        for end in self._open:
            end_socket(end)
        self._thread.join(5)
        for end in self._open:
            end_socket(end)
            end.close()


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def make(*answers: list[object]) -> Script:
        made.append(Script(*answers))
        return made[-1]

    yield make
    for each in made:
        each.close()

"""The subscribed sockets of the limits benchmark: how they come, ask, pause and go."""

import re
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Iterable

from loadtests.limits.audit import Audit
from loadtests.plan.greeting import greeting
from wire.http_head import END
from wire.techniques import BY_SLUG

_CURSOR = re.compile(rb'"cursor": ?"([^"]+)"')
_CURSOR_FROM_END = 60  # bytes of an answer's end that surely hold its cursor
_AT_ONCE = 200  # connections under way
_PATIENCE_S = 30
_BY_RESET = struct.pack("ii", 1, 0)  # do not linger: close as a line that is cut


class Subscribers:
    """Sockets of one technique to one server, by their numbers, registered with one poller.

    Where they are ``asking``, each batch of messages is asked for, on a timer or again and again.
    """

    def __init__(self, slug: str, port: int, audit: Audit | None) -> None:
        self.technique = BY_SLUG[slug]
        self.sockets: dict[int, socket.socket] = {}
        self.poller = select.epoll()
        self.asking = self.technique.codec == "batch"
        self._port = port
        self._audit = audit
        self._cursors: dict[int, bytes] = {}  # of those that ask
        self._awaiting: set[int] = set()  # an answer
        self._paused: list[int] = []

    def open(self, count: int) -> None:
        """Connect ``count`` more, a few at a time, and wait until all are subscribed."""
        for start in range(0, count, _AT_ONCE):
            fresh = [self._greet() for _ in range(min(_AT_ONCE, count - start))]
            for one in fresh:
                self._subscribed(one)

    def _greet(self, cursor: bytes = b"") -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self._port))
        one.sendall(greeting(self.technique.slug, "limits", cursor.decode()))
        return one

    def _subscribed(self, one: socket.socket, last: int | None = None) -> int:
        """Wait for the first answer; return the socket's number."""
        one.settimeout(_PATIENCE_S)
        end = b"}\0" if self.technique.own_port else b"false}" if self.asking else END
        head = b""
        while end not in head:
            head += one.recv(4096)
        fd = one.fileno()
        self.sockets[fd] = one
        if self._audit is not None:
            self._audit.begin(fd, head, last)
        one.setblocking(False)
        self.poller.register(fd, select.EPOLLIN)
        if self.asking:
            self.take_answer(fd, head)
        return fd

    def request(self, fd: int) -> None:
        """Ask for what came after the socket's cursor, unless an answer is still on its way.

        Asked twice from one cursor, the same messages would come twice.
        """
        if fd in self._awaiting:
            return
        self._awaiting.add(fd)
        self.sockets[fd].send(
            b"GET /%b?channel=limits&after=%b HTTP/1.1\r\nHost: x\r\n\r\n"
            % (self.technique.slug.encode(), self._cursors[fd])
        )

    def take_answer(self, fd: int, data: bytes) -> None:
        """Keep the cursor that an answer ends with; ask again at once where answers are held."""
        if found := _CURSOR.search(data, max(len(data) - _CURSOR_FROM_END, 0)):
            self._cursors[fd] = found[1]
        self._awaiting.discard(fd)
        if self.technique.held:
            self.request(fd)

    def pause(self, count: int, but: Iterable[int]) -> None:
        """Stop reading on the last ``count`` sockets that are not ``but`` these."""
        kept = set(but)
        self._paused = [fd for fd in self.sockets if fd not in kept][-count:]
        for fd in self._paused:
            self.poller.unregister(fd)

    def resume(self) -> None:
        """Read on."""
        for fd in self._paused:
            self.poller.register(fd, select.EPOLLIN)

    def cut(self, fd: int) -> int:
        """Cut a connection and come back where it was; return the new socket's number."""
        assert self._audit is not None
        one = self.sockets.pop(fd)
        cursor, last = self._audit.forget(fd)
        self.poller.unregister(fd)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _BY_RESET)
        one.close()
        return self._subscribed(self._greet(cursor), last)


class Timetable:
    """Which socket asks when: each every ``interval`` seconds, evenly one after the other."""

    def __init__(self, sockets: Iterable[int], interval: float) -> None:
        self._interval = interval
        numbers = list(sockets)
        now = time.monotonic()
        step = interval / max(len(numbers), 1)
        self._due = deque((now + place * step, fd) for place, fd in enumerate(numbers))

    def take_due(self) -> list[int]:
        """Return the sockets whose time has come; each comes again an interval later."""
        now = time.monotonic()
        come = []
        while self._due and self._due[0][0] <= now:
            due, fd = self._due.popleft()
            self._due.append((due + self._interval, fd))
            come.append(fd)
        return come

    def seconds_left(self, at_most: float) -> float:
        """Return how long it is until the next one's time, and no more than ``at_most``."""
        if not self._due:
            return at_most
        return min(max(self._due[0][0] - time.monotonic(), 0.0), at_most)

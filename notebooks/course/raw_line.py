"""A raw TCP connection to talk on by hand, and to hear a recorded talk again.

Everything that was sent and read is noted, so that a notebook shows the same bytes without a
network. A replayed talk answers only what was said then: other words get an error, not silence.
"""

import base64
import socket
import time
from collections.abc import Callable
from typing import Any

from notebooks.course.errors import LineError, ReplayError
from notebooks.course.words import say

QUIET_S = 0.25
_LONGEST_S = 20.0


class RawLine:
    """``send`` bytes, ``read`` what comes; ``port`` is ``None`` for a replay of ``talk``."""

    def __init__(
        self, port: int | None, talk: list[list[Any]], noted: Callable[[], None] = lambda: None
    ) -> None:
        self._talk = talk
        self._noted = noted
        self._at = 0
        self._sock: socket.socket | None = None
        if port is not None:
            self._sock = socket.create_connection(("127.0.0.1", port), timeout=5)
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> int:
        """Send the bytes and return how many they were."""
        if self._sock is None:
            self._expect("send", data)
            return len(data)
        try:
            self._sock.sendall(data)
        except OSError as error:
            closed = "this line is closed ({error}): run the cells again from the one that dials"
            raise LineError(say(closed, error=error)) from None
        self._note("send", [[0.0, data]])
        return len(data)

    def read(self, quiet_s: float = QUIET_S) -> bytes:
        """Return what arrives until nothing more has come for ``quiet_s`` seconds."""
        return b"".join(data for _, data in self.read_pieces(quiet_s))

    def read_pieces(self, quiet_s: float = QUIET_S) -> list[tuple[float, bytes]]:
        """Return the pieces as TCP handed them over, each with its ms since the call."""
        if self._sock is None:
            return [(ms, base64.b64decode(text)) for ms, text in self._next("read")]
        began = time.monotonic()
        pieces: list[tuple[float, bytes]] = []
        self._sock.settimeout(quiet_s)
        while time.monotonic() - began < _LONGEST_S:
            try:
                data = self._sock.recv(65536)
            except OSError:  # nothing more came, or the line is closed
                break
            if not data:
                break
            pieces.append((round((time.monotonic() - began) * 1000, 3), data))
        self._note("read", [[ms, data] for ms, data in pieces])
        return pieces

    @property
    def port(self) -> int:
        """The port of this end, which the system chose for the connection."""
        if self._sock is None:
            return int(self._next("port")[0][0])
        found = int(self._sock.getsockname()[1])
        self._note("port", [[found, b""]])
        return found

    def close(self) -> None:
        """Hang up."""
        if self._sock is not None:
            self._sock.close()

    def _note(self, kind: str, pieces: list[list[Any]]) -> None:
        coded = [[number, base64.b64encode(data).decode()] for number, data in pieces]
        self._talk.append([kind, coded])
        self._noted()

    def _next(self, kind: str) -> list[Any]:
        if self._at >= len(self._talk) or self._talk[self._at][0] != kind:
            over = (
                "the recorded talk has no {kind} here: run the cells again from the one that "
                "dials, each once; or set LIVE = True to talk anew"
            )
            raise ReplayError(say(over, kind=kind))
        self._at += 1
        found: list[Any] = self._talk[self._at - 1][1]
        return found

    def _expect(self, kind: str, data: bytes) -> None:
        said = base64.b64decode(self._next(kind)[0][1])
        if said != data:
            other = (
                "a recording answers only what was said then: {said!r}...; LIVE = True "
                "talks to a real server"
            )
            raise ReplayError(say(other, said=said[:60]))

"""The answers of polls, and who waits for the next: the memory of polling and long-polling.

Everybody who asks from the same cursor gets the same bytes, so an answer is encoded once and kept
until the next message.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from servers.channels.channel import Channel
from servers.front.ledger import Row
from servers.front.query import Query
from wire.batch import encode_batch
from wire.http_head import encode_response

_LONGEST_BATCH = 4 * 2**20  # bytes of JSON in one answer; the rest comes with the next
_KEPT_ANSWERS = 2**20  # bytes of encoded answers kept for other clients at the same cursor


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it was understood; ``close`` when its answer ends the connection."""

    query: Query
    close: bool = False
    origin: str | None = None


class Waiting(Protocol):
    """A connection whose request waits; ``due`` is the tenth of a second of its timeout."""

    due: int

    def answer(self, ask: Ask, response: bytes) -> None:
        """Write the response."""

    def time_out(self) -> None:
        """Answer that nothing came."""


class Pool:
    """One channel's answers for one technique, and the connections that wait for the next."""

    def __init__(self, channel: Channel, row: Row, deadlines: "Deadlines") -> None:
        self.waiting: dict[Waiting, tuple[Ask, int]] = {}
        self._channel = channel
        self._row = row
        self._deadlines = deadlines
        self._answers: dict[object, tuple[bytes, int]] = {}
        self._epoch = channel.log.epoch  # of those who wait, and of the kept answers
        self._at = -1  # the newest id when the kept answers were made
        self._kept = 0

    @property
    def size(self) -> int:
        """How many wait."""
        return len(self.waiting)

    def answer(self, ask: Ask) -> bytes:
        """Return what follows the client's cursor as a whole response; empty if nothing does."""
        seen, has_gap = self._channel.resume(ask.query.after)
        if ask.query.after is not None and not has_gap and seen == self._channel.log.last:
            return b""
        return self._answer(ask, seen, has_gap)

    def _answer(self, ask: Ask, seen: int, has_gap: bool) -> bytes:
        log = self._channel.log
        if self._epoch != log.epoch:
            self.flush()  # those who wait came in another life of the log
        if self._at != log.last:
            self._answers.clear()
            self._at, self._kept = log.last, 0
        key = (seen, has_gap, ask.close, ask.origin)
        found = self._answers.get(key)
        if found is None:
            entries = log.read(seen, _LONGEST_BATCH)
            newest = entries[-1][0] if entries else seen
            body = encode_batch(
                (json for _, json in entries), self._channel.cursor(newest), has_gap
            )
            found = _response("200 OK", ask, body), len(entries)
            if self._kept + len(found[0]) < _KEPT_ANSWERS:
                self._kept += len(found[0])
                self._answers[key] = found
        self._row.deliveries += found[1]
        self._row.gaps += has_gap
        return found[0]

    def hold(self, connection: Waiting, ask: Ask) -> None:
        """Let ``connection`` wait for the next message or its timeout."""
        self._row.held += 1
        log = self._channel.log
        if self._epoch != log.epoch:
            self.flush()
        self.waiting[connection] = ask, log.last
        self._deadlines.add(connection, ask.query.timeout)

    def drop(self, connection: Waiting) -> None:
        """Let ``connection`` wait no longer."""
        if self.waiting.pop(connection, None) is not None:
            self._row.held -= 1

    def flush(self) -> None:
        """Answer everybody for whom there is something new."""
        log = self._channel.log
        is_another = self._epoch != log.epoch
        if is_another:
            self._epoch, self._at = log.epoch, -1
        oldest, newest = log.first - 1, log.last
        waiting, self.waiting = self.waiting, {}
        for connection, (ask, seen) in waiting.items():
            if seen == newest and not is_another:
                # It began to wait after the message that was announced.
                self.waiting[connection] = ask, seen
                continue
            has_gap = is_another or seen < oldest
            self._deadlines.remove(connection)
            connection.answer(ask, self._answer(ask, oldest if has_gap else seen, has_gap))
        self._row.held -= len(waiting) - len(self.waiting)


def _response(status: str, ask: Ask, body: bytes = b"") -> bytes:
    # RFC 6202, 5.6: an answer to a poll must never come out of a cache.
    fields = [("Cache-Control", "no-store")]
    if body:
        fields += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if ask.origin is not None:
        fields.append(("Access-Control-Allow-Origin", ask.origin))
    if ask.close:
        fields.append(("Connection", "close"))
    return encode_response(status, fields, body)


@lru_cache(maxsize=64)
def nothing_new(ask: Ask) -> bytes:
    """Return the answer that says so."""
    return _response("204 No Content", ask)


class Deadlines:
    """When held polls time out, to a tenth of a second.

    Most are answered long before, so taking one out must be cheap: connections are kept in sets
    by their tenth, and one timer walks through the tenths.
    """

    def __init__(self) -> None:
        self._sets: dict[int, set[Waiting]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Waiting, seconds: float) -> None:
        """Call ``connection.time_out()`` after ``seconds``."""
        connection.due = math.ceil((time.monotonic() + seconds) * 10)
        self._sets.setdefault(connection.due, set()).add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(0.1, self._walk)

    def remove(self, connection: Waiting) -> None:
        """Forget ``connection``."""
        present = self._sets.get(connection.due)
        if present is not None:
            present.discard(connection)
            if not present:
                del self._sets[connection.due]

    def _walk(self) -> None:
        now = int(time.monotonic() * 10)
        for tenth in [tenth for tenth in self._sets if tenth <= now]:
            for connection in self._sets.pop(tenth):
                connection.time_out()
        self._timer = asyncio.get_running_loop().call_later(0.1, self._walk) if self._sets else None

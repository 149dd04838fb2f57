"""The servers with a log that is as unlike the one in memory as a log may be.

``python -m tests.late_servers`` takes the arguments of ``python -m servers``. A :class:`Keeper`
stands for an engine that several servers share. It answers late; it chooses the ids, and epochs of
another form; what it keeps comes to the logs of all channels of a name, in every server, as news
of its own time. Told to, it refuses, says nothing, or loses all that it had.
"""

import asyncio
import sys
import time
from collections.abc import Callable

from servers.__main__ import main
from servers.channels.log import Entry, MemoryLog, Unavailable, tell_nobody
from servers.service import Settings
from wire.cursor import Cursor

_LATE_S = 0.001


class Keeper:
    """Keeps the histories of all channels; call it for what makes a server's logs."""

    def __init__(self) -> None:
        self.histories: dict[str, History] = {}
        self.refuses = self.is_silent = False

    def __call__(self, settings: Settings) -> Callable[[str], "LateLog"]:
        def make(name: str) -> LateLog:
            if name not in self.histories:
                self.histories[name] = History(self, settings)
            return LateLog(self.histories[name])

        return make

    def lose_all(self) -> None:
        for history in self.histories.values():
            history.begin()


class History:
    """One channel's messages, and the logs that show them."""

    def __init__(self, keeper: Keeper, settings: Settings) -> None:
        self._keeper = keeper
        self._settings = settings
        self._waiting: list[tuple[Callable[[int], bytes], asyncio.Future[Cursor], LateLog]] = []
        self._births = 0
        self.logs: list[LateLog] = []
        self.begin()

    def begin(self) -> None:
        """Begin a life without a message."""
        self._births += 1
        self.kept = MemoryLog(self._settings.log_messages, self._settings.log_bytes)
        self.kept.epoch = f"{time.time_ns() // 10**6}{self._births:03d}"
        for log in self.logs:
            log.show()

    def append(self, make: Callable[[int], bytes], log: "LateLog") -> asyncio.Future[Cursor]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Cursor] = loop.create_future()
        if not self._waiting:
            loop.call_later(_LATE_S, self._keep)
        self._waiting.append((make, future, log))
        return future

    def _keep(self) -> None:
        """Keep what came meanwhile, and tell: of half of it first the appender, then the news."""
        waiting, self._waiting = self._waiting, []
        if self._keeper.is_silent:
            return
        if self._keeper.refuses:
            for _, future, _ in waiting:
                if not future.done():
                    future.set_exception(Unavailable("the keeper is away"))
            return
        loop = asyncio.get_running_loop()
        for make, future, log in waiting:
            place = self.kept.append(make)
            log.catch_up()
            if not future.done():
                if place.id % 2:
                    future.set_result(place)
                else:
                    loop.call_later(2 * _LATE_S, _answer, future, place)
        for log in self.logs:
            loop.call_later(_LATE_S, log.show)


def _answer(future: asyncio.Future[Cursor], place: Cursor) -> None:
    if not future.done():
        future.set_result(place)


class LateLog:
    """What one server has heard of a history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.news: Callable[[], None] = tell_nobody
        self.epoch = ""
        self.catch_up()
        history.logs.append(self)

    def catch_up(self) -> None:
        """Hold what the keeper holds."""
        kept = self._history.kept
        if self.epoch != kept.epoch:
            self._shown: dict[int, bytes] = {}
            self.epoch, self.first, self.last, self.size = kept.epoch, 1, 0, 0
        for number, json in kept.read(self.last, sys.maxsize):
            self._shown[number] = json
            self.size += len(json)
            self.last = number
        while self.first < kept.first:
            self.size -= len(self._shown.pop(self.first, b""))
            self.first += 1

    def show(self) -> None:
        """Hear from the keeper."""
        self.catch_up()
        self.news()

    def ready(self, after: Cursor | None) -> None:
        """All is here: this keeper is in the same process."""

    def append(self, make: Callable[[int], bytes]) -> asyncio.Future[Cursor]:
        return self._history.append(make, self)

    def read(self, after: int, limit: int) -> list[Entry]:
        found: list[Entry] = []
        for number in range(max(after + 1, self.first), self.last + 1):
            limit -= len(self._shown[number])
            if limit < 0 and found:
                break
            found.append((number, self._shown[number]))
        return found

    def close(self) -> None:
        self._history.logs.remove(self)


if __name__ == "__main__":
    sys.exit(main(logs=Keeper()))

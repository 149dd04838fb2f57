"""What the asking techniques share: a request on every tick of a fixed-rate schedule."""

import math
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.kinds.http_client import HttpClient
from clients.net.http import Answer
from clients.net.schedule import next_tick, sleep_until
from clients.options import Options


class TickingClient(HttpClient):
    """Asks every ``interval`` seconds; one that resumes asks at once, one from now a tick later.

    A tick that passes while an answer is awaited is left out.
    """

    __slots__ = ("_asked", "_due", "_start", "interval")
    _mended_s = math.inf  # between two ticks nothing is tried: only an answer shows it

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        interval: float = 1.0,
        keep_alive: bool = True,
        **options: Unpack[Options],
    ) -> None:
        if not 0 < interval < math.inf:
            raise ValueError(f"interval must be a finite number of seconds above 0, not {interval}")
        self.interval = interval
        self._asked = False
        self._due = self._start = time.monotonic()
        super().__init__(url, channel, keep_alive=keep_alive, **options)

    @abstractmethod
    def _target(self) -> str:
        """Return what to GET on a tick."""

    @abstractmethod
    def _take(self, answer: Answer) -> Sequence[Item]:
        """Return what is new in an answer and move the cursor."""

    def _open(self) -> None:
        self._asked = False
        if self._cursor is None:
            # The first answer tells the cursor of now.
            self._take(self._get(self._target()))
            self._due = next_tick(self._start, self.interval, time.monotonic())

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if not self._asked:
            if not sleep_until(self._due, deadline):
                return None
            self._due = next_tick(self._start, self.interval, time.monotonic())
            self._down.ask("GET", self._target())
            self._asked = True
        answer = self._down.answer(deadline)
        if answer is None:
            return None
        self._asked = False
        news = self._take(answer)
        self._reconnecting.proved()
        return news

"""Long-polling: a request that the server holds until there is something (RFC 6202, 2.2).

Between an answer and the next request nobody is connected. A cursor closes that hole: what came
meanwhile is in the next answer. ``naive=True`` shows what happened before there were cursors.
"""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Item
from clients.kinds.http_client import HttpClient
from clients.options import Options, check_seconds

_LONGEST_HOLD_S = 86_400  # the server itself waits less


class LongPollingClient(HttpClient):
    """Asks, waits up to ``hold_s`` seconds for the answer, and asks again.

    ``naive`` asks without a cursor: only what is published while a request is held arrives, and
    what falls between two requests is lost.
    """

    __slots__ = ("_asked", "hold_s", "naive")
    technique = "long_polling"

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        hold_s: float = 25.0,
        naive: bool = False,
        keep_alive: bool = True,
        **options: Unpack[Options],
    ) -> None:
        self.hold_s = check_seconds("hold_s", hold_s, 0.001, _LONGEST_HOLD_S)
        self.naive = naive
        self._asked = False
        super().__init__(url, channel, keep_alive=keep_alive, **options)

    def _open(self) -> None:
        self._asked = False
        if self._cursor is None and not self.naive:
            # Without a cursor the server does not hold: it answers with the cursor of now.
            self._take_batch(self._get(self._target()))
        # Ask now, not when the first message is wanted: the time until then counts, too.
        self._ask()

    def _target(self) -> str:
        return self.address.target(
            "/long_polling",
            channel=self.channel,
            after=None if self.naive else self._cursor,
            timeout=f"{self.hold_s:.6f}".rstrip("0").rstrip("."),
            naive=1 if self.naive else None,
            name=self.name,
        )

    def _ask(self) -> None:
        self._down.ask("GET", self._target())
        self._asked = True

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if not self._asked:
            self._ask()
        answer = self._down.answer(deadline)
        if answer is None:
            return None
        self._asked = False
        return self._take_batch(answer)

"""Polling: ask again and again whether there is something new (RFC 6202, 2.1).

A message waits half an interval for the next request, on average, and most requests bring
nothing: the head is the price of asking. What makes it cheap at high rates is the batch: one
answer carries all that came since.
"""

from collections.abc import Sequence

from clients.client import Item
from clients.kinds.ticking_client import TickingClient
from clients.net.http import Answer


class PollingClient(TickingClient):
    """Asks every ``interval`` seconds, each time with the last cursor."""

    __slots__ = ()
    technique = "polling"

    def _target(self) -> str:
        return self.address.target(
            "/polling", channel=self.channel, after=self._cursor, name=self.name
        )

    def _take(self, answer: Answer) -> Sequence[Item]:
        return self._take_batch(answer)

"""Publishes on schedule, whatever happens to the messages: the open load.

Each message carries when it was due, not when it left. If the server stands still, what becomes
due meanwhile leaves late, with the old times in it; so the receivers' latencies count the whole
delay.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile

import gevent

from clients.errors import ClientError
from clients.foreign.peer_file import PeerFile
from loadtests.measures.measure import WARM_UP
from loadtests.measures.peer_line import PeerLine
from loadtests.measures.published import Published
from loadtests.measures.server_clock import ServerClock
from loadtests.measures.server_line import ServerLine

SENDER = "publisher"
LINES = 8  # messages that may be under way at once
_ROUNDING_NS = 1_100_000
_WORTH_NS = 4_000_000


Report = Callable[[float, BaseException | None], None]


def sleep_until(due_ns: int) -> None:
    """Sleep until ``due_ns`` (monotonic), more exactly than the loop's timers do.

    Those round up to whole milliseconds, which would be half a millisecond on every latency. So
    the last one is spent going round the loop, where others have their turn; not at high rates,
    where that would be all that the loop does.
    """
    early = due_ns - time.monotonic_ns()
    if early > _WORTH_NS:
        gevent.sleep((early - _ROUNDING_NS) / 1e9)
        while time.monotonic_ns() < due_ns:
            gevent.idle(gevent.get_hub().loop.MAXPRI)  # once round, whatever there is to read
    while (early := due_ns - time.monotonic_ns()) > 0:
        gevent.sleep(early / 1e9)


def overdue(times: Iterator[float], start_ns: int) -> Iterator[float]:
    """Yield the next of ``times`` (seconds after ``start_ns``) that are past already."""
    now = (time.monotonic_ns() - start_ns) / 1e9
    return takewhile(lambda seconds: seconds < now, times)


class Publisher:
    """Publishes ``text`` on several lines at once, so that a slow answer holds nobody up.

    To a ``peer`` there is one line only, so that no order is lost on our side.

    ``report`` gets each publish's duration in ms and its error, ``late`` by how many ns a message
    left too late; waiting for the server's answers does not count there, for that is the server's.
    Messages say when they were due by the server's ``clock``.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        text: str,
        report: Report,
        late: Callable[[int], None],
        peer: PeerFile | None = None,
        clock: ServerClock | None = None,
    ) -> None:
        self.published = Published()
        self._clock = clock or ServerClock()
        self._lines = [ServerLine(url, channel) for _ in range(LINES)]
        if peer is not None:
            self._lines = [PeerLine(url, peer)]
        self._text = text
        self._report = report
        self._late = late

    def run(
        self, due: Iterable[float], warm_up_s: float, start_ns: int, patience_s: float | None = None
    ) -> None:
        """Publish at each of the ``due`` times (seconds after ``start_ns``, monotonic).

        What is due within ``warm_up_s`` is sent as warm-up. Ends at the latest ``patience_s`` after
        ``start_ns``: a server that takes nothing would be asked for ever. Counts as it goes, so it
        may be killed at any time; what was due by then and never left counts as asked.
        """
        times = iter(due)
        lanes = [gevent.spawn(self._lane, line, times, warm_up_s, start_ns) for line in self._lines]
        left_s = None
        if patience_s is not None:
            left_s = max(patience_s - (time.monotonic_ns() - start_ns) / 1e9, 0.0)
        try:
            gevent.joinall(lanes, left_s)
        finally:
            gevent.killall(lanes)
            late = sum(seconds >= warm_up_s for seconds in overdue(times, start_ns))
            self.published.asked += late

    def cursor(self) -> str:
        """Ask where the channel is, and remember it. Raises ``ClientError``."""
        cursor = self._lines[0].cursor()
        self.published.note(cursor)
        return cursor

    def close(self) -> None:
        """Close all lines, and account for their bytes."""
        for line in self._lines:
            self.published.flow.add(line.flow())
            line.close()

    def _lane(
        self, line: ServerLine, times: Iterator[float], warm_up_s: float, start_ns: int
    ) -> None:
        published = self.published
        free_ns = start_ns
        # Every lane takes the next time that none has taken yet.
        for seconds in times:
            due_ns = start_ns + int(seconds * 1e9)
            timed = seconds >= warm_up_s
            sleep_until(due_ns)
            began_ns = time.monotonic_ns()
            published.asked += timed
            self._late(began_ns - max(due_ns, free_ns))
            error: ClientError | None = None
            try:
                sender, sent_ns = SENDER if timed else WARM_UP, self._clock.to_server(due_ns)
                published.note(line.publish(self._text, sender, sent_ns))
            except ClientError as problem:
                error = problem
            if not timed:
                published.warm_up += error is None
            elif error is None:
                published.accepted += 1
            else:
                published.failed += 1
            free_ns = time.monotonic_ns()
            self._report((free_ns - began_ns) / 1e6, error)

"""Publishes on schedule, whatever happens to the messages: the open load.

Each message carries when it was due, not when it left. If the server stands still, what becomes
due meanwhile leaves late, with the old times in it; so the receivers' latencies count the whole
delay.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent

from clients.address import parse_address
from clients.errors import ClientError, UnexpectedAnswerError, refused
from clients.headers import make_headers
from clients.http import HttpConnection
from clients.traffic import Traffic
from loadtests.measure import WARM_UP, Flow
from wire.cursor import parse_cursor
from wire.errors import WireError
from wire.message import dump_json, load_json

TIMEOUT_S = 10.0
SENDER = "publisher"
LINES = 8  # messages that may be under way at once
_ROUNDING_NS = 1_100_000
_WORTH_NS = 4_000_000


class ServerLine:
    """One kept HTTP connection to the server itself: publishes, and asks where a channel is."""

    def __init__(self, url: str, channel: str) -> None:
        self.traffic = Traffic()
        self.text_bytes = 0
        address = parse_address(url)
        self._http = HttpConnection(address, self.traffic, make_headers("lean", address), TIMEOUT_S)
        self._publish = address.target("/publish", channel=channel)
        self._stats = address.target("/stats")
        self._channel = channel

    def publish(self, text: str, sender: str, sent_ns: int) -> str:
        """Publish one text and return the cursor after it. Raises ``ClientError``."""
        body = dump_json({"text": text, "sender": sender, "sent_ns": sent_ns})
        self.text_bytes += len(text.encode())
        fields = (("Content-Type", "application/json"),)
        answer = self._ask("POST", self._publish, 201, body, fields)
        return str(load_json(answer)["cursor"])

    def cursor(self) -> str:
        """Return the channel's cursor of now, empty if there is no such channel.

        Raises ``ClientError``.
        """
        channels = self.stats().get("channels", {})
        return str(channels.get(self._channel, {}).get("cursor", ""))

    def stats(self) -> dict[str, Any]:
        """Return the server's ledger. Raises ``ClientError``."""
        return load_json(self._ask("GET", self._stats, 200))

    def flow(self) -> Flow:
        """Return what publishing has cost so far."""
        flow = Flow(message_bytes_up=self.text_bytes, connections=self.traffic.connections)
        flow.count(self.traffic.tcp_info(), self.traffic.bytes_down, self.traffic.bytes_up)
        return flow

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _ask(
        self,
        method: str,
        target: str,
        expected: int,
        body: bytes = b"",
        fields: tuple[tuple[str, str], ...] = (),
    ) -> bytes:
        try:
            self._http.ask(method, target, body, fields)
            answer = self._http.answer(time.monotonic() + TIMEOUT_S)
        except (ClientError, WireError) as error:
            self._http.close()
            raise (
                error if isinstance(error, ClientError) else UnexpectedAnswerError(str(error))
            ) from error
        if answer is None:
            self._http.close()
            raise UnexpectedAnswerError(f"{method} {target}: no answer within {TIMEOUT_S:g} s")
        if answer.head.status != expected:
            raise refused(answer.head, answer.body)
        return answer.body


@dataclass(slots=True)
class Published:
    """What became of the schedule; warm-up messages are in ``warm_up`` only.

    ``asked`` were due, ``accepted`` were answered with 201, ``failed`` were refused or lost;
    ``finals`` has the last id seen for each epoch of the channel.
    """

    asked: int = 0
    accepted: int = 0
    failed: int = 0
    warm_up: int = 0
    began_ns: int = 0
    finals: dict[str, int] = field(default_factory=dict)
    flow: Flow = field(default_factory=Flow)

    def note(self, cursor: str) -> None:
        """Remember how far the channel is."""
        if cursor:
            at = parse_cursor(cursor)
            self.finals[at.epoch] = max(at.id, self.finals.get(at.epoch, 0))


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
            gevent.sleep(0)
    while (early := due_ns - time.monotonic_ns()) > 0:
        gevent.sleep(early / 1e9)


class Publisher:
    """Publishes ``text`` on several lines at once, so that a slow answer holds nobody up.

    ``report`` gets each publish's duration in ms and its error, ``late`` by how many ns a message
    left too late; waiting for the server's answers does not count there, for that is the server's.
    """

    def __init__(
        self, url: str, channel: str, text: str, report: Report, late: Callable[[int], None]
    ) -> None:
        self.published = Published()
        self._lines = [ServerLine(url, channel) for _ in range(LINES)]
        self._text = text
        self._report = report
        self._late = late

    def run(self, due: Iterable[float], warm_up_s: float, start_ns: int) -> None:
        """Publish at each of the ``due`` times (seconds after ``start_ns``, monotonic).

        What is due within ``warm_up_s`` is sent as warm-up. Counts as it goes, so it may be
        killed at any time.
        """
        times = iter(due)
        lanes = [gevent.spawn(self._lane, line, times, warm_up_s, start_ns) for line in self._lines]
        try:
            gevent.joinall(lanes)
        finally:
            gevent.killall(lanes)

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
                published.note(line.publish(self._text, SENDER if timed else WARM_UP, due_ns))
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

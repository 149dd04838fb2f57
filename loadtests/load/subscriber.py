"""One client of one technique, connected, audited and measured: what a user does, without Locust.

What it receives is measured in one place only (:mod:`loadtests.measures.measure`); what it does
is the scenario's business (:mod:`loadtests.scenarios`).
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gevent
from locust.env import Environment

import clients
from clients.client import Client
from clients.errors import ClientError
from clients.foreign.opening import open_foreign, stray_words
from loadtests.load import locust_rows as rows
from loadtests.load.session import Session, SoFar
from loadtests.measures.audit import Auditor
from loadtests.measures.measure import Flow, Measure
from loadtests.measures.server_line import ServerLine
from loadtests.plan.options import OWN_CHANNELS
from wire.cursor import parse_cursor
from wire.message import Gap, Message

_RETRY_S = 1.0


class Subscriber:
    """Subscribes by ``technique`` at ``host``; ``options`` are those of the technique's client.

    ``number`` is its own in this process, ``channel`` what it subscribes to; ``talker`` is the
    greenlet that sends beside it, where its scenario has one.
    """

    client: Client
    sent = 0  # messages into a channel of its own

    def __init__(self, run: Session, technique: str, host: str, options: dict[str, Any]) -> None:
        self.session = run
        self.environment: Environment = run.environment
        self.technique = technique
        self.host = host
        self.number = run.next_number()
        self.channel = self._own_channel()
        self.measure: Measure = run.measure(technique)
        self.closed_parts: tuple[tuple[str, Auditor], ...] = ()  # of epochs that have ended
        self.auditor: Auditor | None = None
        self.epoch = ""
        self._start = 0
        self.talker: gevent.Greenlet | None = None
        self._options = options
        self._is_late = False  # it came when the load had begun

    def _own_channel(self) -> str:
        """Return the test's channel, or one of its own where each user has one."""
        settings = self.session.settings
        if settings.scenario in OWN_CHANNELS:
            return f"{settings.channel}.{self.session.process}.{self.number}"
        return settings.channel

    def join(self) -> None:
        """Connect, trying again until it works, and join the session."""
        self.client = self._connect()
        # A client that does without a cursor still began somewhere.
        cursor = self._start_cursor()
        if cursor:
            self.epoch = parse_cursor(cursor).epoch
        self._start = parse_cursor(cursor).id if cursor else 0
        self._is_late = self.session.begun.is_set()
        self.auditor = Auditor(self._start)
        self._before = self._flow()
        self._before_bytes = self.client.bytes_down
        self.session.members.add(self)

    def leave(self) -> None:
        """Account for what came so far, if that was not done yet, and close."""
        self.fall_silent()
        self.settle({})
        if client := getattr(self, "client", None):
            client.close()

    def _connect(self) -> Client:
        while True:
            began_ns = time.monotonic_ns()
            try:
                client = self._open()
            except (ClientError, OSError) as error:
                rows.add_event(self.environment, rows.CONNECT, self.technique, 0.0, error)
                self.session.fail(f"{type(error).__name__}: {error}")
                gevent.sleep(_RETRY_S)
                continue
            took_ns = time.monotonic_ns() - began_ns
            self.measure.tallies["connect"].record(took_ns)
            rows.add_event(self.environment, rows.CONNECT, self.technique, took_ns / 1e6)
            return client

    def _open(self) -> Client:
        peer = self.session.peer
        if peer is not None:
            return open_foreign(peer, self.technique, self.host, **self._options)
        return clients.open(self.technique, self.host, self.channel, **self._options)

    def _start_cursor(self) -> str:
        if self.session.peer is not None:
            return ""  # we number its messages ourselves, and begin when all are connected
        return self.client.cursor or self._channel_cursor()

    def _channel_cursor(self) -> str:
        line = ServerLine(self.host, self.channel)
        try:
            return line.cursor()
        finally:
            line.close()

    def receive(self) -> None:
        """Take in whatever comes, for ever."""
        client = self.client
        while True:
            try:
                items = client.receive_many()
            except ClientError as error:
                rows.add_event(self.environment, rows.MESSAGE, self.technique, 0.0, error)
                self.session.fail(f"{type(error).__name__}: {error}")
                gevent.sleep(_RETRY_S)
                continue
            self.take_all(items)

    def take_all(self, items: Sequence[Message | Gap]) -> None:
        """Audit and measure what one read brought.

        On a stream all of it has the stamp of the last, so the others may have come earlier: any
        time since it was last known that nothing is there.
        """
        *others, last = items
        earliest_ns = None if self.client.asked_ns else self.session.turns.unread_since_ns
        for item in others:
            self.take(item, earliest_ns)
        self.take(last)

    def take(self, item: Message | Gap, earliest_ns: int | None = None) -> None:
        """Audit and measure one received item."""
        if type(item) is Message:
            if self.auditor is not None and self.auditor.take(item.id):
                client = self.client
                self.measure.take_message(item, client.asked_ns, client.arrived_ns, earliest_ns)
        elif isinstance(item, Gap):
            self._pass_gap(item)

    def _pass_gap(self, gap: Gap) -> None:
        """Begin a new audit if the channel's history began anew; ids lost within one are lost."""
        cursor = parse_cursor(gap.cursor)
        epoch, last_id = cursor.epoch, cursor.id
        if epoch != self.epoch and self.auditor is not None:
            self.closed_parts = (*self.closed_parts, (self.epoch, self.auditor))
            self.epoch, self.auditor = epoch, Auditor(last_id)
            self.sent, self._start = 0, last_id

    def count_up(self, text: str) -> None:
        """Count a text that this user sends as a message's bytes, not as framing."""
        self.measure.flow.message_bytes_up += len(text.encode())

    def begin(self) -> None:
        """Count bytes from now on: what was asked before the load would count for nothing."""
        self._before = self._flow()

    def so_far(self) -> SoFar:
        """Return what this user knows before it settles."""
        missing = self.auditor.missing if self.auditor is not None else 0
        return SoFar(1, missing, self.client.bytes_down - self._before_bytes)

    def has_all(self, finals: Mapping[str, int]) -> bool:
        """Whether everything has come, up to the last id of the latest epoch."""
        if self.auditor is None:
            return True
        finals = self._expected(finals)
        # In the order in which the publisher saw them; who has no epoch yet came before the first.
        latest = list(finals)[-1] if finals else self.epoch
        return self.epoch in ("", latest) and self.auditor.has_all(finals.get(latest, 0))

    def settle(self, finals: Mapping[str, int]) -> None:
        """Hand audit and byte counts to the measure, once."""
        auditor, self.auditor = self.auditor, None
        if auditor is None:
            return
        self.session.members.discard(self)
        if auditor.last == self._start and (words := stray_words(self.client)):
            self.session.fail(words)
        finals = self._expected(finals)
        if not self.epoch and self.session.peer is None and self.client.cursor:
            self.epoch = parse_cursor(self.client.cursor).epoch
        if not self.epoch and len(finals) == 1:
            (self.epoch,) = finals  # the channel began after this user
        # Epochs that began after this user's last one are missing as a whole. They stand in the
        # order in which the publisher saw them.
        epochs = list(finals)
        known = epochs.index(self.epoch) + 1 if self.epoch in finals else len(epochs)
        parts = [*self.closed_parts, (self.epoch, auditor)]
        # Who was there from the beginning should have the others, too: servers that know nothing
        # of each other have an epoch each.
        mine = {epoch for epoch, _ in parts}
        unheard = epochs[known:] if self._is_late else [one for one in epochs if one not in mine]
        parts += [(epoch, Auditor(0)) for epoch in unheard]
        for epoch, part in parts:
            self.measure.audit += part.close(finals.get(epoch, 0))
        flow = self._flow()
        flow.subtract(self._before)
        self.measure.flow.add(flow)

    def _expected(self, finals: Mapping[str, int]) -> Mapping[str, int]:
        """Return the last ids: nobody but this user knows that of a channel of its own."""
        return {self.epoch: self._start + self.sent} if self.sent else finals

    def fall_silent(self) -> None:
        """Send nothing more."""
        if self.talker is not None:
            self.talker.kill()

    def _flow(self) -> Flow:
        """Read the byte counts of this user's connections."""
        client = self.client
        flow = Flow(requests=client.requests, connections=client.connections)
        flow.count(client.tcp_info(), client.bytes_down, client.bytes_up, client.tls())
        return flow

"""The verbs that all clients share, and what happens when a connection is lost.

A technique's own file says how to open its connection and what one read of it brings; here is
the rest: deadlines, the cursor, reconnecting, counting.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self, Unpack

from clients.errors import ClientError, ClosedError, RefusedError, UnexpectedAnswerError
from clients.net.backoff import LONGEST_S
from clients.net.headers import make_headers
from clients.net.reconnecting import Reconnecting, State
from clients.net.schedule import sleep_until
from clients.net.traffic import Accounted, Traffic
from clients.options import Options, Receipt, address_of, check_options
from wire.errors import WireError
from wire.message import Body, Gap, Message

Item = Message | Gap


class Client(Accounted, ABC):
    """One subscriber to one channel; also its sender. Made, it is connected.

    Whatever is published once the constructor has returned will be received. Iterating gives the
    messages; a gap is then only to be seen in ``last_gap``. One thread may receive while another
    sends; :meth:`close` may come from any.
    """

    __slots__ = (
        "_after_handed",
        "_closed",
        "_cursor",
        "_failure",
        "_headers",
        "_pending",
        "_reconnecting",
        "_timeout",
        "address",
        "arrived_ns",
        "asked_ns",
        "channel",
        "last_gap",
        "name",
    )
    technique: ClassVar[str]
    _mended_s: ClassVar[float] = LONGEST_S  # a connection that held so long counts as mended

    def __init__(self, url: str, channel: str = "lobby", **options: Unpack[Options]) -> None:
        check_options(type(self), options)
        self.address = address_of(url, options)
        self.channel = channel
        self.name = options.get("name")
        self.last_gap: Gap | None = None
        self.arrived_ns = 0  # monotonic time at which the last read that brought something returned
        self.asked_ns = 0  # when the request that brought it was sent; 0 on a stream
        self._headers = make_headers(
            options.get("headers", "lean"), self.address, tuple(options.get("extra_headers", ()))
        )
        self._timeout = options.get("timeout", 10.0)
        self._reconnecting = Reconnecting(
            options.get("reconnects", 10), options.get("jitter", True), self._mended_s
        )
        self._traffic = Traffic()
        self._cursor = options.get("after")
        self._after_handed: Item | None = None
        self._pending: list[Item] = []  # the next one last
        self._failure: ClientError | None = None  # to be raised once all before it was handed out
        self._closed = False
        self._prepare()
        try:
            self._begin()
        except WireError as error:
            self.close()
            raise UnexpectedAnswerError(str(error)) from error
        except BaseException:
            self.close()
            raise

    # What a technique does its own way.

    def _prepare(self) -> None:
        """Make what lasts as long as the client does."""

    @abstractmethod
    def _open(self) -> None:
        """Connect and subscribe behind the cursor, within the timeout."""

    @abstractmethod
    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        """Return what the next read completes, perhaps nothing; ``None`` when time is up."""

    @abstractmethod
    def _shut(self) -> None:
        """Close the connection that receives."""

    @abstractmethod
    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        """Publish text or bytes; return the receipt where the technique gives one.

        ``sent_ns`` is the intended send time in monotonic nanoseconds; without it the channel
        takes the time of arrival. Raises :class:`~clients.errors.RefusedError`, or
        :class:`~clients.errors.ConnectionLostError`: then it may or may not be published.
        """

    @property
    @abstractmethod
    def requests(self) -> int:
        """HTTP requests sent so far, handshakes included."""

    # The verbs.

    def receive(self, timeout: float | None = None) -> Item | None:
        """Return the next message or gap notice, ``None`` when ``timeout`` seconds have passed.

        A timeout loses nothing, not even in the middle of a message. Only a reconnect under way
        may take longer. Raises an error of :mod:`clients.errors`.
        """
        if self._pending:
            item = self._pending.pop()
        else:
            items = self.receive_many(timeout)
            if not items:
                return None
            item = items[0]
            if len(items) > 1:
                self._pending = list(items[:0:-1])
        self._after_handed = item if self._pending else None
        return item

    def receive_many(self, timeout: float | None = None) -> Sequence[Item]:
        """Return all that became complete with one read, which was at ``arrived_ns``.

        An empty answer means that ``timeout`` seconds have passed.
        """
        if self._pending:
            items, self._pending, self._after_handed = self._pending[::-1], [], None
            return items
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._closed:
                raise ClosedError(f"this {self.technique} client is closed")
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            try:
                if self._reconnecting.state is State.LOST and not self._reopen(deadline):
                    return ()
                received = self._read(deadline)
            except (ClientError, WireError) as error:
                self._lost(error)
                continue
            if received is None:
                return ()
            if received:
                self._reconnecting.proved()
                for item in received:
                    if type(item) is Gap:
                        self.last_gap = item
                return received
            if deadline is not None and time.monotonic() >= deadline:
                return ()  # something comes all the time, but nothing that is whole

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        while True:
            try:
                item = self.receive()
            except ClosedError:
                raise StopIteration from None
            if isinstance(item, Message):
                return item

    def close(self) -> None:
        """Leave the channel and close all connections; closing twice does nothing."""
        if not self._closed:
            self._closed = True
            self._shut()
            self._traffic.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def cursor(self) -> str | None:
        """Where to resume: behind the last message that was handed out."""
        item = self._after_handed
        if item is None:
            return self._cursor
        return item.cursor if isinstance(item, Gap) else self._cursor_at(item.id)

    # For the techniques.

    def _cursor_at(self, message_id: int) -> str:
        """Return the cursor behind a message of the present epoch."""
        return f"{(self._cursor or '').rpartition('-')[0]}-{message_id}"

    def _follow(self, items: Sequence[Item], arrived_ns: int) -> Sequence[Item]:
        """Note the arrival of ``items``, on a stream whose items do not carry the cursor."""
        if items:
            self.arrived_ns = arrived_ns
            for item in items if len(items) > 1 else ():
                if type(item) is Gap:
                    self._cursor = item.cursor  # perhaps of another epoch
            last = items[-1]
            self._cursor = last.cursor if isinstance(last, Gap) else self._cursor_at(last.id)
        return items

    def _limit(self) -> float:
        """Return the deadline of a handshake that begins now."""
        return time.monotonic() + self._timeout

    # Reconnecting.

    def _begin(self) -> None:
        """Open for the first time: errors come at once, except where the server said "later"."""
        while True:
            try:
                self._open()
            except RefusedError as error:
                if error.retry_after_s is None:
                    raise
                self._lost(error)
                sleep_until(self._reconnecting.retry_at, None)
                continue
            self._reconnecting.opened()
            return

    def _reopen(self, deadline: float | None) -> bool:
        if not sleep_until(self._reconnecting.retry_at, deadline):
            return False
        if self._closed:
            raise ClosedError(f"this {self.technique} client is closed")
        self._open()
        self._reconnecting.opened()
        return True

    def _lost(self, error: ClientError | WireError) -> None:
        """Close what is broken and plan the next attempt, or raise."""
        if self._closed:
            raise ClosedError(f"this {self.technique} client was closed") from error
        self._shut()
        self._reconnecting.lost(error)

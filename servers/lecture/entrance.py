"""The page's port: who comes in, where one address or all together hold too many sockets.

Then a newcomer may still say what it wants, for a moment. With the lecturer's key it comes in;
anybody else is told to come back.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from servers.front.handover import FULL, Front, Listener
from servers.front.heads import LONGEST_ADDRESS, LONGEST_FIELDS
from servers.front.places import Places
from wire.http_head import END

_MOST_ASKED = 24  # newcomers at a time that may say something; beyond, they are cut
_ASKING_SECONDS = 2.0
_LONGEST_HEAD = LONGEST_ADDRESS + LONGEST_FIELDS


class _Placed(asyncio.Protocol):
    """A connection that holds a place; aiohttp's protocol does the rest."""

    def __init__(self, entrance: "Entrance") -> None:
        self._entrance = entrance
        self._timer: asyncio.TimerHandle | None = None
        self._head = b""
        self._front: Front | None = None
        self._address = ""
        self._has_place = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, or hear first what is asked."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0] if peer else ""
        self._has_place = self._entrance.places.take(self._address)
        if self._has_place:
            self._let_in()
        elif self._entrance.asked >= _MOST_ASKED:
            self._transport.abort()
        else:
            self._entrance.asked += 1
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_ASKING_SECONDS, self._transport.abort)

    def _let_in(self) -> None:
        self._front = self._entrance.listener.front()
        self._front.connection_made(self._transport)

    def _ask_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._entrance.asked -= 1

    def data_received(self, data: bytes) -> None:
        """Pass on what came."""
        if self._front is not None:
            self._front.data_received(data)
            return
        self._head += data
        if END not in self._head and len(self._head) <= _LONGEST_HEAD:
            return
        self._ask_no_more()
        if self._entrance.has_key(self._head):
            self._let_in()
            assert self._front is not None
            self._front.data_received(self._head)
        else:
            self._transport.write(FULL.raw())
            self._transport.close()

    def eof_received(self) -> bool:
        """Pass on."""
        return self._front.eof_received() if self._front is not None else False

    def pause_writing(self) -> None:
        """Pass on."""
        if self._front is not None:
            self._front.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        if self._front is not None:
            self._front.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._ask_no_more()
        if self._has_place:
            self._entrance.places.give(self._address)
        if self._front is not None:
            self._front.connection_lost(exc)


class Entrance:
    """Makes the protocol of each connection; ``has_key`` looks for the key in a request's head."""

    def __init__(
        self, listener: Listener, places: Places, has_key: Callable[[bytes], bool]
    ) -> None:
        self.listener = listener
        self.places = places
        self.has_key = has_key
        self.asked = 0

    def __call__(self) -> asyncio.Protocol:
        """Make a protocol."""
        return _Placed(self)

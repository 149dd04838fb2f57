"""What passed on a page's lines lately, as a file for Wireshark.

It is made from what the relays' traces still hold, so it costs memory and work for one page at a
time, and a bounded part of both: whoever asks again and again waits.
"""

import asyncio
import io
import time
from ipaddress import ip_address
from itertools import takewhile
from operator import attrgetter
from typing import Final

from servers.lecture.lines import Lines
from servers.relay.capture import Capture, replay
from servers.relay.trace import TraceEvent

_MOST_EVENTS: Final = 1500
_MOST_LENGTH: Final = 8 * 2**20  # bytes that passed; of each event a part is kept
_REST: Final = 3.0  # times as long as a capture took nobody gets another

Events = dict[int, list[TraceEvent]]  # by the line's port


class Captures:
    """Makes captures of ``lines``, one after the other."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._one = asyncio.Lock()

    async def take(self, viewer: str, address: str) -> bytes:
        """Return the newest of what passed on the connections of a page at ``address``."""
        async with self._one:
            events = _newest(self._lines.events_of(viewer))
            delay_s = float(self._lines.link["delay_s"])
            began = time.monotonic()
            file = await asyncio.to_thread(_write, events, address, round(2e9 * delay_s))
            await asyncio.sleep(_REST * (time.monotonic() - began))
            return file


def _newest(events: Events) -> Events:
    every = [(event, port) for port, some in events.items() for event in some]
    every.sort(key=lambda one: one[0].t_ns, reverse=True)
    left = _MOST_LENGTH

    def fits(one: tuple[TraceEvent, int]) -> bool:
        nonlocal left
        left -= one[0].length
        return left >= 0

    kept: Events = {}
    for event, port in takewhile(fits, every[:_MOST_EVENTS]):
        kept.setdefault(port, []).append(event)
    return {port: sorted(some, key=attrgetter("seq")) for port, some in kept.items()}


def _write(events: Events, address: str, round_trip: int) -> bytes:
    file = io.BytesIO()
    capture = Capture(file)
    host = "::1" if ip_address(address).version == 6 else "127.0.0.1"
    for port, some in events.items():
        replay(capture, some, address, (host, port), round_trip)
    capture.write()
    return file.getvalue()

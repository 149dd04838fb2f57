"""What a server keeps of what readers of an event stream take for granted, asked by a peer file."""

import contextlib
import http.client
import time
from collections.abc import Callable, Iterator
from typing import Any

from clients.client import Client
from clients.errors import ClientError
from clients.foreign.opening import open_foreign
from clients.foreign.peer_file import read_peer_file
from loadtests.measures.peer_line import PeerLine
from notebooks.course.experiments.place import Place
from wire.event_stream import Event, EventStreamDecoder
from wire.message import Message
from wire.peer_text import read_text

_PATIENCE_S = 3.0
_QUIET_S = 0.5
_AWAY = 5  # texts that are said while a reader is away
_BIG = 64 * 1024


def promises(place: Place, file: str, texts: int = 50, most_mib: int = 8) -> dict[str, Any]:
    """Ask the server of the peer file ``file`` for three things.

    Returns ``in order`` (whether ``texts`` texts came, each once and in order), ``caught up`` (how
    many of five, said while a reader was away, it got when it came again as a browser does), and
    ``stopped after MiB``: how much was said until a reader that reads nothing kept it from another
    one; none if ``most_mib`` got through.
    """
    peer = read_peer_file(file)
    line = PeerLine(place.url, peer)
    path = peer.subscribe["sse"].path

    def publish(size: int = 100) -> None:
        line.publish("x" * size, "promises", time.monotonic_ns())

    def reader() -> Client:
        return open_foreign(peer, "sse", place.url, reconnects=0)

    found: dict[str, Any] = {}
    with reader() as one:
        for _ in range(texts):
            publish()
        came = [one.receive(_PATIENCE_S) for _ in range(texts)]
        ids = [item.id for item in came if isinstance(item, Message)]
        found["in order"] = ids == list(range(1, texts + 1))
    with _event_source(place, path) as events:
        publish()
        last = next((event.last_event_id for event in events if read_text(event.data)), "")
    for _ in range(_AWAY):
        publish()
    with _event_source(place, path, last) as events:
        found["caught up"] = sum(len(read_text(event.data)) for event in events)
    with reader(), reader() as other:  # the first one reads nothing
        said = 0
        with contextlib.suppress(ClientError):
            while said < most_mib * 2**20 and _hears(publish, other):
                said += _BIG
    found["stopped after MiB"] = round(said / 2**20, 1) if said < most_mib * 2**20 else None
    line.close()
    return found


def _hears(publish: Callable[[int], None], other: Client) -> bool:
    """Say something big, and return whether a reader got it in good time."""
    publish(_BIG)
    return isinstance(other.receive(_PATIENCE_S), Message)


@contextlib.contextmanager
def _event_source(place: Place, path: str, last: str = "") -> Iterator[Iterator[Event]]:
    """Open a stream as a browser's EventSource does; its events, until there is silence."""
    wire = http.client.HTTPConnection(place.url.removeprefix("http://"), timeout=_QUIET_S)
    wire.request("GET", path, headers={"Last-Event-ID": last} if last else {})
    answer = wire.getresponse()

    def events() -> Iterator[Event]:
        decoder = EventStreamDecoder()
        with contextlib.suppress(TimeoutError):
            while data := answer.read1():
                yield from decoder.decode(data)

    try:
        yield events()
    finally:
        wire.close()

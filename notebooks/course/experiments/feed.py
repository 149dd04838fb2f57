"""Experiments with a feed: how long do messages take, and what passes the wire meanwhile?"""

import base64
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

from clients.client import Client
from notebooks.course.experiments.place import Place, Teller, fresh_channel, sleep_to
from wire.message import Message
from wire.techniques import BY_SLUG, OWN_PORT, SLUGS

_GRACE_S = 3.0  # how long to wait for the last message beyond an interval


def due_times(rate: float, count: int, arrivals: str, seed: int) -> list[float]:
    """Return when ``count`` messages are due, in s: ``"even"`` or by chance (``"poisson"``)."""
    if arrivals == "even":
        return [n / rate for n in range(count)]
    chance = random.Random(seed)
    times, now = [], 0.0
    for _ in range(count):
        now += chance.expovariate(rate)
        times.append(now)
    return times


def publish(place: Place, channel: str, due: Sequence[float], text: str) -> list[float]:
    """Publish on an open schedule: each message carries the time at which it was due.

    Returns these times, in monotonic seconds.
    """
    with place.sender(channel) as sender:
        start = time.monotonic() + 0.05
        for seconds in due:
            sleep_to(start + seconds)
            sender.send(text, sent_ns=int((start + seconds) * 1e9))
    return [start + seconds for seconds in due]


class _Ear(threading.Thread):
    """One subscriber, listening until it has ``count`` messages or its time is up."""

    def __init__(self, client: Client, count: int, limit: float) -> None:
        super().__init__(daemon=True)
        self.client, self.count, self.limit = client, count, limit
        self.latency_ms: list[float] = []
        self.seen: set[int] = set()
        self.doubled = self.batches = 0

    def run(self) -> None:
        while len(self.seen) < self.count and (left := self.limit - time.monotonic()) > 0:
            items = self.client.receive_many(left)
            self.batches += bool(items)
            for item in items:
                if not isinstance(item, Message):
                    continue
                if item.id in self.seen:
                    self.doubled += 1
                    continue
                self.seen.add(item.id)
                took = (self.client.arrived_ns - item.sent_ns) / 1e6
                self.latency_ms.append(round(took, 3))

    def report(self) -> dict[str, Any]:
        client = self.client
        return {
            "latency_ms": self.latency_ms,
            "lost": self.count - len(self.seen),
            "doubled": self.doubled,
            "requests": client.requests,
            "answers_with_news": self.batches,
            "connections": client.connections,
            "bytes_up": client.bytes_up,
            "bytes_down": client.bytes_down,
        }


def feed(
    place: Place,
    technique: str | Sequence[str],
    rate: float,
    count: int,
    arrivals: str = "poisson",
    seed: int = 1,
    size: int = 20,
    interval: float = 1.0,
    **options: Any,
) -> Any:
    """Listen to ``count`` messages at ``rate`` per second, by one technique or by several at once.

    Returns, for each technique, ``latency_ms`` from the intended send time, ``lost``,
    ``doubled``, ``requests``, ``answers_with_news``, ``connections``, ``bytes_up``,
    ``bytes_down``. ``interval`` is for those that ask; other options are the client's own.
    """
    slugs = [technique] if isinstance(technique, str) else list(technique)
    channel = fresh_channel("feed")
    due = due_times(rate, count, arrivals, seed)
    limit = time.monotonic() + due[-1] + interval + _GRACE_S
    ears = []
    for slug in slugs:
        asking = {"interval": interval} if BY_SLUG[slug].asks else {}
        ears.append(_Ear(place.open(slug, channel, **asking, **options), count, limit))
    for ear in ears:
        ear.start()
    with Teller({slug: ear.latency_ms for slug, ear in zip(slugs, ears, strict=True)}):
        publish(place, channel, due, "x" * size)
        for ear in ears:
            ear.join(max(limit + 1 - time.monotonic(), 0.1))
    found = {slug: ear.report() for slug, ear in zip(slugs, ears, strict=True)}
    for ear in ears:
        ear.client.close()
    return found[slugs[0]] if isinstance(technique, str) else found


def crowd(
    place: Place,
    clients: int = 5,
    rate: float = 100,
    count: int = 200,
    technique: str = "long_polling",
) -> dict[str, float]:
    """Let several clients of one technique listen at once, and audit what they got together.

    Returns how many deliveries were ``lost`` and ``doubled``, ``mean_ms`` and ``requests``.
    """
    channel = fresh_channel("crowd")
    due = due_times(rate, count, "poisson", 1)
    limit = time.monotonic() + due[-1] + _GRACE_S
    ears = [_Ear(place.open(technique, channel), count, limit) for _ in range(clients)]
    for ear in ears:
        ear.start()
    with Teller({technique: ears[0].latency_ms}):
        publish(place, channel, due, "hola")
        for ear in ears:
            ear.join(max(limit + 1 - time.monotonic(), 0.1))
    found = [ear.report() for ear in ears]
    for ear in ears:
        ear.client.close()
    late = [ms for one in found for ms in one["latency_ms"]]
    return {
        "lost": sum(one["lost"] for one in found),
        "doubled": sum(one["doubled"] for one in found),
        "mean_ms": round(sum(late) / max(len(late), 1), 2),
        "requests": sum(one["requests"] for one in found),
    }


def one_message(place: Place, text: str = "hola", interval: float = 1.0) -> Any:
    """Send one message through all techniques at once; return ms and what each client had to do.

    It comes at a moment of its own in the interval, each time another one: at a fixed moment
    after the clients came, those that ask would always be as quick or as slow.
    """
    channel = fresh_channel("one")
    limit = time.monotonic() + 2 * interval + _GRACE_S
    ears = {}
    for slug in SLUGS:
        asking = {"interval": interval} if BY_SLUG[slug].asks else {}
        ears[slug] = _Ear(place.open(slug, channel, **asking), 1, limit)
    for ear in ears.values():
        ear.start()
    publish(place, channel, [random.uniform(0.1, 1.1) * interval], text)
    for ear in ears.values():
        ear.join(max(limit + 1 - time.monotonic(), 0.1))
    return {slug: ear.report() for slug, ear in ears.items()}


def echo(
    place: Place, technique: str, count: int, interval: float = 1.0, run: int = 0
) -> list[float]:
    """Say something and wait until it comes back, ``count`` times; return each time in ms.

    ``run`` only tells one repeat from the next.
    """
    channel = fresh_channel("echo")
    asking = {"interval": interval} if BY_SLUG[technique].asks else {}
    found = []
    with place.open(technique, channel, **asking) as client:
        client.send("warm up")  # opens what is opened once
        client.receive(5)
        for _ in range(count):
            began = time.monotonic_ns()
            client.send("hola", sent_ns=began)
            client.receive(5)
            found.append(round((client.arrived_ns - began) / 1e6, 3))
    return found


def opening(place: Place, count: int = 5) -> dict[str, list[float]]:
    """Return, for each technique, the ms from the first packet until it is ready to receive."""
    found: dict[str, list[float]] = {}
    for slug in SLUGS:
        found[slug] = []
        for _ in range(count):
            began = time.monotonic_ns()
            client = place.open(slug, fresh_channel("open"))
            found[slug].append(round((time.monotonic_ns() - began) / 1e6, 3))
            client.close()
    return found


def trace(
    place: Place,
    technique: str,
    due: Sequence[float],
    interval: float = 1.0,
    say: str = "",
    after_s: float = 0.4,
) -> list[dict[str, Any]]:
    """Return what passed the relay while messages came at ``due`` (s): for sequence diagrams.

    ``say`` is sent up once, at the end. Each event has ``kind``, ``connection``, ``sent_ms`` and
    ``t_ms`` since the start, ``bytes``, and ``text``, the beginning of what passed (latin-1). The
    moments of publishing are events of their own, of the kind ``published``.
    """
    channel = fresh_channel("trace")
    relay = 1 if technique in OWN_PORT else 0
    events = place.trace(relay=relay)
    last = events[-1]["seq"] if events else 0
    asking = {"interval": interval} if BY_SLUG[technique].asks else {}
    began = time.monotonic_ns()
    with place.open(technique, channel, **asking) as client:
        ear = _Ear(client, len(due) + bool(say), time.monotonic() + 10)
        ear.start()
        published = publish(place, channel, due, "hola")
        if say:
            client.send(say)
        time.sleep(after_s)
        events = place.trace(last, relay)
    moments = [round(moment * 1000 - began / 1e6, 2) for moment in published]
    return [
        {"kind": "published", "connection": 0, "sent_ms": at, "t_ms": at, "bytes": 0, "text": ""}
        for at in moments
    ] + [
        {
            "kind": event["kind"],
            "connection": event["connection"],
            "sent_ms": round((event["entered_ns"] - began) / 1e6, 2),
            "t_ms": round((event["t_ns"] - began) / 1e6, 2),
            "bytes": event["length"],
            "text": base64.b64decode(event["data"])[:160].decode("latin-1"),
        }
        for event in events
    ]

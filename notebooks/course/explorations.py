"""What can be changed by hand in the notebooks: the dials, the model's curves, the measurement.

An exploration's first dial is its horizontal axis. Its lines are the models of
:mod:`results.models`; its experiment measures one point, within some seconds, where the dials are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from results import models

Values = Mapping[str, Any]
_ASKING = ("page_reload", "frame_reload", "polling")


@dataclass(frozen=True, slots=True)
class Dial:
    """Something to change: what it is called, from where to where, and where it begins."""

    name: str
    label: str
    low: float
    high: float
    step: float
    start: float


@dataclass(frozen=True, slots=True)
class Exploration:
    """A model under the reader's hands.

    ``lines(x, values)`` are the models' values by technique at ``x``. ``experiment(values)`` is the
    experiment's name and what it is asked; ``points(found, values)`` are its results by technique,
    and where they lie on the horizontal axis is ``at(found, values)``.
    """

    title: str
    y_label: str
    dials: tuple[Dial, ...]
    lines: Callable[[float, Values], Mapping[str, float]]
    experiment: Callable[[Values], tuple[str, dict[str, Any]]]
    points: Callable[[Any, Values], Mapping[str, float]]
    at: Callable[[Any, Values], float] | None = None
    log: str = ""


def _means(found: Any, values: Values) -> Mapping[str, float]:
    return {slug: fmean(feed["latency_ms"]) for slug, feed in found.items() if feed["latency_ms"]}


def _feed(*slugs: str, rate: float, seconds: float, **asked: Any) -> tuple[str, dict[str, Any]]:
    return "feed", {"technique": list(slugs), "rate": rate, "count": round(rate * seconds), **asked}


DELAY = Dial("delay_ms", "one-way delay D, ms", 0, 100, 5, 25)

STALENESS = Exploration(
    "Staleness",
    "mean latency, ms",
    (Dial("interval", "interval T, s", 0.1, 2, 0.1, 0.4), DELAY),
    lambda t, at: {"polling": models.polling_mean(t, at["delay_ms"] / 1000) * 1000},
    lambda at: _feed(
        "polling",
        rate=25,
        seconds=max(3, 4 * at["interval"]),
        interval=at["interval"],
        delay_ms=at["delay_ms"],
    ),
    _means,
)

TRANSITS = Exploration(
    "Long-polling",
    "mean latency, ms",
    (Dial("rate", "messages per second", 1, 60, 1, 20), DELAY),
    lambda rate, at: {
        "long_polling": models.long_polling_mean(
            rate, at["delay_ms"] / 1000, 2 * at["delay_ms"] / 1000
        )
        * 1000,
        "sse": float(at["delay_ms"]),
    },
    lambda at: _feed(
        "long_polling",
        "sse",
        rate=at["rate"],
        seconds=max(4, 20 / at["rate"]),
        delay_ms=at["delay_ms"],
    ),
    _means,
)

DISTANCE = Exploration(
    "What each adds to the distance",
    "mean latency, ms",
    (
        DELAY,
        Dial("interval", "interval T, s", 0.1, 1, 0.1, 0.5),
        Dial("rate", "messages per second", 1, 40, 1, 10),
    ),
    lambda delay, at: {
        "polling": models.polling_mean(at["interval"], delay / 1000) * 1000,
        "long_polling": models.long_polling_mean(at["rate"], delay / 1000, 2 * delay / 1000) * 1000,
        "sse": models.stream_mean(delay / 1000) * 1000,
    },
    lambda at: _feed(
        "polling",
        "long_polling",
        "sse",
        rate=at["rate"],
        seconds=max(4, 30 / at["rate"]) if at["rate"] > 2 else 8,
        interval=at["interval"],
        delay_ms=at["delay_ms"],
    ),
    _means,
)

_HEAD = 243.0  # bytes of a lean request and answer together


def _batch(n: float, at: Values) -> Mapping[str, float]:
    size = at["size"] + 86  # what the message's JSON has around its text
    return {
        "polling": models.polling_bytes(size, _HEAD, n, 1, models.SEGMENT_HEADER),
        "web_socket": models.frame_bytes(round(size), models.SEGMENT_HEADER),
    }


BATCHES = Exploration(
    "Who is lighter?",
    "bytes per message",
    (
        Dial("each", "messages per poll", 1, 40, 1, 2),
        Dial("size", "letters of a message", 20, 1000, 20, 20),
    ),
    _batch,
    lambda at: (
        "layers",
        {
            "technique": ["polling", "web_socket"],
            "count": 5,
            "each": at["each"],
            "size": at["size"],
        },
    ),
    lambda found, at: {slug: sum(parts.values()) for slug, parts in found.items()},
    log="xy",
)

QUEUE = Exploration(
    "A server that is kept busy",
    "mean latency, ms",
    (
        Dial("load", "utilisation", 0.1, 0.95, 0.05, 0.5),
        Dial("work_ms", "work for each request, ms", 1, 5, 0.5, 2),
    ),
    lambda load, at: {"M/D/1": at["work_ms"] * (1 + models.queue_wait(load, 1.0))},
    lambda at: ("weak_server", {"load": at["load"], "work_ms": at["work_ms"], "seconds": 3}),
    lambda found, at: {"M/D/1": fmean(found["latency_ms"])},
    at=lambda found, at: float(found["load"]),
)


def _traffic(rate: float, at: Values) -> Mapping[str, float]:
    """Bytes/s of one client, TCP/IP headers left out, from its notebook's bytes by layer."""
    interval = max(2 * (at["patience"] - at["delay_ms"] / 1000), 0.05)
    found = {}
    for slug in ("polling", "long_polling", "sse", "web_socket"):
        parts = at["layers"][slug]
        around = parts["framing down"] + parts["requests up"]
        asked = 1 / interval if slug in _ASKING else rate
        found[slug] = rate * parts["message"] + asked * around
    return found


def _asked_traffic(at: Values) -> tuple[str, dict[str, Any]]:
    interval = max(2 * (at["patience"] - at["delay_ms"] / 1000), 0.05)
    slugs = ("polling", "long_polling", "sse", "web_socket")
    seconds = max(4, 2 * interval)
    return _feed(
        *slugs, rate=at["rate"], seconds=seconds, interval=interval, delay_ms=at["delay_ms"]
    )


def _found_traffic(found: Any, at: Values) -> Mapping[str, float]:
    seconds = max(4, 2 * max(2 * (at["patience"] - at["delay_ms"] / 1000), 0.05))
    return {slug: (feed["bytes_up"] + feed["bytes_down"]) / seconds for slug, feed in found.items()}


TRAFFIC = Exploration(
    "Traffic for each client",
    "bytes/s, TCP/IP headers left out",
    (
        Dial("rate", "messages per second", 0.5, 20, 0.5, 2),
        Dial("patience", "patience L, s", 0.2, 3, 0.1, 1),
        DELAY,
    ),
    _traffic,
    _asked_traffic,
    _found_traffic,
    log="y",
)

EXPLORATIONS = {
    "staleness": STALENESS,
    "transits": TRANSITS,
    "distance": DISTANCE,
    "batches": BATCHES,
    "queue": QUEUE,
    "traffic": TRAFFIC,
}

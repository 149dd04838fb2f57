"""The models: what each technique should cost, as pure functions of a few symbols.

Symbols, the same everywhere: ``d`` one-way delay of the network in s, ``t`` interval between two
polls in s, ``rate`` messages per second in the channel (Poisson where chance matters), ``gap``
seconds between an answer and the server's sight of the next request, ``n`` clients, ``size``
payload in bytes, ``head`` bytes of request and response head together, ``h`` bytes of TCP and IP
header on one segment. Nothing is lost, nothing queues, connections are kept and schedules are at
a fixed rate, unless a docstring says otherwise.
"""

from math import exp

SEGMENT_HEADER = 52  # bytes: 20 of IPv4, 20 of TCP, 12 of the timestamps option


def polling_mean(t: float, d: float) -> float:
    """Mean delivery latency in s of anything that asks every ``t`` s: t/2 + d."""
    return t / 2 + d


def polling_worst(t: float, d: float) -> float:
    """Worst delivery latency in s of asking every ``t`` s: t + d."""
    return t + d


def stream_mean(d: float) -> float:
    """Delivery latency in s of whatever is pushed on an open connection: d."""
    return d


def long_polling_mean(rate: float, d: float, gap: float) -> float:
    """Mean delivery latency in s of long-polling with a cursor: d + w.

    A message that falls into the gap waits for the rest of it. A cycle brings one message that
    was waited for, if the gap was empty, and all that fell into the gap:
    w = (rate gap^2 / 2) / (rate gap + e^(-rate gap)).
    """
    return d + (rate * gap**2 / 2) / (rate * gap + exp(-rate * gap))


def long_polling_worst(d: float) -> float:
    """Worst delivery latency in s of long-polling: three transits (RFC 6202, 2.2)."""
    return 3 * d


def long_polling_requests(rate: float, gap: float) -> float:
    """Requests for each message of long-polling with a cursor: 1 / (rate gap + e^(-rate gap))."""
    return 1 / (rate * gap + exp(-rate * gap))


def naive_loss(rate: float, gap: float) -> float:
    """Share of messages that long-polling without a cursor loses: rate gap / (1 + rate gap)."""
    return rate * gap / (1 + rate * gap)


def empty_share(rate: float, t: float) -> float:
    """Share of polls that bring nothing: e^(-rate t)."""
    return exp(-rate * t)


def coherence(rate: float, t: float) -> float:
    """Share of messages seen by a poller who gets the latest only: (1 - e^(-rate t))/(rate t)."""
    return (1 - exp(-rate * t)) / (rate * t)


def polling_bytes(size: float, head: float, rate: float, t: float, h: float = 0.0) -> float:
    """Bytes on the wire for each message of batching polls: (head + 3 h)/(rate t) + size.

    Three segments: the request, the answer, the acknowledgement of the answer.
    """
    return (head + 3 * h) / (rate * t) + size


def frame_head(size: int, masked: bool = False) -> int:
    """Bytes of a WebSocket frame before its payload (RFC 6455, 5.2): 2, 4 or 10, and 4 masked."""
    return (2 if size <= 125 else 4 if size <= 0xFFFF else 10) + (4 if masked else 0)


def frame_bytes(size: int, h: float = 0.0) -> float:
    """Bytes on the wire for one frame down and its acknowledgement: size + head + 2 h."""
    return size + frame_head(size) + 2 * h


def batching_wins(head: float, h: float, framing: float = 2.0) -> float:
    """The ``rate * t`` above which batching polls send fewer bytes than one frame a message.

    From (head + 3 h)/x + size = size + framing + 2 h.
    """
    return (head + 3 * h) / (framing + 2 * h)


def polling_requests(n: float, t: float) -> float:
    """Requests per second of ``n`` clients that ask every ``t`` s: n / t."""
    return n / t


def ports_rate(ports: int = 28_232, wait_s: float = 60.0) -> float:
    """New connections per second to one address until the ports run out: ports / TIME_WAIT."""
    return ports / wait_s


def fan_out_last(n: int, each: float, d: float) -> float:
    """When the last of ``n`` receivers has it, in s, where one after the other is sent to."""
    return d + n * each


def queue_wait(load: float, service: float) -> float:
    """Mean wait in s before a server that is busy for the share ``load``: M/D/1.

    ``service`` is the time for one request; wait = load service / (2 (1 - load)).
    """
    if not 0 <= load < 1:
        raise ValueError(f"load must be at least 0 and below 1, not {load}: else the queue grows")
    return load * service / (2 * (1 - load))


def stalled_share(stall: float, total: float) -> float:
    """Share of an open load's messages that a stall of ``stall`` s in ``total`` s delays."""
    return stall / total


def stalled_extra(stall: float, total: float) -> float:
    """What that stall adds to the mean latency of an open load, in s: stall^2 / (2 total)."""
    return stall**2 / (2 * total)


def base64_size(size: int) -> int:
    """Bytes of ``size`` bytes in base64: four for every three begun."""
    return 4 * -(-size // 3)

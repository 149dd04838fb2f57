"""Experiments on cost: bytes by layer, memory for a connection, time for a request."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clients.client import Client
from notebooks.course.experiments.place import Place, fresh_channel
from wire.message import Message, encode_message
from wire.tcp_info import modelled_header_bytes
from wire.techniques import BY_SLUG, SLUGS


def _counts(client: Client) -> tuple[int, int, int, int]:
    kernel = client.tcp_info()
    segments = (kernel.segs_in, kernel.segs_out) if kernel else (0, 0)
    return (client.bytes_down, client.bytes_up, *segments)


def layers(
    place: Place,
    technique: str | Sequence[str] = SLUGS,
    count: int = 20,
    size: int = 20,
    each: int = 1,
    **options: Any,
) -> Any:
    """Count the bytes of ``count`` deliveries, ``each`` messages in one go; by layer.

    Every technique gets its messages one burst at a time: the next burst comes when this one
    arrived. Those that ask do it only then, so none of their answers is empty. Returns for each
    ``message``, ``framing down``, ``requests up`` and ``TCP/IP headers`` (modelled from the
    kernel's segments, both ways, 0 where the kernel does not tell), all per message.
    """
    slugs = [technique] if isinstance(technique, str) else technique
    found = {slug: _layers(place, slug, count, size, each, options) for slug in slugs}
    return found[slugs[0]] if isinstance(technique, str) else found


def _layers(
    place: Place, slug: str, count: int, size: int, each: int, options: dict[str, Any]
) -> dict[str, float]:
    channel = fresh_channel("bytes")
    asks = BY_SLUG[slug].asks
    client = place.open(slug, channel, **({"interval": 0.02} if asks else {}), **options)
    text, messages = "x" * size, 0
    with client, place.sender(channel) as sender:
        sender.send(text)
        client.receive(5)
        before = _counts(client)
        for _ in range(count):
            for _ in range(each):
                sender.send(text)
            left = each
            while left:
                for item in client.receive_many(5):
                    if isinstance(item, Message):
                        messages += len(encode_message(item))
                        left -= 1
            # So that an acknowledgement that Linux delays (40 ms) is counted with its message.
            time.sleep(0.05 if not asks else 0)
        after = _counts(client)
    total = count * each
    down, up, segments_in, segments_out = (
        (b - a) / total for a, b in zip(before, after, strict=True)
    )
    headers = modelled_header_bytes(1) * (segments_in + segments_out)
    message = messages / total
    return {
        "message": round(message, 2),
        "framing down": round(down - message, 2),
        "requests up": round(up, 2),
        "TCP/IP headers": round(headers, 2),
    }


def uploads(place: Place, technique: str, size: int, count: int = 10, binary: bool = False) -> Any:
    """Count the bytes that ``count`` messages of ``size`` bytes cost on their way up.

    Returns ``up``, bytes per message, and ``connections``, what receiving and sending took.
    """
    channel = fresh_channel("up")
    body: str | bytes = b"\x80" * size if binary else "x" * size
    with place.open(technique, channel) as client:
        client.send(body)
        time.sleep(0.2)
        client.receive_many(0.3)
        before = client.bytes_up
        for _ in range(count):
            client.send(body)
        time.sleep(0.2)
        spent = (client.bytes_up - before) / count
        return {"up": spent, "connections": client.connections}


def idle_memory(place: Place, technique: str, clients: int = 300) -> dict[str, float]:
    """Return the server's resident KiB for each of ``clients`` idle subscribers, and its ledger."""
    channel = fresh_channel("idle")
    opened: list[Client] = []
    options = {"interval": 3600.0} if BY_SLUG[technique].asks else {}
    try:
        opened += [place.open(technique, channel, **options) for _ in range(40)]  # warm-up
        time.sleep(0.3)
        before = place.stats()["process"]["rss_bytes"]
        opened += [place.open(technique, channel, **options) for _ in range(clients)]
        time.sleep(0.3)
        stats = place.stats()
    finally:
        for client in opened:
            client.close()
    row = stats["techniques"][technique]
    grown = stats["process"]["rss_bytes"] - before
    return {"kib": round(grown / 1024 / clients, 2), "open": row["open"], "held": row["held"]}


def request_rate(place: Place, count: int, keep_alive: bool) -> float:
    """Ask ``count`` times as fast as answers come; return requests per second."""
    channel = fresh_channel("rate")
    with place.open("polling", channel, interval=1e-6, keep_alive=keep_alive) as client:
        before, began = client.requests, time.monotonic()
        while client.requests < before + count:
            client.receive_many(0.005)
        return round((client.requests - before) / (time.monotonic() - began), 1)


def time_wait(place: Place, count: int, keep_alive: bool) -> int:
    """Ask ``count`` times; return how many more sockets are then in TIME_WAIT (Linux)."""
    before = _in_time_wait()
    request_rate(place, count, keep_alive)
    return _in_time_wait() - before


def _in_time_wait() -> int:
    table = Path("/proc/net/tcp")
    if not table.exists():
        return 0
    return sum(line.split()[3] == "06" for line in table.read_text().splitlines()[1:])

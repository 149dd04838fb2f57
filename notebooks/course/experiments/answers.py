"""Experiments with an answer that is written word by word; the server needs ``--answers``."""

import json
import time
from typing import Any

from clients.client import Client
from notebooks.course.experiments.place import Place, fresh_channel
from wire.message import Message
from wire.techniques import BY_SLUG

_PATIENCE_S = 10.0


def answer(
    place: Place, technique: str, tokens: int = 60, interval: float = 0.5, seed: int = 1
) -> dict[str, Any]:
    """Ask once, and receive an answer of ``tokens`` at 30 a second by one technique.

    Returns ``arrived_ms`` since the question for each token, the ``text``, and, for the answer
    alone, ``requests``, ``bytes_up`` and ``bytes_down``. ``interval`` is for those that ask.
    """
    with _open(place, technique, interval) as client:
        before = client.requests, client.bytes_up, client.bytes_down
        began = time.monotonic_ns()
        client.send(_question(tokens, seed), sent_ns=began)
        arrived, words = _receive(client, tokens, began)
        after = client.requests, client.bytes_up, client.bytes_down
    spent = dict(zip(("requests", "bytes_up", "bytes_down"), after, strict=True))
    spent = {name: spent[name] - was for name, was in zip(spent, before, strict=True)}
    return {"arrived_ms": arrived, "text": "".join(words), **spent}


def aborted(place: Place, technique: str, tokens: int = 10, interval: float = 0.1) -> float:
    """Leave after ``tokens`` of a long answer; return for how many ms it was written on."""
    with _open(place, technique, interval) as client:
        client.send(_question(1000, 1))
        _receive(client, tokens, time.monotonic_ns())
        channel, epoch = client.channel, str(client.cursor).rpartition("-")[0]
    left_ns = time.monotonic_ns()
    newest, last = -1, 0
    while newest != last:
        newest = last
        time.sleep(0.2)
        last = int(place.stats()["channels"][channel]["messages"])
    with place.open("polling", channel, after=f"{epoch}-{last - 1}") as reader:
        item = reader.receive(_PATIENCE_S)
    assert isinstance(item, Message)
    return round(max((item.published_ns - left_ns) / 1e6, 0.0), 1)


def _open(place: Place, technique: str, interval: float) -> Client:
    asking = {"interval": interval} if BY_SLUG[technique].asks else {}
    return place.open(technique, fresh_channel("answer"), **asking)


def _question(tokens: int, seed: int) -> str:
    asked = {"tokens": tokens, "per_second": 30, "seed": seed}
    return json.dumps({"answer": asked}, separators=(",", ":"))


def _receive(client: Client, tokens: int, began_ns: int) -> tuple[list[float], list[str]]:
    arrived: list[float] = []
    words: list[str] = []
    limit = time.monotonic() + tokens / 30 + _PATIENCE_S
    while len(words) < tokens and (left := limit - time.monotonic()) > 0:
        for item in client.receive_many(left):
            if isinstance(item, Message) and item.sender == "answer":
                arrived.append(round((client.arrived_ns - began_ns) / 1e6, 2))
                words.append(str(item.body))
    return arrived, words

"""Answers written word by word to many at once, beside a bare writer of the same words."""

import json
import re
import select
import socket
import statistics
import time
from collections.abc import Iterator

from loadtests.limits.tools import Finding, Target, say

ASKERS, PER_SECOND, TOKENS = 500, 30.0, 120
_SENT = re.compile(rb'"sent_ns":(\d+)')
_PATIENCE_S = 20.0
_SPREAD_S = 0.5  # over which the questions come


def tokens(rounds: int) -> Iterator[Finding]:
    """500 answers at once, 30 tokens/s each, on one process: all of them, and how smoothly."""
    seen: dict[str, list[tuple[float, float, float]]] = {"bare": [], "ours": []}
    for _ in range(rounds):
        for name, found in seen.items():
            with Target("writing" if name == "bare" else name, ["--answers"]) as target:
                found.append(_ask_all(target))
            share, gap, late = found[-1]
            say(f"{name}: {share:.2%} came, gap p99 {gap:.1f} ms, late p99 {late:.2f} ms")
    gaps = {name: statistics.median(one[1] for one in found) for name, found in seen.items()}
    for name, found in seen.items():
        delivered = min(one[0] for one in found)
        yield Finding(f"{name}: tokens delivered", delivered, "", 1.0, at_least=True)
        yield Finding(f"{name}: gap between tokens, p99", gaps[name], "ms")
        late = statistics.median(one[2] for one in found)
        yield Finding(f"{name}: p99 from due to the reader", late, "ms")
    yield Finding("gap between tokens, p99 / bare", gaps["ours"] / gaps["bare"], "", 1.3)


def _ask_all(target: Target) -> tuple[float, float, float]:
    """Return the share of tokens that came, p99 of their gaps and of their lateness, both in ms."""
    sockets: dict[int, socket.socket] = {}
    poller = select.epoll()
    last: dict[int, int] = {}
    gaps: list[float] = []
    late: list[float] = []
    count, asked, began = 0, 0, time.monotonic()
    deadline = began + _SPREAD_S + TOKENS / PER_SECOND + _PATIENCE_S
    try:
        while count < ASKERS * TOKENS and time.monotonic() < deadline:
            while asked < min(ASKERS, (time.monotonic() - began) / _SPREAD_S * ASKERS):
                one = _ask(target.port, asked)
                sockets[one.fileno()] = one
                poller.register(one, select.EPOLLIN)
                asked += 1
            for fd, _ in poller.poll(0.001):
                data = sockets[fd].recv(65536)
                now = time.monotonic_ns()
                if not data:
                    poller.unregister(fd)
                for sent in _SENT.findall(data):
                    count += 1
                    late.append((now - int(sent)) / 1e6)
                    if fd in last:
                        gaps.append((now - last[fd]) / 1e6)
                    last[fd] = now
    finally:
        for one in sockets.values():
            one.close()
        poller.close()
    return count / (ASKERS * TOKENS), _p99(gaps), _p99(late)


def _ask(port: int, number: int) -> socket.socket:
    asked = {"tokens": TOKENS, "per_second": PER_SECOND, "seed": number}
    question = json.dumps({"answer": asked}, separators=(",", ":"))
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(
        f"POST /fetch_stream?channel=tokens.{number} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(question)}\r\n\r\n{question}".encode()
    )
    one.setblocking(False)
    return one


def _p99(values: list[float]) -> float:
    return sorted(values)[int(0.99 * len(values))] if values else float("nan")

"""What has come to the limits benchmark's sockets, counted in bytes, messages and nanoseconds.

Every socket's bytes are counted; since all get the same bytes, one that is read message by message
tells how many messages each got, and any difference between sockets shows. Latency is taken on a
sample of the sockets, the spread (first to last socket of one message) on all.
"""

import re
from collections.abc import Iterable

_ID = re.compile(rb'"id": ?(\d+),')
_SENT = re.compile(rb'"sent_ns": ?(\d+),')
_MESSAGE_END = 300  # bytes that surely hold the head of a message of the benchmark
_PART = 2000  # latencies: a second of a hundred messages to each of the sample


class Count:
    """One measured time. Sockets are known by their numbers, some of them are ``sampled``."""

    def __init__(self, sockets: Iterable[int], sampled: Iterable[int]) -> None:
        self.answers = 0  # of polls
        self.ended = 0
        self._bytes = dict.fromkeys(sockets, 0)
        self._messages = dict.fromkeys(sampled, 0)
        self._latencies_ns: list[int] = []
        self._first_ns: dict[bytes, int] = {}
        self._last_ns: dict[bytes, int] = {}

    def read(self, fd: int, buffer: bytearray, size: int, now_ns: int) -> None:
        """Count what any socket brought: the first ``size`` bytes of the buffer."""
        self._bytes[fd] += size
        if found := _ID.search(buffer, 0, min(size, _MESSAGE_END)):
            self._first_ns.setdefault(found[1], now_ns)
            self._last_ns[found[1]] = now_ns

    def sample(self, fd: int, data: bytes, arrived_ns: int) -> None:
        """Count every message that a sampled socket brought."""
        sent = _SENT.findall(data)
        self._messages[fd] += len(sent)
        self._latencies_ns += [arrived_ns - int(stamp) for stamp in sent]

    def replace(self, gone: int, fresh: int) -> None:
        """Count a socket that came in place of another one."""
        del self._bytes[gone]
        self._bytes[fresh] = 0

    def report(self, same_bytes: bool) -> dict[str, object]:
        """Say what came. ``messages`` to each socket are -1 where the sockets disagree.

        They may differ in bytes unless all are sent the ``same_bytes``.
        """
        latencies = sorted(self._latencies_ns)
        spreads = sorted(self._last_ns[number] - ns for number, ns in self._first_ns.items())
        messages = set(self._messages.values())
        agree = len(messages) == 1 and (not same_bytes or len(set(self._bytes.values())) <= 1)
        return {
            "messages": messages.pop() if agree else -1,
            "answers": self.answers,
            "bytes": sum(self._bytes.values()),
            "ended": self.ended,
            "latency_ms": {
                name: latencies[int(len(latencies) * share)] / 1e6 if latencies else None
                for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 0.999999))
            },
            "p99_parts_ms": [
                sorted(self._latencies_ns[start : start + _PART])[_PART * 99 // 100] / 1e6
                for start in range(0, len(self._latencies_ns) - _PART + 1, _PART)
            ],
            "spread_ms": spreads[len(spreads) // 2] / 1e6 if spreads else None,
        }

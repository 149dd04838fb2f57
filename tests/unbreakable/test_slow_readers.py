"""Whoever stops reading is not waited for, costs a bounded amount, and learns what it has missed.

Six subscribe, and two of them stop reading while messages pour in. Asserted is who gets what and
how much memory the server takes for it; how fast it is, the benchmarks tell. What large messages
cost that are not read, the specification asks of every technique.
"""

import selectors
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.depth import is_full
from tests.support.raw import RawSocket, get, upgrade
from tests.unbreakable.serving import Server, serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HEALTHY, SLOW = (20, 10) if is_full() else (4, 2)
BODY = "x" * 20_000
COUNT = 100  # messages: 2 MB for each subscriber
STALLED, SIZES = (30, (100, 50_000)) if is_full() else (8, (4000,))
# What one stalled reader may cost the process: the write buffer's mark (64 KiB), one joined write
# past it (256 KiB of JSON) and its framing. The kernel's own buffer comes besides.
MOST_EACH = 2**19
OPENINGS: dict[str, Callable[[int], bytes]] = {
    "sse": lambda port: get("/sse?channel=flood"),
    "forever_frame": lambda port: get("/forever_frame?channel=flood"),
    "web_socket": lambda port: upgrade("/web_socket?channel=flood", port),
    "plugin_socket": lambda port: b'{"channel":"flood"}\0',
}


class Crowd:
    """Subscribers whose bytes are only counted, but for the number of messages in them."""

    def __init__(self, talks: list[RawSocket]) -> None:
        self.seen = dict.fromkeys(talks, 0)
        self._tails = dict.fromkeys(talks, b"")
        self._selector = selectors.DefaultSelector()
        for talk in talks:
            self._selector.register(talk.socket, selectors.EVENT_READ, talk)

    def read_until(self, count: int) -> None:
        while min(self.seen.values()) < count:
            ready = self._selector.select(30)
            assert ready, f"nothing comes any more: {sorted(self.seen.values())}"
            for key, _ in ready:
                data = self._tails[key.data] + key.data.socket.recv(2**18)
                assert data, "a healthy reader was cut off"
                self.seen[key.data] += data.count(b'"id":')
                self._tails[key.data] = data[-4:]  # one less than what is looked for

    def close(self) -> None:
        self._selector.close()
        for talk in self.seen:
            talk.close()


def ids(heard: bytes) -> list[int]:
    return [int(part.partition(b",")[0]) for part in heard.split(b'{"id":')[1:]]


def subscribe(server: Server, slug: str, buffer: int | None = None) -> RawSocket:
    port = server.plugin_port if slug == "plugin_socket" else server.port
    talk = RawSocket(port, OPENINGS[slug](server.port), buffer=buffer)
    talk.hear(b"\0" if slug == "plugin_socket" else b"\r\n\r\n")
    return talk


@pytest.mark.parametrize("is_short", [False, True], ids=["the log holds all", "the log is short"])
@pytest.mark.parametrize("slug", OPENINGS)
def test_a_third_stop_reading(tmp_path: Path, slug: str, is_short: bool) -> None:
    log_bytes = 2**19 if is_short else 16 * 2**20
    with serving(tmp_path, "--log-bytes", str(log_bytes)) as server:
        crowd = Crowd([subscribe(server, slug) for _ in range(HEALTHY)])
        slow = [subscribe(server, slug, buffer=8192) for _ in range(SLOW)]
        with RawSocket(server.port) as publisher:
            before = most = server.resident_bytes()
            for number in range(1, COUNT + 1):
                publisher.send(
                    b"POST /publish?channel=flood HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain"
                    b"\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY.encode())
                )
                assert publisher.answer().status == 201
                if number % 5 == 0:
                    crowd.read_until(number)
                    most = max(most, server.resident_bytes())
        assert set(crowd.seen.values()) == {COUNT}
        crowd.close()
        grown = most - before
        print(f"{slug}: grown by {grown / 2**20:.1f} MiB, of which the log {log_bytes / 2**20:.0f}")
        assert grown < min(log_bytes, COUNT * 20_200) * 1.5 + SLOW * MOST_EACH
        for talk in slow:
            talk.hear(lambda heard: b'{"id":%d,' % COUNT in heard)
            found = ids(talk.heard)
            if not is_short:
                assert found == list(range(1, COUNT + 1))
                assert b'"gap":true' not in talk.heard
            else:
                assert found == sorted(set(found))
                assert talk.heard.count(b'"gap":true') == 1
                missing = COUNT - len(found)
                before_gap = ids(talk.heard.partition(b'"gap":true')[0])
                after_gap = found[len(before_gap) :]
                # In order, all but one stretch, and after it every one that the log still held.
                assert before_gap == list(range(1, len(before_gap) + 1))
                assert after_gap == list(range(COUNT - len(after_gap) + 1, COUNT + 1))
                assert missing > 0
            talk.close()


@pytest.mark.parametrize("slug", OPENINGS)
@pytest.mark.parametrize("size", SIZES)
def test_what_a_stalled_reader_costs(tmp_path: Path, slug: str, size: int) -> None:
    """Prints the figure that servers/kinds/streams.py states (pytest -s)."""
    text = "x" * size
    with serving(tmp_path, "--log-bytes", "500000") as server, RawSocket(server.port) as publisher:

        def publish(count: int) -> None:
            head = "POST /publish?channel=flood HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
            one = f"{head}Content-Length: {size}\r\n\r\n{text}".encode()
            for _ in range(0, count, 10):
                publisher.send(one * 10)
                for _ in range(10):
                    assert publisher.answer().status == 201

        count = 750_000 // (size + 120)  # fills the log, and every buffer of a reader
        publish(count)
        slow = [subscribe(server, slug, buffer=4096) for _ in range(STALLED)]
        before = server.resident_bytes()
        publish(count)
        cost = (server.resident_bytes() - before) / STALLED
        print(f"{slug}, {size} bytes each: {cost / 1024:.0f} KiB for each stalled reader")
        assert cost < MOST_EACH
        for talk in slow:
            talk.close()

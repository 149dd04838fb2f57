"""What the server says of itself: bytes to the byte, what is open, what moved, what time it is."""

import json
import re
import socket
import time

import pytest

from clients.client import Client
from tests.conformance.steps import (
    POLLS,
    RELOADS,
    STREAMS,
    TWO_WAY,
    Desk,
    join,
    relay_to,
    take_messages,
)
from tests.support.processes import ServerAddress
from tests.support.waiting import eventually
from wire.techniques import SLUGS

linux_only = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="TCP_INFO is Linux's")


@linux_only
def test_relay_and_kernel_count_the_same_bytes(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """The figures on bytes stand on two counts that know nothing of each other."""
    with (
        relay_to(server, technique) as relay,
        join(technique, server, channel, through=relay) as client,
    ):
        sizes = [0, 1, 1000, 70_000]
        for size in sizes:
            desk.publish(channel, "ř" * size)
            client.send("up " * size)
            assert len(take_messages(client, 2)) == 2
        # Nothing more is asked now; once the last bytes have passed, the counts stand still.
        eventually(lambda: kernel_counts(client) == relay.counts(), "both counts agree")
        assert client.bytes_up == relay.counts()[0]
        assert client.bytes_up > sum(3 * size for size in sizes)
        assert client.bytes_down > sum(2 * size + 3 * size for size in sizes)


def kernel_counts(client: Client) -> tuple[int, int]:
    totals = client.tcp_info()
    assert totals is not None
    return totals.bytes_sent, totals.bytes_received


@pytest.mark.parametrize("slug", [*POLLS, *STREAMS])
def test_the_ledger_counts_what_passes(
    slug: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Who pays for traffic reads the ledger: it must say what passed, heads and all."""

    def row() -> dict[str, int]:
        found: dict[str, int] = server.stats()["techniques"][slug]
        return found

    eventually(lambda: not row()["open"], "whoever was there before has left")
    before = row()
    with relay_to(server, slug) as relay, join(slug, server, channel, through=relay) as client:
        for size in (1, 1000, 70_000):
            desk.publish(channel, "ř" * size)
            take_messages(client, 1)

        def passed() -> tuple[int, int]:
            now = row()
            return tuple(now[name] - before[name] for name in ("bytes_up", "bytes_down"))  # type: ignore[return-value]

        def plain() -> tuple[int, int]:
            (up, down), tls = relay.counts(), client.tls()
            return up - tls.up - tls.handshake_up, down - tls.down - tls.handshake_down

        eventually(lambda: passed() == plain(), "both counts agree")
        assert row()["deliveries"] - before["deliveries"] == 3


def test_stats_tell_what_is_open_and_what_has_moved(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """An operator looks here first, when people say that it hangs."""
    before = server.stats()
    with join(technique, server, channel) as client:
        client.send("hola")
        take_messages(client, 1)
        after = server.stats()
        assert after["now_ns"] > before["now_ns"]
        assert after["process"]["cpu_s"] >= before["process"]["cpu_s"]
        assert after["process"]["rss_bytes"] > 2**20
        assert after["channels"][channel] == {
            "cursor": client.cursor,
            "messages": 1,
            "bytes": after["channels"][channel]["bytes"],
            "subscribers": int(technique in STREAMS),
        }
        assert after["channels"][channel]["bytes"] > len("hola")
        old, new = (stats["techniques"][technique] for stats in (before, after))
        assert new["deliveries"] == old["deliveries"] + 1
        assert new["bytes_down"] > old["bytes_down"]
        assert new["bytes_up"] > old["bytes_up"]
        if technique in STREAMS:
            assert new["open"] == old["open"] + 1
            assert new["held"] == old["held"] + 1
            assert new["connections"] == old["connections"] + 1
        if technique in (*RELOADS, *TWO_WAY):
            assert new["publishes"] == old["publishes"] + 1


def test_metrics_are_what_stats_say(desk: Desk) -> None:
    """The operator's dashboards read the same truth in Prometheus' form."""
    status, fields, body = desk.ask("GET", "/metrics")
    assert status == 200
    assert fields["content-type"].startswith("text/plain; version=0.0.4")
    lines = body.decode().splitlines()
    values = {}
    for line in lines:
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    stats = json.loads(desk.ask("GET", "/stats")[2])
    for slug in SLUGS:
        for counter, value in stats["techniques"][slug].items():
            total = "" if counter in ("open", "held") else "_total"
            assert values[f'duplex_{counter}{total}{{technique="{slug}"}}'] == value
    assert all(re.match(r"# TYPE \S+ (gauge|counter)$", line) for line in lines if line[0] == "#")


@pytest.mark.usefixtures("one_clock")
def test_the_clock_is_the_host_s_monotonic_clock(desk: Desk) -> None:
    """Times of two processes are compared only where they stand on one clock."""
    before = time.monotonic_ns()
    said = json.loads(desk.ask("GET", "/clock")[2])["monotonic_ns"]
    assert before < said < time.monotonic_ns()

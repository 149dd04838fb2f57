"""The relay's count and the kernel's agree to the byte, for the same exchange."""

import socket

import pytest

from clients.client import Client
from tests.conformance.doors import HELD, Desk, join, take_messages
from tests.server_process import ServerProcess, eventually, relaying

linux_only = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="TCP_INFO is Linux's")


@linux_only
def test_relay_and_kernel_count_the_same_bytes(
    technique: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    with (
        relaying(server.port_of(technique)) as relay,
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


@pytest.mark.parametrize("slug", [*HELD, "polling"])
def test_the_ledger_counts_what_passes(
    slug: str, server: ServerProcess, desk: Desk, channel: str
) -> None:
    def row() -> dict[str, int]:
        found: dict[str, int] = server.stats()["techniques"][slug]
        return found

    before = row()
    with (
        relaying(server.port_of(slug)) as relay,
        join(slug, server, channel, through=relay) as client,
    ):
        for size in (1, 1000, 70_000):
            desk.publish(channel, "ř" * size)
            take_messages(client, 1)

        def passed() -> tuple[int, int]:
            now = row()
            return tuple(now[name] - before[name] for name in ("bytes_up", "bytes_down"))  # type: ignore[return-value]

        eventually(lambda: passed() == relay.counts(), "both counts agree")
        assert row()["deliveries"] - before["deliveries"] == 3

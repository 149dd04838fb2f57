"""What holding costs the server: many connections, slow ones, and ones that come and go."""

import contextlib
import statistics
import time
from collections.abc import Iterator

from clients.net.schedule import await_true
from loadtests.limits.tools import Finding, Probe, Target, publish, say, window
from wire.techniques import BY_SLUG, TECHNIQUES, newest_streams


def memory(rounds: int) -> Iterator[Finding]:
    """Resident memory per held, idle connection (5,000 of them), beside aiohttp's handlers."""
    for slug in [one.slug for one in TECHNIQUES if not (one.reloads or one.own_port)]:
        bound = 5.0 if BY_SLUG[slug].two_way else 3.0 if BY_SLUG[slug].streams else 4.0
        for name in ("ours", "plain"):
            with Target(name) as target, Probe(slug, target.port_of(slug), 60.0) as probe:
                probe.tell("open", count=200)  # what is made once is not counted
                before = target.memory()
                probe.tell("open", count=5000)
                time.sleep(1)
                each = (target.memory() - before) / 5000 / 1024
            limit = bound if name == "ours" else None
            yield Finding(f"{slug}: resident memory per connection, {name}", each, "KiB", limit)


def many(rounds: int) -> Iterator[Finding]:
    """15,000 connections held by one process, and a broadcast to all."""
    for slug in newest_streams():
        with Target("ours") as target, Probe(slug, target.port_of(slug)) as probe:
            started = time.monotonic()
            probe.tell("open", count=15_000)
            took = time.monotonic() - started
            seen = window(target, probe, 15_000, 2, 2)
        yield Finding(f"{slug}: 15,000 opened per second", 15_000 / took, "/s")
        reached = seen.report["messages"] / seen.sent
        yield Finding(f"{slug}: broadcast reached 15,000", reached, "", 1.0, at_least=True)


def slow(rounds: int) -> Iterator[Finding]:
    """Ten of 1,000 stop reading for 30 s at 100 messages/s, and read again.

    The same server and connections are measured before, meanwhile and after: two processes started
    alike differ more from each other than ten stalled readers make out. The p99 is taken second by
    second, and the quieter quarter of the seconds is compared: what else a machine does for a
    while can only add, and stalled readers are there all the time.
    """
    for slug in newest_streams():
        parts: dict[str, list[float]] = {"before": [], "stalled": [], "after": []}
        grown, whole = 0.0, 1.0
        for _ in range(rounds):
            with Target("ours") as target, Probe(slug, target.port_of(slug)) as probe:
                probe.tell("open", count=1000)
                window(target, probe, 1000, 100, 2)
                before = window(target, probe, 1000, 100, 15)
                memory = target.memory()
                probe.tell("measure")
                probe.tell("pause", count=10)
                sent = publish(target, 100, 30)
                time.sleep(0.5)
                stalled = probe.tell("report")
                grown = max(grown, (target.memory() - memory) / 2**20)
                probe.tell("resume")
                time.sleep(2)
                whole = min(whole, probe.tell("report")["messages"] / sent)
                after = window(target, probe, 1000, 100, 15)
            for phase, report in zip(parts, (before.report, stalled, after.report), strict=True):
                parts[phase] += report["p99_parts_ms"]
                say(f"{slug} {phase}: p99 {report['latency_ms']['p99']:.2f} ms")
        quiet = {phase: statistics.quantiles(seconds, n=4)[0] for phase, seconds in parts.items()}
        without = statistics.quantiles(parts["before"] + parts["after"], n=4)[0]
        yield Finding(f"{slug}: p99 without stalled readers", without, "ms")
        noise = quiet["after"] / quiet["before"]
        yield Finding(f"{slug}: the same, after / before: what the machine does", noise, "")
        what = f"{slug}: p99 of the others with ten stalled / without"
        yield Finding(what, quiet["stalled"] / without, "", 1.2)
        yield Finding(f"{slug}: memory grown while ten were stalled", grown, "MiB", 24.0)
        yield Finding(f"{slug}: the ten got every message after all", whole, "", 1, at_least=True)


def soak(rounds: int, seconds: float = 60.0) -> Iterator[Finding]:
    """50,000 deliveries/s while 1 % of the connections are cut every second."""
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(Target("ours"))
        probes = [
            stack.enter_context(Probe(slug, target.port, audit=True)) for slug in newest_streams()
        ]
        for probe in probes:
            probe.tell("open", count=500)
        memory, sent = [], 0
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            sent += publish(target, 50, 1)
            for probe in probes:
                probe.tell("churn", count=5)
            memory.append(target.memory() / 2**20)
        audits: list[dict[str, int]] = []

        def all_received() -> bool:  # what was published last is still on its way
            audits[:] = [probe.tell("report")["audit"] for probe in probes]
            return sum(audit["received"] for audit in audits) >= sent * 1000

        await_true(all_received, 10.0, pause=0.1)
    say(f"{audits} of {sent} messages; memory {memory[:: max(len(memory) // 10, 1)]} MiB")
    third = max(len(memory) // 3, 1)
    grown = statistics.median(memory[-third:]) / statistics.median(memory[third : 2 * third])
    for name in ("lost", "doubled", "gaps"):
        yield Finding(f"soak: {name}", sum(audit[name] for audit in audits), "", 0)
    received = sum(audit["received"] for audit in audits)
    yield Finding("soak: received / expected", received / (sent * 1000), "", 1.0, at_least=True)
    yield Finding("soak: memory, last third / middle third", grown, "", 1.03)

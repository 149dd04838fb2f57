"""Where the server core ends: its cost, pace, fairness and memory beside the usual means.

    python -m loadtests.limits                     everything, about half an hour
    python -m loadtests.limits cost polls          some of it
    python -m loadtests.limits soak --seconds 600  the long one

Everything is a ratio or a count taken side by side in one run, the servers on one core and the
receiver and publisher on another where the platform can pin. Rounds are interleaved, medians are
compared. The baselines are in :mod:`servers.peers.baselines`. Linux only (epoll, /proc).
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtests.limits.tools import OUR_CORE, Finding, Probe, Target, publish, say, window
from loadtests.plan.amounts import AT_LEAST_ONE, POSITIVE
from wire.techniques import BY_SLUG, TECHNIQUES, newest_streams

STREAMS = tuple(one.slug for one in reversed(TECHNIQUES) if one.streams)


def cost(rounds: int) -> Iterator[Finding]:
    """CPU per delivery at 1,000 subscribers and 50 messages/s, and how fair the fan-out is."""
    baselines = [(name, "web_socket") for name in ("send_str", "broadcast", "bare")]
    cells = baselines + [("ours", slug) for slug in STREAMS]
    cpu: dict[str, list[float]] = {}
    spread: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, slug in cells:
            with Target(name) as target, Probe(slug, target.port_of(slug)) as probe:
                probe.tell("open", count=1000)
                window(target, probe, 1000, 50, 1)
                seen = window(target, probe, 1000, 50, 4)
            label = slug if name == "ours" else name
            cpu.setdefault(label, []).append(seen.cpu_us)
            spread.setdefault(label, []).append(seen.report["spread_ms"])
            say(f"{label}: {seen.cpu_us:.2f} us, spread {seen.report['spread_ms']:.2f} ms")
    typical = {label: statistics.median(values) for label, values in cpu.items()}
    for label, value in typical.items():
        yield Finding(f"{label}: server CPU per delivery", value, "us")
    for slug in STREAMS:
        for name, bound in (("send_str", 0.75), ("broadcast", 0.9), ("bare", 1.25)):
            ratio = typical[slug] / typical[name]
            yield Finding(f"{slug}: CPU per delivery / {name}", ratio, "", bound)
    for slug in STREAMS:
        ratio = statistics.median(spread[slug]) / statistics.median(spread["bare"])
        yield Finding(f"{slug}: spread first to last / bare", ratio, "", 1.5)


def pace(rounds: int) -> Iterator[Finding]:
    """A million deliveries a second asked for: 1,000 subscribers, 1,000 messages/s; and two."""
    for rate, bound in ((1000, 60.0), (2000, None)):
        for slug in STREAMS:
            latencies, whole = [], []
            for _ in range(rounds):
                with Target("ours") as target, Probe(slug, target.port_of(slug)) as probe:
                    probe.tell("open", count=1000)
                    window(target, probe, 1000, rate, 1)
                    seen = window(target, probe, 1000, rate, 5)
                latencies.append(seen.report["latency_ms"]["p99"])
                whole.append(seen.report["messages"] / seen.sent)
                say(f"{slug} at {rate}/s: {seen.report}, {seen.cpu_us:.2f} us")
            what = f"{slug}: {rate} messages/s to 1,000"
            yield Finding(f"{what}, delivered", min(whole), "", 1.0, at_least=True)
            yield Finding(f"{what}, p99 latency", statistics.median(latencies), "ms", bound)


def polls(rounds: int) -> Iterator[Finding]:
    """Server CPU per delivery of long-polling and per request of polling, beside plain aiohttp."""
    for one in reversed([one for one in TECHNIQUES if one.codec == "batch"]):
        slug = one.slug
        rate, interval, bound = (15.0, 1.0, 0.35) if one.held else (2.0, 0.5, 0.45)
        used: dict[str, list[float]] = {"plain": [], "ours": []}
        for _ in range(rounds):
            for name in used:
                with Target(name) as target, Probe(slug, target.port_of(slug), interval) as probe:
                    probe.tell("open", count=1000)
                    window(target, probe, 1000, rate, 1)
                    probe.tell("measure")
                    cpu = target.cpu()
                    publish(target, rate, 4)
                    answers = probe.tell("report")["answers"]
                    used[name].append((target.cpu() - cpu) / max(answers, 1) * 1e6)
                say(f"{slug} {name}: {used[name][-1]:.2f} us an answer, {answers} answers")
        ours, plain = statistics.median(used["ours"]), statistics.median(used["plain"])
        yield Finding(f"{slug}: server CPU per answer", ours, "us")
        yield Finding(f"{slug}: server CPU per answer / plain aiohttp", ours / plain, "", bound)


def scale(rounds: int) -> Iterator[Finding]:
    """Cost per delivery from 100 to 10,000 subscribers, at equal messages and equal deliveries.

    The same publisher with more subscribers may not cost more per delivery: at 20 messages/s, and
    at 5, where nothing is ever joined into one write. At 50,000 deliveries a second for each count,
    the few sockets get a hundred times the messages and stay warm in the processor's caches: the
    bare writer tells what that is worth to the kernel, and ours may not grow more than it.
    """
    loads = {
        "5 messages/s": {100: 5.0, 1000: 5.0, 10_000: 5.0},
        "20 messages/s": {100: 20.0, 1000: 20.0, 10_000: 20.0},
        "50,000 deliveries/s": {100: 500.0, 1000: 50.0, 10_000: 5.0},
    }
    used: dict[tuple[str, int, float], list[float]] = {}
    for _ in range(rounds):
        for count, rate in sorted({cell for rates in loads.values() for cell in rates.items()}):
            ours = [("ours", slug) for slug in newest_streams()]
            for name, slug in [*ours, ("bare", "web_socket")]:
                label = slug if name == "ours" else name
                with Target(name) as target, Probe(slug, target.port_of(slug)) as probe:
                    probe.tell("open", count=count)
                    window(target, probe, count, rate, 1)
                    cpu = window(target, probe, count, rate, 5).cpu_us
                used.setdefault((label, count, rate), []).append(cpu)
                say(f"{label} {count} at {rate:g} messages/s: {cpu:.2f} us")
    typical = {cell: statistics.median(values) for cell, values in used.items()}
    for (label, count, rate), value in typical.items():
        what = f"{label}: CPU per delivery, {count:,} at {rate:g} messages/s"
        yield Finding(what, value, "us")
    for load, rates in loads.items():
        grown = {}
        for label in (*newest_streams(), "bare"):
            few, some, most = (typical[label, count, rate] for count, rate in rates.items())
            grown[label] = max(some, most) / few
        for label in newest_streams():
            what = f"{label}: CPU per delivery grown from 100 to 10,000 at {load}"
            if load.endswith("messages/s"):
                yield Finding(what, grown[label], "", 1.3)
            else:
                yield Finding(what, grown[label], "")
                yield Finding(f"{what} / bare", grown[label] / grown["bare"], "", 1.3)


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
        for _ in range(100):  # what was published last is still on its way
            audits = [probe.tell("report")["audit"] for probe in probes]
            if sum(audit["received"] for audit in audits) >= sent * 1000:
                break
            time.sleep(0.1)
    say(f"{audits} of {sent} messages; memory {memory[:: max(len(memory) // 10, 1)]} MiB")
    third = max(len(memory) // 3, 1)
    grown = statistics.median(memory[-third:]) / statistics.median(memory[third : 2 * third])
    for name in ("lost", "doubled", "gaps"):
        yield Finding(f"soak: {name}", sum(audit[name] for audit in audits), "", 0)
    received = sum(audit["received"] for audit in audits)
    yield Finding("soak: received / expected", received / (sent * 1000), "", 1.0, at_least=True)
    yield Finding("soak: memory, last third / middle third", grown, "", 1.03)


Part = Callable[[int], Iterator[Finding]]
PARTS: dict[str, Part] = {
    part.__name__: part for part in (cost, pace, polls, scale, memory, many, slow, soak)
}


def _first_line(part: Part) -> str:
    return (part.__doc__ or "").splitlines()[0]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a table, and return 1 where a bound does not hold."""
    told = "\n".join(f"  {name:<8}{_first_line(part)}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        "python -m loadtests.limits",
        usage="%(prog)s [options] [PART ...]",
        description=f"{(__doc__ or '').splitlines()[0]}\n\nparts:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="default: all, half an hour"
    )
    parser.add_argument(
        "--rounds", type=AT_LEAST_ONE, default=3, help="repeats; medians count (default: 3)"
    )
    parser.add_argument("--out", type=Path, help="write the findings as JSON, too")
    parser.add_argument("--seconds", type=POSITIVE, default=60.0, help="soak (default: 60)")
    options = parser.parse_args(arguments)
    parts: dict[str, Part] = {**PARTS, "soak": partial(soak, seconds=options.seconds)}
    if OUR_CORE is not None:
        os.sched_setaffinity(0, {OUR_CORE})
    # The publisher shares a core with the receiver and must keep its schedule; where it may, it
    # goes first (its children do not).
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    findings: list[Finding] = []
    for part in options.parts or PARTS:
        print(f"{part}: {_first_line(PARTS[part])}", file=sys.stderr)
        findings += parts[part](options.rounds)
    table = Table("what", "value", "bound", "holds", title="Limits of the server core")
    for item in findings:
        bound = "" if item.limit is None else f"{'>=' if item.at_least else '<='} {item.limit:g}"
        verdict = "" if item.limit is None else "yes" if item.holds else "NO"
        table.add_row(item.what, f"{item.value:,.2f} {item.unit}", bound, verdict)
    Console().print(table)
    if options.out:
        rows = [{**asdict(item), "holds": item.holds} for item in findings]
        options.out.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(item.holds for item in findings) else 1


if __name__ == "__main__":
    sys.exit(main())

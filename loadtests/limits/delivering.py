"""What delivering costs the server: CPU, pace and fairness, beside the usual means."""

import contextlib
import statistics
from collections.abc import Iterator, Mapping

from loadtests.limits.tools import Finding, Probe, Target, publish, say, window
from wire.techniques import TECHNIQUES, newest_streams

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


def edge(rounds: int) -> Iterator[Finding]:
    """Latency of a WebSocket beside the bare writer's, at loads that this can carry one by one.

    No message waits there for another one, unless the server lets it. A load that takes the bare
    writer longer than from one message to the next is more than it can carry, and left out.
    """
    for count, rates in ((10_000, (2.0, 5.0, 7.0)), (1000, (20.0, 50.0, 80.0))):
        seen: dict[float, dict[str, list[Mapping[str, float]]]] = {}
        with contextlib.ExitStack() as stack:
            sides: dict[str, tuple[Target, Probe]] = {}
            for name in ("bare", "ours"):
                target = stack.enter_context(Target(name))
                probe = stack.enter_context(Probe("web_socket", target.port_of("web_socket")))
                probe.tell("open", count=count)
                sides[name] = target, probe
            for _ in range(rounds):
                for rate in rates:
                    for name, side in sides.items():
                        window(*side, count, rate, 1)
                        latency = window(*side, count, rate, 5).report["latency_ms"]
                        seen.setdefault(rate, {}).setdefault(name, []).append(latency)
                        say(f"{name}: {rate:g} messages/s to {count:,}: {latency}")
        for rate, latencies in seen.items():
            for which in ("p50", "p99"):
                bare, ours = (
                    statistics.median(one[which] for one in latencies[name]) for name in sides
                )
                what = f"web_socket: {which} of {rate:g} messages/s to {count:,}"
                yield Finding(what, ours, "ms")
                if bare < 1000 / rate:
                    yield Finding(f"{what} / bare", ours / bare, "", 1.2)


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

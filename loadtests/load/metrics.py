"""The generator's live figures for Prometheus: at ``/duplex/metrics``, or ``--metrics-port``.

What the server says of itself stands at its own ``/metrics``; scraped together they show both
ends. Times are a histogram in seconds, from the tallies that hold the exact counts.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from flask import Response
from gevent.pywsgi import WSGIServer
from locust.env import Environment

from loadtests.load.conductor import Conductor, conductor_of
from loadtests.load.session import SoFar
from loadtests.measures.measure import Measure
from loadtests.measures.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EDGES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Sample = tuple[str, Mapping[str, str], float]


def exposition(conductor: Conductor) -> str:
    """Return everything in Prometheus' text format, as it is now."""
    totals = conductor.gather()
    lines: list[str] = []

    def add(name: str, kind: str, help: str, samples: Iterable[Sample]) -> None:
        lines.extend((f"# HELP {name} {help}", f"# TYPE {name} {kind}"))
        for end, labels, value in samples:
            told = ",".join(f'{label}="{word}"' for label, word in labels.items())
            lines.append(
                f"{name}{end}{{{told}}} {value:.10g}" if told else f"{name}{end} {value:.10g}"
            )

    measures = totals.measures
    so_far = {slug: SoFar() for slug in measures}
    for process in totals.so_far.values():
        for slug, found in process.items():
            so_far.setdefault(slug, SoFar()).add(SoFar(**found))

    def each(value: Callable[[str, Measure], float]) -> Iterator[Sample]:
        for slug, measure in measures.items():
            yield "", {"technique": slug}, value(slug, measure)

    add(
        "duplex_load_users",
        "gauge",
        "Users that are subscribed.",
        each(lambda slug, _: so_far[slug].users),
    )
    add(
        "duplex_load_deliveries_total",
        "counter",
        "Messages received, each subscriber's counted.",
        each(lambda _, measure: measure.deliveries),
    )
    add(
        "duplex_load_missing",
        "gauge",
        "Deliveries that should have come by now and did not.",
        each(lambda slug, measure: measure.audit.lost + so_far[slug].missing),
    )
    add(
        "duplex_load_delivery_seconds",
        "histogram",
        "From the intended send time to the arrival.",
        _buckets(measures),
    )
    published = conductor.published
    add("duplex_load_asked_total", "counter", "Messages due.", [("", {}, published.asked)])
    add(
        "duplex_load_published_total",
        "counter",
        "Messages that the server took.",
        [("", {}, published.accepted)],
    )
    conditions = {name: one for name, one in totals.conditions.items() if one.cpu}
    for name, help, column in (
        ("duplex_load_cpu_cores", "Share of a core in the last second.", "cpu"),
        (
            "duplex_load_lag_milliseconds",
            "Lateness of the loop in the last second, at worst.",
            "lag_ms",
        ),
    ):
        last: list[Sample] = [
            ("", {"process": process or "main"}, getattr(one, column)[-1])
            for process, one in conditions.items()
        ]
        add(name, "gauge", help, last)
    return "\n".join(lines) + "\n"


def _buckets(measures: Mapping[str, Measure]) -> Iterator[Sample]:
    for slug, measure in measures.items():
        tally = measure.tallies["delivery"]
        for edge, count in zip(EDGES_S, counts_up_to(tally, EDGES_S), strict=True):
            yield "_bucket", {"technique": slug, "le": f"{edge:g}"}, count
        yield "_bucket", {"technique": slug, "le": "+Inf"}, tally.count
        yield "_sum", {"technique": slug}, sum(ns * count for ns, count in tally.items()) / 1e9
        yield "_count", {"technique": slug}, tally.count


def counts_up_to(tally: Tally, edges_s: Iterable[float]) -> list[int]:
    """Return for each of the rising edges how many of the times do not exceed it."""
    edges = [round(edge * 1e9) for edge in edges_s]
    within = [0] * (len(edges) + 1)
    for nanoseconds, count in tally.items():
        within[sum(edge < nanoseconds for edge in edges)] += count
    return list(accumulate(within))[:-1]


def response(conductor: Conductor) -> Response:
    """Return the same as an answer of Locust's page."""
    return Response(exposition(conductor), content_type=CONTENT_TYPE)


def attach(environment: Environment, **_: object) -> None:
    """Listen on ``--metrics-port``, where one is given; a listener of Locust's ``init``."""
    conductor = conductor_of(environment)
    port = getattr(environment.parsed_options, "metrics_port", 0)
    if conductor is None or not port:
        return

    def answer(asked: Mapping[str, Any], start: Callable[..., Any]) -> list[bytes]:
        found = asked["PATH_INFO"] == "/metrics"
        start("200 OK" if found else "404 Not Found", [("Content-Type", CONTENT_TYPE)])
        return [exposition(conductor).encode() if found else b"the figures are at /metrics\n"]

    server = WSGIServer(("127.0.0.1", port), answer, log=None)
    try:
        server.start()
    except OSError as error:
        sys.exit(f"--metrics-port {port}: cannot listen there: {error.strerror}; choose another")

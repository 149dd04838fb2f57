"""Writes the result file when Locust quits, from what the conductor gathered."""

from dataclasses import asdict

from locust.env import Environment

from clients.net import arrival
from loadtests.load import conductor
from loadtests.measures import result_file
from loadtests.measures.host import host_rows
from loadtests.measures.result_file import Result, TechniqueResult


def record(environment: Environment, **_: object) -> None:
    """Write ``--result``, where one was asked for; a listener of Locust's ``quitting``."""
    found = conductor.conductor_of(environment)
    if found is None or found.session is None or not found.session.settings.result:
        return
    found.finish()
    totals = found.totals
    result_file.write(
        found.session.settings.result,
        Result(
            settings=found.session.settings,
            users=found.target,
            connected=totals.most_connected,
            techniques={
                slug: TechniqueResult(
                    measure.histograms(),
                    measure.audit,
                    measure.flow,
                    measure.deliveries,
                    measure.doubts,
                    seconds=measure.seconds,
                    answers=measure.answers,
                )
                for slug, measure in totals.measures.items()
            },
            published=asdict(found.published),
            conditions=totals.conditions,
            failures=totals.failures,
            hosts=host_rows(totals.shares, totals.conditions),
            clock_error_ns=totals.clock_error_ns,
            stamped="kernel" if arrival.by_kernel() else "process",
        ),
    )

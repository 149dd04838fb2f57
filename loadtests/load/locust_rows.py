"""Rows of Locust's own table: a progress display, nothing more.

Locust rounds times and would take ten microseconds of Python for each delivery, so deliveries
are added to its table once a second in bulk, from the tallies that hold the true figures.
"""

import time
from typing import Any

from locust.env import Environment

CONNECT, MESSAGE, PUBLISH = "CONNECT", "MESSAGE", "PUBLISH"


def add_event(
    environment: Environment,
    row: str,
    name: str,
    milliseconds: float,
    error: BaseException | None = None,
) -> None:
    """Add one event to a row, as Locust's clients do."""
    environment.events.request.fire(
        request_type=row,
        name=name,
        response_time=milliseconds,
        response_length=0,
        exception=error,
        context={},
    )


def add_deliveries(environment: Environment, name: str, times: dict[int, int], size: int) -> None:
    """Add deliveries to ``name``'s MESSAGE row: ``times`` maps ns to counts, ``size`` in bytes."""
    stats = environment.stats
    for entry in (stats.get(name, MESSAGE), stats.total):
        _add(entry, times, size)


def _add(entry: Any, times: dict[int, int], size: int) -> None:
    # Any, because Locust types times as whole ms, though it keeps tenths.
    if not times:
        return
    now = time.time()
    count = sum(times.values())
    entry.num_requests += count
    entry.num_reqs_per_sec[int(now)] += count
    entry.last_request_timestamp = now
    entry.total_content_length += size
    for nanoseconds, many in times.items():
        milliseconds = nanoseconds / 1e6
        entry.total_response_time += milliseconds * many
        entry.response_times[round(milliseconds, 1 if milliseconds < 100 else 0)] += many
    entry.max_response_time = max(entry.max_response_time, max(times) / 1e6)
    least = min(times) / 1e6
    known = entry.min_response_time
    entry.min_response_time = least if known is None else min(known, least)

"""Every figure of the project, one function each; each takes data and returns a Drawing.

A :class:`~results.figures.style.Drawing` has ``name``, ``title``, ``alt`` (the text for those who
do not see it) and ``figure``, and shows itself in a notebook. :func:`draw_run` draws what a run
holds.
"""

from collections.abc import Callable
from functools import partial

from results.errors import ResultsError
from results.figures.bars import bytes_per_message, connection_rates, open_connections, server_cost
from results.figures.checked import checks
from results.figures.curves import knee, ledger_over_time
from results.figures.diagrams import sequence_diagram
from results.figures.distributions import (
    honest_and_naive,
    latency_distribution,
    latency_percentiles,
)
from results.figures.on_models import Series, model_and_points
from results.figures.over_time import knee_of_steps, latency_over_time
from results.figures.servers import cost_of_servers, latency_of_servers
from results.figures.style import Drawing
from results.figures.tokens import token_arrivals, token_gaps
from results.record.reading import Run
from results.record.rows import TraceRow
from results.summary import has_servers
from wire.techniques import BY_SLUG

__all__ = [
    "Drawing",
    "Series",
    "bytes_per_message",
    "checks",
    "connection_rates",
    "cost_of_servers",
    "draw_run",
    "honest_and_naive",
    "knee",
    "knee_of_steps",
    "latency_distribution",
    "latency_of_servers",
    "latency_over_time",
    "latency_percentiles",
    "ledger_over_time",
    "model_and_points",
    "open_connections",
    "sequence_diagram",
    "sequences",
    "server_cost",
    "token_arrivals",
    "token_gaps",
]

# In the order of the report: what matters most first.
_OF_A_RUN: tuple[Callable[[Run], Drawing], ...] = (
    checks,
    token_arrivals,
    token_gaps,
    latency_distribution,
    bytes_per_message,
    connection_rates,
    open_connections,
    server_cost,
    knee,
    partial(knee, load="rate"),
    knee_of_steps,
    latency_over_time,
    latency_percentiles,
    honest_and_naive,
    ledger_over_time,
)
# Where several servers stand beside each other, a figure by technique would show one of them.
_OF_SERVERS = (latency_of_servers, cost_of_servers)


def draw_run(run: Run) -> list[Drawing]:
    """Draw every figure for which ``run`` holds the data."""
    drawings = []
    for draw in _OF_SERVERS if has_servers(run) else _OF_A_RUN:
        try:
            drawings.append(draw(run))
        except ResultsError:
            continue  # this run did not measure that
    return [*drawings, *sequences(run)]


def sequences(run: Run) -> list[Drawing]:
    """Draw one sequence diagram for each technique that has a trace (its first one)."""
    drawings = []
    for slug, rows in run.traces.groupby("technique", sort=False):
        first = rows[rows["cell"] == rows["cell"].iloc[0]]
        events = [
            TraceRow(row.connection, row.direction, row.sent_ms, row.t_ms, row.bytes, row.label)
            for row in first.itertuples()
        ]
        caption = f"{BY_SLUG[str(slug)].title}, {first['network'].iloc[0]}"
        drawings.append(sequence_diagram(events, f"sequence_{slug}", caption))
    return drawings

"""What a figure by technique shows: which cells, in which words.

Figures compare techniques under one load. A run that measured several loads shows the one that
it measured most often.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd

from results.errors import ResultsError
from results.record.naming import unusual
from results.record.reading import Run
from results.record.rows import Cell
from results.summary import summarize
from wire.techniques import SLUGS

# column of ledger.csv: (words, factor)
LEDGER_WORDS = {
    "server_cpu": ("server CPU, % of one core", 100.0),
    "server_rss_bytes": ("server memory, MiB", 1 / 2**20),
    "requests_per_s": ("HTTP requests /s", 1.0),
    "connections_per_s": ("new TCP connections /s", 1.0),
    "deliveries_per_s": ("deliveries /s", 1.0),
    "bytes_per_s": ("bytes /s sent by the server", 1.0),
    "open_sockets": ("open sockets", 1.0),
    "held_requests": ("held requests", 1.0),
    "generator_cpu": ("generator CPU, % of one core", 100.0),
    "generator_lag_ms": ("generator's lateness, ms", 1.0),
}


def main_cells(run: Run, metric: str = "delivery") -> list[Cell]:
    """Return the cells of the combination that was measured most, over techniques and networks.

    Of equally frequent ones, the one with the least load. Figures by technique show these.
    """
    keys = set(run.latency.loc[run.latency["metric"] == metric, "cell"])
    groups: dict[Cell, list[Cell]] = {}
    for cell in run.cells:
        if cell.key in keys:
            group = replace(cell, technique="", network="", delay_ms=0.0, repeat=0)
            groups.setdefault(group, []).append(cell)
    if not groups:
        raise ResultsError(f"{run.folder.name} has no {metric!r} latencies to draw")
    return max(groups.items(), key=lambda item: (len(item[1]), -item[0].users * item[0].rate))[1]


def main_summary(run: Run, metric: str = "delivery") -> pd.DataFrame:
    """Return the summary of the main cells, with ``technique`` and ``network`` as its index."""
    table = summarize(_main_part(run, metric), metric)
    return table.set_index(["technique", "network"]).sort_index()


@lru_cache(maxsize=8)  # it is the same run for each figure, so its summary is made once
def _main_part(run: Run, metric: str) -> Run:
    cells = {cell.key for cell in main_cells(run, metric)}
    return replace(run, latency=run.latency[run.latency["cell"].isin(cells)])


def networks(cells: Sequence[Cell]) -> list[str]:
    """Return the networks of ``cells``, the nearest first."""
    return list(dict.fromkeys(c.network for c in sorted(cells, key=lambda c: c.delay_ms)))


def slugs_of(cells: Iterable[Cell]) -> list[str]:
    """Return the techniques of ``cells`` in historic order."""
    found = {cell.technique for cell in cells}
    return [slug for slug in SLUGS if slug in found]


def describe(cell: Cell) -> str:
    """Say under which load a cell was measured."""
    parts = [f"{cell.scenario}: {cell.users:,} users", f"{cell.rate:g} messages/s"]
    parts += [f"{cell.size_bytes:,} B", unusual(cell.carrier), cell.variant]
    return ", ".join(part for part in parts if part)


def rows_of(
    table: pd.DataFrame, slugs: Sequence[str], names: Sequence[str]
) -> list[tuple[str, str, "pd.Series[Any]"]]:
    """Return (technique, network, row of :func:`main_summary`) where there is one."""
    positions = {pair: i for i, pair in enumerate(table.index)}
    return [
        (slug, network, table.iloc[positions[slug, network]])
        for slug in slugs
        for network in names
        if (slug, network) in positions
    ]

"""The tables that the terminal shows: made for 80 columns, and whole in fewer."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from results.comparison import LEAST_MS, LEAST_SHARE, Comparison, compare_sides
from results.console import Console
from results.errors import ResultsError
from results.figures.words import short
from results.record.naming import unusual, way_of
from results.record.reading import Run
from results.record.verdicts import Verdict
from results.summary import by_server, by_subject, has_servers, name_of
from wire.techniques import BY_SLUG

_LOAD = ["network", "carrier", "scenario", "variant", "users", "rate", "size_bytes"]
_OF_SERVERS = {
    "p50_ms": "p50\nms",
    "p99_ms": "p99\nms",
    "bytes_down": "bytes\ndown",
    "cpu": "CPU\n%",
    "mib": "MiB",
}
_COLUMNS = {
    "p50_ms": "p50\nms",
    "p99_ms": "p99\nms",
    "bytes_down": "bytes\ndown",
    "bytes_up": "bytes\nup",
    "requests_per_s": "req\n/s",
}


def print_summary(console: Console, run: Run) -> None:
    """Print one table for each load and network of ``run``, a row for each technique."""
    if has_servers(run):
        print_servers(console, run)
        return
    table = by_subject(run)
    for load, rows in table.groupby(_LOAD, sort=False):
        printed = _new_table(_load_words(load))
        printed.add_column("technique")
        for heading in _COLUMNS.values():
            printed.add_column(heading, justify="right", no_wrap=True)
        printed.add_column("audit", justify="right")
        printed.add_column("verdict", no_wrap=True)
        for _, row in rows.iterrows():
            printed.add_row(
                BY_SLUG[str(row["technique"])].title,
                *(number(row[name]) for name in _COLUMNS),
                audit_words(row),
                _colored(str(row["verdict"])),
            )
        console.print_table(printed)
        for _, row in rows[rows["connect_p50_ms"].notna()].iterrows():
            name = BY_SLUG[str(row["technique"])].title
            p50, p99 = number(row["connect_p50_ms"]), number(row["connect_p99_ms"])
            console.print(f"{name} connects in {p50} ms (p50), {p99} ms (p99)")
    _print_hosts(console, run)
    _print_faults(console, run, table)


def _print_hosts(console: Console, run: Run) -> None:
    """Tell of each host that made load, where there were several; the first one publishes."""
    if run.hosts.empty or run.hosts["host"].max() == 1:
        return
    for host, rows in run.hosts.groupby("host"):
        processes, users = rows["processes"].max(), rows["subscribers"].max()
        words = f"host {host}: {processes} processes, up to {users} users"
        if rows["clock_error_ms"].notna().any():
            words += f", clock known within {number(rows['clock_error_ms'].max())} ms"
        if rows["p50_ms"].notna().any():
            words += f", p50 {number(rows['p50_ms'].median())} ms"
        console.print(words)


def _load_words(load: Any) -> str:
    network, carrier, scenario, variant, users, rate, size = load
    words = f"{way_of(network, carrier)}; {scenario}: {users} users, {rate:g} messages/s, {size} B"
    words += "; round trip" if scenario == "echo" else ""
    return f"{words}, {variant}" if variant else words


def _print_faults(console: Console, run: Run, table: pd.DataFrame) -> None:
    for _, row in table[table["verdict"] != Verdict.VALID].iterrows():
        name = BY_SLUG[str(row["technique"])].title
        name = f"{row['server']}: {name}" if row.get("server") else name
        way = way_of(row["network"], row["carrier"])
        console.print(f"{name}, {way}: {row['verdict']}, {row['reason']}")
    for cell, reason in run.failed:
        console.print(f"{cell}: the trial failed, {reason}", markup=False, highlight=False)
    if table.empty:
        console.print("no delivery latencies were recorded")


def print_servers(console: Console, run: Run) -> None:
    """Print one table for each load and network: the servers side by side, by technique."""
    table = by_server(run)
    table["cpu"], table["mib"] = table["server_cpu"] * 100, table["server_rss_bytes"] / 2**20
    for load, rows in table.groupby(_LOAD, sort=False):
        printed = _new_table(_load_words(load))
        printed.add_column("foreign server")
        for heading in _OF_SERVERS.values():
            printed.add_column(heading, justify="right", no_wrap=True)
        printed.add_column("audit", justify="right")
        printed.add_column("verdict")
        for at, (_, row) in enumerate(rows.iterrows()):
            title = BY_SLUG[str(row["technique"])].title
            if at == 0 or row["technique"] != rows.iloc[at - 1]["technique"]:
                printed.add_row(Text(title, style="bold"))
            printed.add_row(
                str(row["server"]) or "Duplex, not foreign",
                *(number(row[name]) for name in _OF_SERVERS),
                audit_words(row),
                _colored(str(row["verdict"])),
            )
        console.print_table(printed)
    _print_faults(console, run, table)


def print_seconds(console: Console, run: Run) -> None:
    """Print the deliveries of each second: a table for each cell."""
    if run.seconds.empty:
        raise ResultsError(f"{run.folder.name} has no latencies by the second")
    for cell, rows in run.seconds.groupby("cell", sort=False):
        printed = _new_table(str(cell))
        for heading in ("second", "deliveries", "p50 ms", "p90 ms", "p99 ms", "max ms"):
            printed.add_column(heading, justify="right", no_wrap=True)
        for _, row in rows.sort_values("t_s").iterrows():
            times = (number(row[name]) for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms"))
            printed.add_row(f"{row['t_s']:.1f}", f"{row['count']:,}", *times)
        console.print_table(printed)


def print_comparison(console: Console, found: Comparison) -> None:
    """Print what differs between two runs, and that they cannot tell why."""
    for part, lines in found.differing.items():
        console.print(f"{part} differs (A / B): " + "; ".join(lines))
    for name, only in (("A", found.only_a), ("B", found.only_b)):
        if only:
            more = f" and {len(only) - 3} more" if len(only) > 3 else ""
            console.print(f"only in {name}: {' | '.join(only[:3])}{more}")
    if found.table.empty:
        raise ResultsError("the two runs have no combination in common, so nothing compares")
    for load, rows in found.table.groupby(_LOAD, sort=False):
        words = (unusual(str(word)) for word in load)
        printed = _new_table(", ".join(word for word in words if word))
        printed.add_column("technique")
        for heading in ("", "A ms", "B ms", "change"):
            printed.add_column(heading, justify="right", no_wrap=True)
        printed.add_column("finding")
        for _, row in rows.iterrows():
            printed.add_row(
                BY_SLUG[str(row["technique"])].title,
                str(row["figure"]),
                number(row["a_ms"]),
                number(row["b_ms"]),
                "" if pd.isna(row["change"]) else f"{row['change']:+.0%}",
                str(row["finding"]),
            )
        console.print_table(printed)
    console.print(
        "Two runs are two times: what changed between them, the machine's minute or what you "
        "changed, they cannot tell. To know, measure both in turns: compare --and 'OTHER OPTIONS'."
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """A combination of A and one of B by their names, and a row of words for each figure."""

    a: str
    b: str
    rows: list[tuple[str, ...]]


SIDES_HEADINGS = ("A ms", "B ms", "change", "95 % interval", "p", "finding")


def sides_in_words(run: Run) -> tuple[list[Pair], str]:
    """Return what a run that measured A and B in turns found, and what a finding is.

    A row of a pair holds the figure's name and then :data:`SIDES_HEADINGS`. Of an interrupted run
    that lacks some combinations there are no pairs, and the words say so.
    """
    try:
        table = compare_sides(run)
    except ResultsError as error:
        return [], f"A and B are not compared: {error}."
    pairs = []
    for (_, b), rows in table.groupby(["technique", "b"], sort=False):
        words = [_side_by_side(row) for _, row in rows.iterrows()]
        pairs.append(Pair(name_of(rows.iloc[0]), str(b), words))
    return pairs, (
        f"Up to {int(table['blocks'].max())} blocks, A and B side by side in each. A finding is a "
        f"change of more than {LEAST_SHARE:.0%} and {LEAST_MS:g} ms, with p at most 0.05 by the "
        "exact signed-rank test after Holm's correction for all tests of this run."
    )


def _side_by_side(row: "pd.Series[Any]") -> tuple[str, ...]:
    return (
        str(row["figure"]),
        number(row["a_ms"]),
        number(row["b_ms"]),
        f"{row['change']:+.0%}" if pd.notna(row["change"]) else "",
        f"{row['low']:+.0%} to {row['high']:+.0%}" if pd.notna(row["low"]) else "",
        f"{row['p']:.3f}" if pd.notna(row["p"]) else "",
        str(row["finding"]),
    )


def print_sides(console: Console, run: Run) -> None:
    """Print what a run that measured A and B in turns found."""
    pairs, meaning = sides_in_words(run)
    for pair in pairs:
        printed = _new_table(f"{pair.a}\nagainst {pair.b}")
        for heading in ("", *SIDES_HEADINGS[:-1]):
            printed.add_column(heading, justify="right", no_wrap=True)
        printed.add_column(SIDES_HEADINGS[-1])
        for row in pair.rows:
            printed.add_row(*row)
        console.print_table(printed)
    console.print(meaning)


def number(value: object) -> str:
    """Write a number for a table; an empty text for what does not apply."""
    return "" if pd.isna(value) else short(float(str(value)))  # type: ignore[call-overload]


def audit_words(row: "pd.Series[str]") -> str:
    """Say ``clean``, or what was lost, doubled or out of order."""
    if pd.isna(row["expected"]):
        return ""
    faults = {"lost": row["lost"], "doubled": row["duplicated"], "reordered": row["reordered"]}
    return ", ".join(f"{int(n):,} {word}" for word, n in faults.items() if int(n)) or "clean"


def _new_table(title: str) -> Table:
    return Table(
        title=f"\n{title}",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )


def _colored(verdict: str) -> Text:
    return Text(verdict, style="green" if verdict == Verdict.VALID else "bold red")

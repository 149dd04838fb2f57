"""``report.html``: one self-contained page that a lecturer would show.

Figures first, then A against B if they were measured in turns, the table, what it was measured on,
and how to repeat it. The page loads nothing from anywhere; it reads on a phone, in print, in light
and in dark. Its markup is in ``templates``, which escape whatever they are given; here are its
words and numbers.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from results.comparison import has_sides
from results.figures.of_a_run import Drawing, draw_run
from results.record.facts import to_redraw, to_repeat
from results.record.files import write_text
from results.record.naming import server_of, way_of
from results.record.reading import Run
from results.record.verdicts import Verdict
from results.summary import by_subject, has_servers
from results.tables import SIDES_HEADINGS, audit_words, number, sides_in_words
from wire.techniques import BY_SLUG

_PAGES = Environment(
    loader=PackageLoader("results"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_VARIED = ("network", "carrier", "scenario", "variant", "users", "rate", "size_bytes")
_COLUMNS = (
    ("p50_ms", "p50 ms"),
    ("p90_ms", "p90 ms"),
    ("p99_ms", "p99 ms"),
    ("max_ms", "max ms"),
    ("expected", "deliveries expected"),
    ("audit", "audit"),
    ("bytes_down", "bytes down"),
    ("bytes_up", "bytes up"),
    ("requests_per_s", "requests /s"),
    ("open_sockets", "sockets"),
)


def write_report(run: Run, drawings: Sequence[Drawing] | None = None) -> Path:
    """Draw the figures into ``figures/`` and write ``report.html``; return the page's path.

    Raises :class:`~results.errors.ResultsError` where something in the folder leads out of it.
    """
    drawings = draw_run(run) if drawings is None else drawings
    drawn = {drawing: drawing.svg() for drawing in drawings}
    for drawing, svg in drawn.items():
        write_text(run.folder, "figures", f"{drawing.name}.svg", text=svg + "\n")
    return write_text(run.folder, "report.html", text=render(run, drawn))


def render(run: Run, drawn: Mapping[Drawing, str]) -> str:
    """Return the page with each drawing as its SVG."""
    head = run.head
    subjects = f"{len({cell.technique for cell in run.cells})} techniques"
    if has_servers(run):
        subjects = f"{len({server_of(cell.variant) for cell in run.cells})} servers"
    minutes = float(head.get("duration_s", 0)) / 60
    started = str(head.get("started", "")).replace("T", " ").replace("+00:00", " UTC")
    ended = "" if run.finished else " Interrupted: complete cells only."
    table = by_subject(run)
    varied = [name for name in _VARIED if table[name].nunique() > 1]
    rows = [_row(row, varied) for _, row in table.iterrows()]
    pairs, meaning = sides_in_words(run) if has_sides(run) else ([], "")
    return _PAGES.get_template("report.html").render(
        title=f"Duplex: {run.kind} of {subjects}",
        subtitle=f"{started}, {minutes:.1f} minutes, {len(run.cells)} cells, "
        f"{head['host'].get('cpu', '')}.{ended}",
        verdict=run.judgement,
        drawings=[_Figure(one.title, one.alt, _base64(svg)) for one, svg in drawn.items()],
        pairs=pairs,
        meaning=meaning,
        sides_headings=SIDES_HEADINGS,
        texts=["technique", *varied, "verdict"],
        numbers=[words for _, words in _COLUMNS],
        rows=rows,
        bad=[row for row in rows if not row.valid],
        failed=run.failed,
        facts=_facts(run),
        command=to_repeat(str(head.get("command", ""))),
        redraw=to_redraw(run.folder),
    )


@dataclass(frozen=True, slots=True)
class _Figure:
    """A drawing as the page shows it; ``data`` is its SVG in base64."""

    title: str
    alt: str
    data: str


@dataclass(frozen=True, slots=True)
class _Number:
    """One number of the table in words, with its interval if it has one."""

    words: str
    interval: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table; ``load`` says under which one, for the list of what is not VALID."""

    technique: str
    varied: list[str]
    load: str
    verdict: str
    valid: bool
    reason: str
    figures: list[_Number]


def _base64(svg: str) -> str:
    return base64.b64encode(svg.encode()).decode()


def _row(row: "pd.Series[str]", varied: Sequence[str]) -> _Row:
    return _Row(
        technique=BY_SLUG[str(row["technique"])].title,
        varied=[str(row[name]) for name in varied],
        load=f"{way_of(row['network'], row['carrier'])}, {row['users']:,} users, "
        f"{row['rate']:g} messages/s",
        verdict=str(row["verdict"]),
        valid=row["verdict"] == Verdict.VALID,
        reason=str(row["reason"]),
        figures=[_number(row, name) for name, _ in _COLUMNS],
    )


def _number(row: "pd.Series[str]", name: str) -> _Number:
    if name == "audit":
        return _Number(audit_words(row))
    low, high = (row.get(name.replace("_ms", end)) for end in ("_low", "_high"))
    if name not in ("p50_ms", "p99_ms") or pd.isna(low):
        return _Number(number(row[name]))
    return _Number(number(row[name]), f"{number(low)} to {number(high)}")


def _facts(run: Run) -> dict[str, str]:
    head = run.head
    host = head["host"]
    memory = float(host.get("memory_bytes", 0)) / 2**30
    return {
        "Plan": ". ".join(
            f"{name.capitalize()}: {_words(value)}" for name, value in head["plan"].items() if value
        ),
        "Host": f"{host.get('cpu')}, {host.get('usable_cores')} of {host.get('cores')} cores, "
        f"{memory:.0f} GiB, {host.get('os')}, {host.get('kernel')}",
        "Versions": ", ".join(f"{k} {v}" for k, v in head.get("versions", {}).items()),
        **({"Servers": "; ".join(map(str, run.servers.values()))} if run.servers else {}),
        "Clock": ", ".join(f"{k} {v}" for k, v in head.get("clock", {}).items()),
        "Commit": str(head.get("commit", "")) or "not known",
        "Latency": "from the intended send time to the arrival at the receiver's host (on Linux "
        "the kernel's stamp, not the receiver's handler), monotonic clock, HdrHistogram with 3 "
        "digits",
        "Bytes": "message, framing and TLS as counted, TCP/IP headers modelled from segment counts",
    }


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_words(v)}" for k, v in value.items() if v not in ("", None, []))
    if isinstance(value, list):
        return ("; " if any(isinstance(v, dict) for v in value) else " ").join(map(_words, value))
    return str(value)

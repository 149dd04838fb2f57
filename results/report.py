"""``report.html``: one self-contained page that a lecturer would show.

Figures first, then the table, what it was measured on, and how to repeat it. The page loads
nothing from anywhere; it reads on a phone, in print, in light and in dark.
"""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from results.figures.of_a_run import Drawing, draw_run
from results.record.reading import Run
from results.record.verdicts import Verdict
from results.summary import summarize
from results.tables import audit_words, number
from wire.techniques import BY_SLUG

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1a1a1a; --faint: #595959;
  --line: #c8c8c8; --shade: #f3f5f7; --warn: #a31515; --good: #10603a; --link: #0b5394; }
@media (prefers-color-scheme: dark) { :root { --paper: #15181b; --ink: #ececec;
  --faint: #b4b4b4; --line: #4a4f55; --shade: #20252a; --warn: #ff9a8f; --good: #7fdcab;
  --link: #8fc7ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.2rem; background: var(--paper);
  color: var(--ink); font: 1.05rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: .3rem 0; }
h2 { font-size: 1.35rem; margin: 2.2rem 0 .6rem; }
a { color: var(--link); }
p, dd { max-width: 46rem; }
.faint { color: var(--faint); }
.verdict { font-weight: bold; }
.VALID { color: var(--good); } .bad { color: var(--warn); }
figure { margin: 1.2rem 0; }
figcaption { font-weight: bold; margin-bottom: .3rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
.scroll:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
figure img { display: block; width: 100%; min-width: 40rem; height: auto; background: #fff; }
details { color: var(--faint); margin-top: .3rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
small { color: var(--faint); }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
thead th { background: var(--shade); vertical-align: bottom; white-space: normal; }
th:first-child, .text { text-align: left; }
small { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: bold; } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--shade); padding: .8rem; overflow-x: auto; border-radius: .4rem; }
@media (max-width: 40rem) { dl { display: block; } dd { margin-bottom: .5rem; } }
@media print { :root { color-scheme: light; --paper: #fff; --ink: #000; --faint: #444;
  --line: #aaa; --shade: #f3f3f3; --warn: #a31515; --good: #10603a; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  figure, tr { break-inside: avoid; } figure img { min-width: 0; max-height: 11cm;
  object-fit: contain; } .scroll { border: 0; overflow: visible; } table { font-size: 8pt; }
  th, td { padding: .1rem .25rem; white-space: normal; } details { display: none; } }
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>
<h1>$title</h1>
<p class="faint">$subtitle</p>
<p>$verdict</p>
</header>
<main>
<h2 id="figures">Figures</h2>
$figures
<h2 id="table">Table</h2>
$table
<h2 id="measured">What was measured, and on what</h2>
$facts
<h2 id="repeat">Repeat it</h2>
<pre><code>$command</code></pre>
<p>Draw this page again from the recorded run:</p>
<pre><code>python -m results $folder</code></pre>
</main>
</body>
</html>
""")

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
    """Draw the figures into ``figures/`` and write ``report.html``; return the page's path."""
    drawings = draw_run(run) if drawings is None else drawings
    for drawing in drawings:
        drawing.save(run.folder / "figures")
    path = run.folder / "report.html"
    path.write_text(render(run, drawings), encoding="utf-8")
    return path


def render(run: Run, drawings: Sequence[Drawing]) -> str:
    """Return the page."""
    head = run.head
    techniques = len({cell.technique for cell in run.cells})
    minutes = float(head.get("duration_s", 0)) / 60
    started = str(head.get("started", "")).replace("T", " ").replace("+00:00", " UTC")
    ended = "" if run.finished else " Interrupted: complete cells only."
    return _PAGE.substitute(
        title=escape(f"Duplex: {run.kind} of {techniques} techniques"),
        style=_STYLE,
        subtitle=escape(
            f"{started}, {minutes:.1f} minutes, {len(run.cells)} cells, "
            f"{(head.get('host') or {}).get('cpu', '')}.{ended}"
        ),
        verdict=_run_verdict(run),
        figures="\n".join(map(_figure, drawings)) or "<p>Nothing was measured completely.</p>",
        table=_table(summarize(run)),
        facts=_facts(run),
        command=escape(str(head.get("command", ""))),
        folder=escape(run.folder.name),
    )


def _run_verdict(run: Run) -> str:
    judgement = run.judgement
    table = summarize(run)
    bad = int((table["verdict"] != Verdict.VALID).sum())
    if judgement.verdict is Verdict.VALID:
        return '<span class="verdict VALID">VALID</span>: no limit of generator or server was met.'
    return (
        f"{bad} of {len(table)} rows are not VALID; the worst is "
        f'<span class="verdict bad">{escape(judgement.verdict)}</span>: '
        f"{escape(judgement.reason)}. They are hollow in the figures and marked in the table."
    )


def _figure(drawing: Drawing) -> str:
    data = base64.b64encode(drawing.svg().encode()).decode()
    label = escape(drawing.title, quote=True)
    return (
        f"<figure><figcaption>{label}</figcaption>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<img alt="{escape(drawing.alt, quote=True)}" src="data:image/svg+xml;base64,{data}">'
        f"</div><details><summary>In words</summary><p>{escape(drawing.alt)}</p></details>"
        "</figure>"
    )


def _table(table: pd.DataFrame) -> str:
    if table.empty:
        return "<p>No delivery latencies were recorded.</p>"
    varied = [
        name
        for name in ("network", "scenario", "variant", "users", "rate", "size_bytes")
        if table[name].nunique() > 1
    ]
    heads = ["technique", *varied, "verdict", *(words for _, words in _COLUMNS)]
    lines = ["<tr>" + "".join(f'<th scope="col">{escape(words)}</th>' for words in heads) + "</tr>"]
    body = [_row(row, varied) for _, row in table.iterrows()]
    return (
        '<p class="faint" id="legend">Medians over the repeats, below them the 95 % bootstrap '
        "interval. Bytes are on the wire per delivered message; sockets and requests are the "
        "server's.</p>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Summary table">'
        '<table aria-describedby="legend">'
        f"<thead>{lines[0]}</thead><tbody>{''.join(body)}</tbody></table></div>{_reasons(table)}"
    )


def _reasons(table: pd.DataFrame) -> str:
    bad = table[table["verdict"] != Verdict.VALID]
    lines = [
        f"<li>{escape(BY_SLUG[str(row['technique'])].title)}, {escape(str(row['network']))}, "
        f"{row['users']:,} users, {row['rate']:g} messages/s: {escape(str(row['reason']))}</li>"
        for _, row in bad.iterrows()
    ]
    return f"<h3>Why not VALID</h3><ul>{''.join(lines)}</ul>" if lines else ""


def _row(row: "pd.Series[str]", varied: Sequence[str]) -> str:
    cells = [f'<th scope="row">{escape(BY_SLUG[str(row["technique"])].title)}</th>']
    cells += [f'<td class="text">{escape(str(row[name]))}</td>' for name in varied]
    verdict = str(row["verdict"])
    kind = "VALID" if verdict == Verdict.VALID else "bad"
    cells.append(f'<td class="text verdict {kind}">{escape(verdict)}</td>')
    for name, _ in _COLUMNS:
        text = audit_words(row) if name == "audit" else number(row[name])
        low, high = (row.get(name.replace("_ms", end)) for end in ("_low", "_high"))
        if name in ("p50_ms", "p99_ms") and not pd.isna(low):
            text += f"<br><small>{number(low)} to {number(high)}</small>"
        cells.append(f"<td>{text}</td>")
    return "<tr>" + "".join(cells) + "</tr>"


def _facts(run: Run) -> str:
    head = run.head
    host = head["host"]
    memory = float(host.get("memory_bytes", 0)) / 2**30
    facts = {
        "Plan": ". ".join(
            f"{name.capitalize()}: {_words(value)}" for name, value in head["plan"].items() if value
        ),
        "Host": f"{host.get('cpu')}, {host.get('usable_cores')} of {host.get('cores')} cores, "
        f"{memory:.0f} GiB, {host.get('os')}, {host.get('kernel')}",
        "Versions": ", ".join(f"{k} {v}" for k, v in head.get("versions", {}).items()),
        "Clock": ", ".join(f"{k} {v}" for k, v in head.get("clock", {}).items()),
        "Commit": str(head.get("commit", "")) or "not known",
        "Latency": "from the intended send time to the receiver's handler, monotonic clock, "
        "HdrHistogram with 3 digits",
        "Bytes": "message and framing as counted, TCP/IP headers modelled from segment counts",
    }
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    return f"<dl>{items}</dl>"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_words(v)}" for k, v in value.items() if v not in ("", None, []))
    if isinstance(value, list):
        return ("; " if any(isinstance(v, dict) for v in value) else " ").join(map(_words, value))
    return str(value)

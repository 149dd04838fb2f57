"""Bars, one row per technique: bytes, requests, connections, sockets, CPU and memory.

A row that is not ``VALID`` is drawn hollow and hatched and says its verdict.
"""

from collections.abc import Mapping

from matplotlib.axes import Axes

from results.errors import ResultsError
from results.figures.palette import INK, LAYER_PALETTE, WARNING, color
from results.figures.selection import (
    LEDGER_WORDS,
    describe,
    main_cells,
    main_summary,
    networks,
    rows_of,
    slugs_of,
)
from results.figures.style import Drawing, heading, lecture_style, row_panels
from results.figures.words import short, title
from results.record.reading import Run
from results.record.rows import LAYERS
from results.record.verdicts import Verdict
from wire.techniques import SLUGS

LAYER_TITLES = {
    "message": "message (JSON)",
    "framing": "framing (HTTP, chunks, frames, HTML)",
    "tls": "TLS records",
    "tls_handshake": "TLS handshakes",
    "tcp_ip_headers": "TCP/IP headers (model)",
}


def bytes_per_message(run: Run) -> Drawing:
    """Draw what one delivered message costs on the wire, by layer, down and up."""
    cells = main_cells(run)
    network = networks(cells)[0]
    keys = {cell.key for cell in cells if cell.network == network}
    rows = run.bytes[run.bytes["cell"].isin(keys) & (run.bytes["role"] == "subscriber")]
    if rows.empty:
        raise ResultsError(f"{run.folder.name} has no bytes to draw")
    slugs = [slug for slug in SLUGS if slug in set(rows["technique"])]
    shown = [layer for layer in LAYERS if layer in set(rows["layer"])]
    table = main_summary(run)
    noun = "token" if cells[0].scenario == "tokens" else "message"
    medians = rows.groupby(["technique", "direction", "layer"])["per_message"].median()
    said = []
    with lecture_style():
        figure, panels = row_panels(slugs, 2)
        for axes, direction in zip(panels, ("down", "up"), strict=True):
            arrow = "down: server to client" if direction == "down" else "up: client to server"
            axes.set_title(arrow)
            axes.set_xlabel(f"bytes per delivered {noun}")
            for y, slug in enumerate(slugs):
                layers = {
                    layer: float(medians.get((slug, direction, layer), 0.0)) for layer in shown
                }
                verdict = str(table.loc[(slug, network), "verdict"])
                _stack(axes, y, layers, verdict)
                said.append(f"{title(slug)} {sum(layers.values()):,.0f} {direction}")
            _room_for_numbers(axes)
        handles, labels = panels[0].get_legend_handles_labels()
        by_label = dict(zip(labels, handles, strict=True))
        figure.legend(by_label.values(), by_label.keys(), loc="outside lower center", ncols=3)
        heading(figure, "Bytes on the wire", f"{network}; {describe(cells[0])}")
    return Drawing(
        "bytes_per_message",
        f"Bytes on the wire for one delivered {noun}, by layer",
        f"Stacked bars of bytes per delivered {noun}: message, framing"
        f"{', TLS' * ('tls' in shown)} and modelled TCP/IP headers. "
        f"Totals: {'; '.join(said)}.",
        figure,
    )


def connection_rates(run: Run) -> Drawing:
    """Draw requests and new connections per second."""
    caption = "Requests and new connections per second"
    return _ledger_bars(run, "connection_rates", caption, "requests_per_s", "connections_per_s")


def open_connections(run: Run) -> Drawing:
    """Draw open sockets and held requests."""
    caption = "Open sockets and held requests"
    return _ledger_bars(run, "open_connections", caption, "open_sockets", "held_requests")


def server_cost(run: Run) -> Drawing:
    """Draw the server's CPU and memory."""
    caption = "What the server spends"
    return _ledger_bars(run, "server_cost", caption, "server_cpu", "server_rss_bytes")


def _ledger_bars(run: Run, name: str, caption: str, *columns: str) -> Drawing:
    cells = main_cells(run)
    network = networks(cells)[0]
    slugs = slugs_of(cells)
    table = main_summary(run)
    if run.ledger.empty:
        raise ResultsError(f"{run.folder.name} has no ledger to draw")
    said = []
    with lecture_style():
        figure, panels = row_panels(slugs, len(columns))
        for axes, column in zip(panels, columns, strict=True):
            label, factor = LEDGER_WORDS[column]
            axes.set_title(label)
            for y, (slug, _, row) in enumerate(rows_of(table, slugs, [network])):
                value = float(row[column]) * factor
                valid = row["verdict"] == Verdict.VALID
                axes.barh(
                    y,
                    value,
                    height=0.62,
                    color=color(slug) if valid else "white",
                    edgecolor=color(slug),
                    hatch="" if valid else "xx",
                )
                _number(axes, y, value, str(row["verdict"]))
                said.append(f"{title(slug)} {short(value)} {label}")
            _room_for_numbers(axes)
        heading(figure, caption, f"{network}; {describe(cells[0])}")
    return Drawing(name, caption, f"Bars by technique. {'; '.join(said)}.", figure)


def _stack(axes: Axes, y: int, layers: Mapping[str, float], verdict: str) -> None:
    left = 0.0
    valid = verdict == Verdict.VALID
    for layer, value in layers.items():
        ink, hatch = LAYER_PALETTE[layer]
        axes.barh(
            y,
            value,
            left=left,
            height=0.62,
            color=ink if valid else "white",
            edgecolor="white" if valid else ink,
            hatch=hatch if valid else "xx",
            label=LAYER_TITLES[layer] if valid else None,
            linewidth=0.8,
        )
        left += value
    _number(axes, y, left, verdict)


def _number(axes: Axes, y: int, value: float, verdict: str) -> None:
    valid = verdict == Verdict.VALID
    axes.annotate(
        short(value) + ("" if valid else f" {verdict}"),
        (value, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=13 if valid else 11,
        color=INK if valid else WARNING,
        fontweight="normal" if valid else "bold",
    )


def _room_for_numbers(axes: Axes) -> None:
    longest = axes.dataLim.x1
    words = any(" " in text.get_text() for text in axes.texts)
    axes.set_xlim(0, longest * (1.95 if words else 1.25) if longest > 0 else 1.0)
    if not longest > 0:
        axes.set_xticks([0])  # nothing to measure by

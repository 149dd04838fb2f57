"""How latencies are distributed, from the histograms themselves: nothing is averaged away."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from hdrh.histogram import HdrHistogram
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from results.figures.palette import FAINT, INK, WARNING, color, marker
from results.figures.selection import (
    describe,
    main_cells,
    main_summary,
    networks,
    rows_of,
    slugs_of,
)
from results.figures.style import (
    NUMBERS,
    Drawing,
    End,
    blank,
    heading,
    label_ends,
    lecture_style,
    log_ticks,
    mark_size,
    row_panels,
    small_panels,
    warn,
)
from results.figures.words import short, title, unless_valid
from results.record.histogram import NS_PER_MS, curve, percentiles_ms
from results.record.reading import Run
from results.record.verdicts import Verdict


def latency_distribution(run: Run) -> Drawing:
    """Draw how delivery latencies are distributed: a row per technique, a panel per network."""
    cells = main_cells(run)
    names = networks(cells)
    slugs = slugs_of(cells)
    table = main_summary(run)
    with lecture_style():
        figure, panels = row_panels(slugs, len(names))
        for axes, network in zip(panels, names, strict=True):
            axes.set_xscale("log")
            axes.set_title(network)
            axes.set_xlabel("latency, ms")
            axes.text(1.03, 1.02, "p50 | p99", transform=axes.transAxes, color=FAINT)
            for y, slug in enumerate(slugs):
                chosen = [c for c in cells if (c.technique, c.network) == (slug, network)]
                for _, _, row in rows_of(table, [slug], [network]):
                    distribution(axes, y, slug, run.merged(chosen), row)
        share_x(panels)
        marks = "large mark: p50, small mark: p99, both in ms at the right"
        heading(figure, "Delivery latency", f"{describe(cells[0])}; {marks}")
    said = [
        f"{title(slug)} {short(row['p50_ms'])} and {short(row['p99_ms'])} ms on {network}"
        + unless_valid(row["verdict"])
        for slug, network, row in rows_of(table, slugs, names)
    ]
    return Drawing(
        "latency_distribution",
        "Delivery latency, from the intended send time to the arrival at the receiver",
        "Distribution of delivery latency on a logarithmic axis, one row per technique. "
        "Median and 99th percentile: " + "; ".join(said) + ".",
        figure,
    )


def latency_percentiles(run: Run, network: str | None = None) -> Drawing:
    """Draw latency over the percentile, the tail stretched: where do the slow ones begin?"""
    cells = main_cells(run)
    network = network or networks(cells)[-1]
    table = main_summary(run)
    ends, said = [], []
    with lecture_style():
        figure = blank()
        axes = figure.subplots()
        for slug, _, row in rows_of(table, slugs_of(cells), [network]):
            chosen = [c for c in cells if (c.technique, c.network) == (slug, network)]
            x, y = _tail(run.merged(chosen))
            if not x:
                continue  # nothing was received
            valid = row["verdict"] == Verdict.VALID
            axes.plot(x, y, color=color(slug), linestyle="-" if valid else ":")
            axes.plot(
                x[-1],
                y[-1],
                marker=marker(slug),
                markersize=mark_size(marker(slug), 10),
                color=color(slug),
                markerfacecolor=color(slug) if valid else "white",
                clip_on=False,
            )
            ends.append(End(x[-1], y[-1], title(slug) + unless_valid(row["verdict"]), color(slug)))
            said.append(f"{title(slug)} {short(row['p50_ms'])} to {short(row['p999_ms'])} ms")
        _percent_axis(axes)
        axes.set_yscale("log")
        log_ticks(axes.yaxis)
        axes.set_ylabel("delivery latency, ms")
        axes.set_xlabel("percentile")
        heading(figure, "Delivery latency by percentile", f"{network}; {describe(cells[0])}")
        label_ends(axes, ends)
    return Drawing(
        "latency_percentiles",
        "Delivery latency by percentile: how slow the slowest are",
        f"Latency over percentile on {network}; from the median to the 99.9th percentile: "
        + "; ".join(said)
        + ".",
        figure,
    )


def honest_and_naive(run: Run) -> Drawing:
    """Draw latency from the intended send time beside what a closed-loop tool would report."""
    cells = main_cells(run, "naive")
    network = networks(cells)[0]
    slugs = slugs_of(cells)
    table = main_summary(run, "naive")
    said, highest = [], 0.0
    with lecture_style():
        figure, panels = small_panels(len(slugs))
        for axes, slug in zip(panels, slugs, strict=False):
            chosen = [c for c in cells if (c.technique, c.network) == (slug, network)]
            lines = {metric: run.merged(chosen, metric) for metric in ("delivery", "naive")}
            for metric, dashes in (("delivery", "-"), ("naive", (0, (2, 1.5)))):
                ink = color(slug) if metric == "delivery" else INK
                axes.plot(*_tail(lines[metric]), color=ink, linestyle=dashes)
            verdict = str(table.loc[(slug, network), "verdict"])
            axes.set_title(title(slug), fontsize=14, color=INK)
            warn(axes, verdict)
            _percent_axis(axes, wide=False)
            axes.set_yscale("log")
            highest = max(highest, lines["delivery"].get_max_value() / NS_PER_MS)
            honest, naive = (percentiles_ms(lines[name], 99)[0] for name in lines)
            said.append(f"{title(slug)} {short(honest)} against {short(naive)} ms")
        for axes in panels[-4:]:
            axes.set_xlabel("percentile")
        panels[0].set_ylim(top=highest * 8)  # room for a verdict above the lines
        log_ticks(panels[0].yaxis)
        figure.supylabel("ms", fontsize=14)
        figure.legend(
            [Line2D([], [], color=FAINT), Line2D([], [], color=INK, linestyle=(0, (2, 1.5)))],
            ["from the intended send time", "as a closed-loop tool reports it"],
            loc="outside lower center",
            ncols=2,
        )
        heading(figure, "Honest and naive latency", f"{network}; {describe(cells[0])}")
    return Drawing(
        "honest_and_naive",
        "Honest latency (from the intended send time) and naive latency",
        "Two curves of latency over percentile for each technique. 99th percentile, honest "
        "against naive: " + "; ".join(said) + ".",
        figure,
    )


def _tail(histogram: HdrHistogram) -> tuple[list[float], list[float]]:
    """Return x = -log10(1 - share) and the latency in ms, up to the last share but one count."""
    times, reached = curve(histogram)
    wanted = 1 - np.logspace(0, -3, 150)
    wanted = wanted[wanted <= 1 - 1 / max(histogram.get_total_count(), 2)]
    if not times:
        return [], []
    places = np.searchsorted(np.array(reached), wanted)
    return list(-np.log10(1 - wanted)), [times[place] for place in places]


def _percent_axis(axes: Axes, wide: bool = True) -> None:
    percents = (0, 50, 90, 99, 99.9) if wide else (0, 90, 99.9)
    axes.set_xlim(0, 3)
    axes.set_xticks([-np.log10(1 - p / 100) for p in percents], [f"{p:g}" for p in percents])


def distribution(
    axes: Axes,
    y: int,
    slug: str,
    histogram: HdrHistogram,
    row: "pd.Series[Any]",
    least_ms: float = 1e-3,
) -> None:
    """Draw one technique's times in its row; what took less than ``least_ms`` stands there."""
    verdict = str(row["verdict"])
    valid = verdict == Verdict.VALID
    middles, heights = _density(histogram, least_ms)
    axes.fill_between(
        middles,
        y + 0.32 - 0.8 * heights,
        y + 0.32,
        facecolor=color(slug) if valid else "white",
        edgecolor=color(slug),
        alpha=0.55 if valid else 1.0,
        hatch="" if valid else "xx",
        linewidth=1.2,
    )
    p50, p99 = float(row["p50_ms"]), float(row["p99_ms"])  # medians over the repeats
    for value, size in ((p50, 10), (p99, 6)):
        axes.plot(
            max(value, least_ms),
            y + 0.32,
            marker=marker(slug),
            markersize=mark_size(marker(slug), size),
            color=color(slug),
            markerfacecolor=color(slug) if valid else "white",
            clip_on=False,
        )
    text = f"{short(p50)} | {short(p99)}" + ("" if valid else f"\n{verdict}")
    axes.text(
        1.03,
        y,
        text,
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=13 if valid else 11,
        color=INK if valid else WARNING,
        fontweight="normal" if valid else "bold",
    )


def _density(
    histogram: HdrHistogram, least_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times in ms and the density of their logarithm there, the highest being 1."""
    times, shares = (np.array(part) for part in curve(histogram))
    if not len(times):
        return times, shares
    logs = np.log10(np.maximum(times, least_ms))
    step = 0.02
    grid = np.arange(logs[0] - 0.15, logs[-1] + 0.15 + step, step)
    counts, edges = np.histogram(logs, grid, weights=np.diff(shares, prepend=0.0))
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2) ** 2)
    smooth = np.convolve(counts, kernel, mode="same")
    return 10 ** ((edges[:-1] + edges[1:]) / 2), smooth / smooth.max()


def share_x(panels: Sequence[Axes]) -> None:
    """Give all panels the same logarithmic axis."""
    limits = [axes.get_xlim() for axes in panels]
    for axes in panels:
        axes.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
        log_ticks(axes.xaxis, roomy=len(panels) == 1)
        low, high = axes.get_xlim()
        if len(panels) > 2 and high > 1000 * low:  # in narrow panels every second power has room
            axes.xaxis.set_major_formatter(FuncFormatter(_even_power))


def _even_power(value: float, _: object) -> str:
    return NUMBERS.format(x=value) if round(np.log10(value)) % 2 == 0 else ""

"""Latency over time: steps, spikes, storms and stalls as they happened.

From the histogram of each second (``seconds.csv``): a message counts in the second in which it was
due, so a stall shows in the seconds that it hit and not in the one in which all came at once.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from results.errors import ResultsError
from results.figures.palette import color, marker
from results.figures.selection import describe, main_cells, networks, slugs_of
from results.figures.style import (
    Drawing,
    End,
    blank,
    heading,
    label_ends,
    lecture_style,
    log_ticks,
    mark_size,
    settle,
    small_panels,
    warn,
)
from results.figures.words import short, title
from results.record.histogram import decode, merge, percentiles_ms
from results.record.reading import Run

STEP_S = 10.0  # how long each rate of "steps" holds
_LEAST_SECONDS = 3


def latency_over_time(run: Run, network: str | None = None) -> Drawing:
    """Draw p50 and p99 of each second: a panel per technique."""
    cells = main_cells(run)
    network = network or networks(cells)[0]
    chosen = {cell.key for cell in cells if cell.network == network and cell.repeat == 1}
    rows = run.seconds[run.seconds["cell"].isin(chosen)]
    if rows["t_s"].nunique() < _LEAST_SECONDS:
        raise ResultsError(f"{run.folder.name} has no latencies by the second to draw")
    slugs = [slug for slug in slugs_of(cells) if slug in set(rows["technique"])]
    verdicts = _verdicts(run, chosen)
    said = []
    with lecture_style():
        figure, panels = small_panels(len(slugs))
        panels[0].set_yscale("log")
        for axes, slug in zip(panels, slugs, strict=False):
            line = rows[rows["technique"] == slug].sort_values("t_s")
            axes.plot(line["t_s"], line["p50_ms"], color=color(slug))
            axes.plot(line["t_s"], line["p99_ms"], color=color(slug), lw=1.2)
            axes.fill_between(
                line["t_s"], line["p50_ms"], line["p99_ms"], color=color(slug), alpha=0.2
            )
            axes.set_title(title(slug), fontsize=14)
            axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            warn(axes, verdicts.get(slug, ""))
            worst = line.nlargest(1, "p99_ms").iloc[0]
            said.append(f"{title(slug)} {short(worst['p99_ms'])} ms at {worst['t_s']:.0f} s")
        log_ticks(panels[0].yaxis, roomy=False)
        figure.supxlabel("seconds, by when a message was due", fontsize=14)
        figure.supylabel("ms", fontsize=14)
        one = next(cell for cell in cells if cell.key in chosen)
        heading(figure, "Delivery latency over time", f"{network}; {describe(one)}; p50 and p99")
    return Drawing(
        "latency_over_time",
        "Delivery latency over time: p50 and p99 of what was due in each second",
        f"Two lines per technique over the seconds on {network}, p50 and p99. Worst p99: "
        + "; ".join(said)
        + ".",
        figure,
    )


def steps_of(run: Run) -> pd.DataFrame:
    """Return the steps of cells whose rate rose: where is the knee?

    A row per technique, network and step: ``rate`` (messages/s that were delivered to each user),
    ``p50_ms``, ``p99_ms``, ``count``. The seconds of all repeats are added up; those that a step's
    edge or the end cuts are left out, and steps that had only begun.
    """
    rows = run.seconds[run.seconds["variant"].str.split(", ").map(lambda words: "steps" in words)]
    if rows.empty:
        raise ResultsError(f"{run.folder.name} measured no --rate-shape steps")
    settings = run.head["plan"].get("settings", {})
    since = rows["t_s"] + float(settings.get("warm_up", 0.0))  # the load itself began
    step = np.floor(since / STEP_S)
    last = rows.groupby("cell")["t_s"].transform("max")  # which the end cut short
    whole = (since >= 0) & (np.floor((since + 1) / STEP_S) == step) & (rows["t_s"] < last)
    rows = rows.assign(step=step)[whole]
    found = []
    for (slug, network, number), part in rows.groupby(["technique", "network", "step"], sort=False):
        if len(part) < _LEAST_SECONDS:
            continue  # a step that had only begun
        total = merge(decode(text) for text in part["encoded"])
        p50, p99 = percentiles_ms(total, 50, 99)
        count = int(part["count"].sum())
        rate = count / len(part) / int(part["users"].iloc[0])
        found.append((slug, network, int(str(number).partition(".")[0]), rate, p50, p99, count))
    names = ["technique", "network", "step", "rate", "p50_ms", "p99_ms", "count"]
    return pd.DataFrame(found, columns=names)


def knee_of_steps(run: Run, network: str | None = None) -> Drawing:
    """Draw latency over the rate, from the steps of one test: p99 bends where the knee is."""
    table = steps_of(run)
    network = network or str(table["network"].iloc[0])
    table = table[table["network"] == network]
    ends, said = [], []
    with lecture_style():
        figure = blank()
        axes = figure.subplots()
        axes.set_yscale("log")
        for slug in slugs_of(run.cells):
            line = table[table["technique"] == slug].sort_values("step")
            if line.empty:
                continue
            axes.plot(line["rate"], line["p50_ms"], color=color(slug), lw=1.2)
            axes.plot(
                line["rate"],
                line["p99_ms"],
                color=color(slug),
                marker=marker(slug),
                ms=mark_size(marker(slug), 10),
            )
            last = line.iloc[-1]
            ends.append(End(last["rate"], last["p99_ms"], title(slug), color(slug)))
            told = (
                f"{short(row['p99_ms'])} ms at {short(row['rate'])}/s" for _, row in line.iterrows()
            )
            said.append(f"{title(slug)} {', '.join(told)}")
        log_ticks(axes.yaxis)
        axes.set_xlim(left=0)
        axes.set_xlabel("messages/s delivered to each user")
        axes.set_ylabel("delivery latency, ms")
        heading(figure, "The knee", f"{network}; a step every {STEP_S:g} s; thin p50, marked p99")
        settle(figure)
        label_ends(axes, ends)
    return Drawing(
        "knee_of_steps",
        "The knee: delivery latency as the rate rises step by step",
        f"Latency over the rate on {network}. p99: " + "; ".join(said) + ".",
        figure,
    )


def _verdicts(run: Run, keys: set[str]) -> dict[str, str]:
    rows = run.latency[run.latency["cell"].isin(keys) & (run.latency["metric"] == "delivery")]
    return dict(zip(rows["technique"], rows["verdict"], strict=True))

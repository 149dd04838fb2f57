"""Every figure draws from a synthetic run, without text on text, and says what is not VALID."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from results.errors import ResultsError
from results.figures import curves
from results.figures import of_a_run as figures
from results.figures.of_a_run import Drawing, Series
from results.figures.palette import color
from results.figures.selection import describe
from results.figures.style import lecture_style, spread
from results.record.histogram import new_histogram, record_ns
from results.record.reading import Run, read_run
from results.record.rows import Audit, BytesRow, Cell, LedgerRow, TraceRow
from results.record.verdicts import Judgement, Verdict
from results.record.writer import RunWriter
from results.summary import summarize
from wire.techniques import BY_SLUG

pytestmark = pytest.mark.slow

OF_A_RUN = [
    figures.latency_distribution,
    figures.latency_percentiles,
    figures.bytes_per_message,
    figures.connection_rates,
    figures.open_connections,
    figures.server_cost,
    figures.honest_and_naive,
    figures.ledger_over_time,
    figures.token_gaps,
    figures.token_arrivals,
    figures.checks,
]
# What draws though nothing was received.
OF_A_SILENT_RUN = OF_A_RUN[:-3]
FOUR = ("polling", "long_polling", "sse", "web_socket")
OTHER_NAMES: dict[Callable[..., Drawing], str] = {
    figures.ledger_over_time: "ledger_server_cpu"
}  # one of its columns


@pytest.fixture(scope="module")
def drawn(run: Run) -> dict[str, Drawing]:
    """Return all that a run's report shows, drawn once for all who look at it."""
    drawings = figures.draw_run(run)
    by_name = {drawing.name: drawing for drawing in drawings}
    assert len(by_name) == len(drawings), "each has a file of its own"
    return by_name


@pytest.fixture(scope="module")
def rising(steps: Run) -> pd.DataFrame:
    """Return the summary of the run with rising load, for whoever changes its loads."""
    return summarize(steps)


@pytest.fixture(scope="module")
def bars(drawn: dict[str, Drawing]) -> tuple[Drawing, str]:
    """Return one figure and its SVG."""
    drawing = drawn["open_connections"]
    return drawing, drawing.svg()


def texts(drawing: Drawing) -> list[Text]:
    """Return the texts that a reader sees."""
    found: Iterable[Text] = drawing.figure.findobj(Text)
    hidden = outside_ticks(drawing.figure)
    shown = (text for text in found if text.get_visible() and id(text) not in hidden)
    return [text for text in shown if text.get_text().strip()]


def overlaps(drawing: Drawing) -> list[tuple[str, str]]:
    """Return the pairs of texts whose inner boxes meet."""
    return meeting(placed(drawing))


def placed(drawing: Drawing) -> list[Text]:
    """Return the texts that a reader sees, all in their places."""
    with lecture_style():
        drawing.figure.draw_without_rendering()  # which also places a legend's words
        return texts(drawing)


def meeting(shown: list[Text]) -> list[tuple[str, str]]:
    """Return the pairs of these texts whose inner boxes meet."""
    # Text's own box: an annotation's would take in its leader line.
    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-2)) for text in shown]
    return [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]


def outside_ticks(figure: Figure) -> set[int]:
    """Return the ids of tick labels beyond the limits of their axis: they are not drawn."""
    found = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        slack = (high - low) * 1e-6
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - slack <= tick.get_loc() <= high + slack:
                found |= {id(tick.label1), id(tick.label2)}
    return found


def test_the_same_data_give_the_same_file_whatever_matplotlibrc_says(
    bars: tuple[Drawing, str], run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "matplotlibrc"
    file.write_text(
        "text.usetex: True\nlines.linestyle: --\naxes.facecolor: black\npath.sketch: 1, 100, 2\n"
        "savefig.bbox: tight\nsavefig.transparent: True\nsvg.id: mine\nfont.size: 40\n"
    )
    with mpl.rc_context(fname=file):
        before = dict(mpl.rcParams)
        assert figures.open_connections(run).svg() == bars[1]
        assert dict(mpl.rcParams) == before, "only the drawing had settings of its own"
    assert bars[0].svg() == bars[1]


def test_techniques_that_lost_everything_do_not_keep_a_report_from_being_drawn() -> None:
    sample = Path(__file__).parents[1] / "record" / "samples" / "format_1"
    lossy = read_run(sample)
    draws = (figures.knee, figures.latency_distribution, figures.latency_percentiles)
    names = [draw(lossy).name for draw in draws]  # none refuses: a report would leave it out
    assert names == ["knee_users", "latency_distribution", "latency_percentiles"]


def check(drawing: Drawing) -> list[Text]:
    """Look at the whole of a drawing, and return the texts that a reader sees."""
    shown = placed(drawing)
    assert meeting(shown) == []
    page = drawing.figure.bbox
    for text in shown:
        box = Text.get_window_extent(text)
        if text.axes is None or text in text.axes.texts:
            assert page.x0 <= box.x0, text.get_text()
            assert box.x1 <= page.x1 + 1, text.get_text()
    assert len(drawing.alt) > 60
    assert drawing.title
    assert min(float(text.get_fontsize()) for text in shown) >= 11
    return shown


@pytest.mark.parametrize("draw", OF_A_RUN, ids=lambda draw: draw.__name__)
def test_draws(drawn: dict[str, Drawing], draw: Callable[[Run], Drawing]) -> None:
    drawing = drawn[OTHER_NAMES.get(draw, draw.__name__)]
    shown = check(drawing)
    if draw is not figures.checks:  # a check has its own verdict
        words = drawing.alt + " ".join(text.get_text() for text in shown)
        assert Verdict.SERVER_BOUND in words


def test_a_knee_has_one_value_for_each_load_where_loads_were_crossed(
    steps: Run, rising: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the line would run through several rates at the same number of users."""
    fast = rising[rising["users"] > 10].assign(rate=50.0)
    monkeypatch.setattr(curves, "summarize", lambda _: pd.concat([fast, rising]))
    drawing = figures.knee(steps, "users")
    check(drawing)
    axes = drawing.figure.axes[0]
    points = [np.asarray(line.get_xdata()).tolist() for line in axes.lines]
    lines = [xs for xs in points if len(xs) > 1]
    assert lines
    assert all(xs == [10, 50, 200, 1000] for xs in lines)


def test_the_rates_of_a_search_do_not_lie_on_each_other(
    steps: Run, rising: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search halves its steps, so the last rates lie within a tenth of each other."""
    rates = {10: 100.0, 50: 200.0, 200: 210.0, 1000: 230.0}
    searched = rising.assign(rate=rising["users"].map(rates), users=40)
    monkeypatch.setattr(curves, "summarize", lambda _: searched)
    (knee_by_rate,) = (one for one in figures._OF_A_RUN if isinstance(one, partial))
    drawing = knee_by_rate(steps)
    assert drawing.name == "knee_rate"
    check(drawing)


def test_servers_stand_side_by_side_and_no_figure_shows_one_of_them(servers: Run, run: Run) -> None:
    drawings = figures.draw_run(replace(servers, traces=servers.traces[:0]))
    assert [one.name for one in drawings] == ["latency_of_servers", "cost_of_servers"]
    for drawing in drawings:
        check(drawing)
        (legend,) = drawing.figure.legends
        named = [text.get_text() for text in legend.get_texts()]
        assert named == ["a_server_with_a_long_name", "duplex", "nchan"]
        assert len({line.get_marker() for line in legend.get_lines()}) == 3
    with pytest.raises(ResultsError, match="did not measure several servers"):
        figures.latency_of_servers(run)


@pytest.mark.parametrize("load", ["users", "rate"])
def test_one_level_has_no_knee(run: Run, load: str) -> None:
    with pytest.raises(ResultsError, match="only one level"):
        figures.knee(run, load)


@pytest.mark.parametrize("column", ["requests_per_s", "held_requests", "server_rss_bytes"])
def test_ledger_columns(run: Run, column: str) -> None:
    """A line of panels: there is no more room in several."""
    line = run.ledger[run.ledger["technique"].isin(FOUR)]
    check(figures.ledger_over_time(replace(run, ledger=line), column, "relay 25 ms"))


def test_unknown_ledger_column_is_named(run: Run) -> None:
    with pytest.raises(ResultsError, match="'cpu' is no ledger column; accepted: server_cpu"):
        figures.ledger_over_time(run, "cpu")


@pytest.fixture(scope="session")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run in which one technique delivered nothing, and the other one message."""
    folder = tmp_path_factory.mktemp("silent") / "run"
    with RunWriter(folder, "compare", {}, []) as writer:
        for slug, histogram in (("polling", new_histogram()), ("sse", new_histogram())):
            if slug == "sse":
                record_ns(histogram, 1_000_000)
            audit = Audit(10, int(histogram.get_total_count()))
            writer.add(
                Cell(slug),
                histograms={"delivery": histogram, "naive": histogram},
                audit=audit,
                judgement=Judgement(Verdict.SERVER_BOUND, "nothing came"),
                ledger=[LedgerRow(0.0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0)],
                bytes=[BytesRow("subscriber", "down", "framing", 0, 0.0, "kernel")],
            )
    return read_run(folder)


@pytest.mark.parametrize("draw", OF_A_SILENT_RUN, ids=lambda draw: draw.__name__)
def test_nothing_received(silent: Run, draw: Callable[[Run], Drawing]) -> None:
    assert overlaps(draw(silent)) == []


def test_the_bytes_of_tls_are_drawn_where_there_are_some(
    run: Run, drawn: dict[str, Drawing]
) -> None:
    assert "TLS" not in drawn["bytes_per_message"].alt
    one = run.bytes[run.bytes["layer"] == "framing"]
    tls = [one.assign(layer=layer, per_message=50.0) for layer in ("tls", "tls_handshake")]
    cells = tuple(replace(cell, carrier="h1+tls") for cell in run.cells)
    drawing = figures.bytes_per_message(
        replace(run, bytes=pd.concat([run.bytes, *tls], ignore_index=True), cells=run.cells)
    )
    shown = check(drawing)
    assert "framing, TLS and modelled" in drawing.alt
    legend = [text.get_text() for text in shown]
    assert {"TLS records", "TLS handshakes"} <= {*legend}
    assert "h1+tls" in describe(cells[0])
    assert "h1" not in describe(run.cells[0])


def test_one_network_one_technique(run: Run) -> None:
    cells = tuple(c for c in run.cells if c.technique == "sse" and c.network == "loopback")
    keys = {cell.key for cell in cells}
    part = replace(run, cells=cells, latency=run.latency[run.latency["cell"].isin(keys)])
    alike = (figures.connection_rates, figures.open_connections)  # drawn as the server's cost is
    for draw in OF_A_SILENT_RUN:
        if draw not in alike:
            assert overlaps(draw(part)) == []


def test_exact_counts_are_told_and_not_drawn_beside_models(run: Run) -> None:
    exact = run.checks.assign(tolerance=0.0, expected=1.0, measured=1.0, passed=True)
    many = pd.concat([run.checks, *[exact] * 20], ignore_index=True)
    drawing = figures.checks(replace(run, checks=many))
    shown = check(drawing)
    count = len(run.checks)
    assert f"{21 * count} of {21 * count} checks" in drawing.alt
    told = f"{20 * count} exact counts are as they should be"
    assert any(told in text.get_text() for text in shown)


def test_failed_checks_are_marked(run: Run) -> None:
    table = run.checks.copy()
    table.loc[0, "measured"] = 900.0
    table.loc[0, "passed"] = False
    drawing = figures.checks(replace(run, checks=table))
    assert any("FAILED" in text.get_text() for text in check(drawing))
    assert "3 of 4 checks" in drawing.alt


def test_exact_check_with_no_tolerance(run: Run) -> None:
    table = run.checks.copy()
    table["tolerance"] = 0.0
    table["measured"] = table["expected"]
    check(figures.checks(replace(run, checks=table)))


def test_model_and_points() -> None:
    series = [
        Series("polling", [0.5, 1], [277, 525], [260, 500], [290, 550], [0, 2], [25, 1025]),
        Series("sse", [0.5, 1], [26, 26], [25, 25], [27, 27], [0, 2], [25, 25]),
        Series("web_socket", [0.5, 1], [26, 26], [25, 25], [27, 27], [0, 2], [25, 25]),
    ]
    drawing = figures.model_and_points(series, "m", "Staleness", "poll interval, s", "mean, ms")
    check(drawing)
    assert "Polling 0.5: 277, 1: 525" in drawing.alt


@pytest.mark.parametrize("count", [1, 4, 30])
def test_sequence(count: int) -> None:
    rows = [
        TraceRow(1, way, i * 3.0, i * 3.0 + 25, 100 + i, f"a fairly long label number {i}")
        for i in range(count)
        for way in ("up", "down")
    ]
    check(figures.sequence_diagram(rows, "s", "A crowd"))


def test_a_sequence_marks_moments_at_the_server() -> None:
    rows = [TraceRow(1, "down", 30.0, 55.0, 100, "200 OK")]
    drawing = figures.sequence_diagram(rows, "s", "Two", moments={"one": 10.0, "two": 29.5})
    check(drawing)
    assert drawing.alt.endswith("there at 55 ms. At 10 ms: one. At 30 ms: two.")
    (axes,) = drawing.figure.axes
    marks = [
        np.asarray(line.get_xydata()).tolist() for line in axes.lines if line.get_marker() == "D"
    ]
    assert marks == [[[1.0, 10.0]], [[1.0, 29.5]]]
    assert axes.get_ylim()[1] < 10 < 55 < axes.get_ylim()[0]


def test_empty_sequence_is_refused() -> None:
    with pytest.raises(ResultsError, match="empty trace"):
        figures.sequence_diagram([], "s", "Nothing")


def test_a_run_draws_what_it_holds(drawn: dict[str, Drawing]) -> None:
    assert "latency_distribution" in drawn
    assert "sequence_long_polling" in drawn
    assert not any(name.startswith("knee") for name in drawn)


def test_an_empty_run_draws_nothing(run: Run) -> None:
    nothing = {name: getattr(run, name).iloc[:0] for name in ("latency", "checks", "traces")}
    assert figures.draw_run(replace(run, cells=(), **nothing)) == []


def test_a_figure_shows_itself_in_a_notebook_with_its_text(bars: tuple[Drawing, str]) -> None:
    data, metadata = bars[0]._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert metadata == {"alt": bars[0].alt}


def test_colour_follows_the_technique(bars: tuple[Drawing, str]) -> None:
    svg = bars[1].lower()
    assert all(color(slug).lower() in svg for slug in BY_SLUG)


def test_spread_keeps_order_and_distance() -> None:
    places = spread([0.5, 0.5, 0.5, 0.1, 2.0], 0.1, 0.0, 1.0)
    assert places[3] == pytest.approx(0.1)
    assert places[4] == pytest.approx(1.0)
    assert places[:3] == pytest.approx([0.4, 0.5, 0.6])
    crowded = spread([1.0] * 9, 0.5, 0.0, 1.0)
    assert crowded == pytest.approx([i / 8 for i in range(9)])
    assert spread([], 0.1, 0, 1) == []


def test_a_function_that_draws_is_read_at_a_glance() -> None:
    """Data, marks and words apart: none of them needs more than fifty lines."""
    root = Path(figures.__file__).parents[2]
    files = [
        *(root / "results" / "figures").glob("*.py"),
        *(root / "notebooks/course").glob("*.py"),
    ]
    long = [
        f"{file.name}: {node.name}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert not long

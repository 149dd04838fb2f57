"""A clearly synthetic run: invented figures, for drawing and reading only."""

import random
import shutil
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from results.record.histogram import new_histogram, record_ns
from results.record.reading import Run, read_run
from results.record.rows import AnswerRow, Audit, BytesRow, Cell, CheckRow, LedgerRow, TraceRow
from results.record.verdicts import Judgement, Verdict
from results.record.writer import RunWriter
from wire.techniques import SLUGS

MS = 1_000_000
# technique: (mean extra wait in s, framing down, up per message, requests/s per user); of another
# than these, as of SSE
INVENTED = {
    "page_reload": (0.5, 1600, 420, 1.0),
    "frame_reload": (0.5, 700, 400, 1.0),
    "polling": (0.5, 160, 280, 1.0),
    "plugin_socket": (0.0, 1, 0, 0.0),
    "forever_frame": (0.0, 35, 2, 0.01),
    "long_polling": (0.02, 150, 250, 2.2),
    "sse": (0.0, 28, 2, 0.01),
    "web_socket": (0.0, 4, 1, 0.01),
}
FEW: dict[str, Any] = {"repeats": 1, "networks": (("loopback", 0.0),)}


def write_synthetic(
    folder: Path,
    *,
    repeats: int = 2,
    levels: tuple[int, ...] = (20,),
    networks: tuple[tuple[str, float], ...] = (("loopback", 0.0), ("relay 25 ms", 25.0)),
    variants: tuple[str, ...] = ("",),
    slow: float = 1.0,
    bad: dict[str, Verdict] | None = None,
    seed: int = 1,
    slugs: Sequence[str] = SLUGS,
) -> Path:
    """Write a run with invented figures, of all techniques as a rule."""
    chance = random.Random(seed)
    with RunWriter(
        folder, "compare", {"scenario": "feed", "load_model": "open"}, ["python", "-m", "loadtests"]
    ) as writer:
        for repeat in range(1, repeats + 1):
            for users in levels:
                for network, delay in networks:
                    for slug, variant in product(slugs, variants):
                        cell = Cell(slug, network, delay, "feed", variant, users, 20.0, 100, repeat)
                        _add(writer, cell, chance, slow, (bad or {}).get(slug))
    return folder


def _add(
    writer: RunWriter, cell: Cell, chance: random.Random, slow: float, bad: Verdict | None
) -> None:
    wait, framing, up, asks = INVENTED.get(cell.technique, INVENTED["sse"])
    delivery, naive, publish = new_histogram(), new_histogram(), new_histogram()
    gap = new_histogram()
    for _ in range(50):  # each sixteen times
        base = chance.lognormvariate(0, 0.35) * slow * (1 + cell.users / 200)
        late = cell.delay_ms + base + chance.random() * wait * 2000
        record_ns(delivery, int(late * MS), 16)
        record_ns(naive, int((cell.delay_ms + base) * MS), 16)
        record_ns(publish, int(base * 0.3 * MS), 16)
        record_ns(gap, int(33 * base * MS) if wait < 0.1 else chance.choice([0, 0, 1000 * MS]), 16)
    lost = 3 if bad is Verdict.SERVER_BOUND else 0
    busy = min(0.02 + cell.users * (0.001 + asks / 1500), 0.99)
    requests = asks * cell.users
    writer.add(
        cell,
        histograms={"delivery": delivery, "naive": naive, "publish": publish, "gap": gap},
        audit=Audit(expected=800 + lost, received=800),
        judgement=Judgement(bad, "invented for this test") if bad else None,
        ledger=[
            LedgerRow(
                t_s=float(second),
                open_sockets=cell.users,
                held_requests=cell.users if asks < 1 or asks > 2 else 0,
                requests_per_s=requests * chance.uniform(0.95, 1.05),
                connections_per_s=0.0 if asks < 1 else chance.uniform(0, 1),
                deliveries_per_s=20.0 * cell.users,
                bytes_per_s=20.0 * cell.users * (150 + framing),
                server_cpu=busy * chance.uniform(0.95, 1.05),
                server_rss_bytes=60_000_000 + 12_000 * cell.users,
                generator_cpu=busy * 0.7,
                generator_lag_ms=chance.uniform(0.1, 2),
            )
            for second in range(10)
        ],
        bytes=[
            BytesRow("subscriber", "down", "message", 150 * 800, 150.0, "client"),
            BytesRow("subscriber", "down", "framing", framing * 800, float(framing), "kernel"),
            BytesRow("subscriber", "down", "tcp_ip_headers", 52 * 800, 52.0, "model"),
            BytesRow("subscriber", "up", "framing", up * 800, float(up), "kernel"),
            BytesRow("subscriber", "up", "tcp_ip_headers", 52 * 800, 52.0, "model"),
        ],
        checks=[CheckRow("mean delivery", 525.0, 531.0, 52.5, "ms", True, "T/2 + D")]
        if cell.technique == "polling"
        else [],
        traces=[
            TraceRow(1, "up", 0.0, 25.0, 120, "GET /long_polling"),
            TraceRow(1, "down", 60.0, 85.0, 260, "200 [message 1]"),
            TraceRow(1, "up", 85.5, 110.5, 120, "GET /long_polling"),
            TraceRow(1, "down", 111.0, 136.0, 260, "200 [message 2]"),
        ]
        if cell.technique == "long_polling"
        else [],
        answers=[
            AnswerRow(1, token, (cell.delay_ms + 300 + 33 * token) // max(wait * 2000, 1) + 1)
            for token in range(1, 31)
        ],
    )


@pytest.fixture(scope="session")
def write_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the builder of synthetic runs; what was written once is copied from then on."""
    written: dict[str, Path] = {}

    def write(folder: Path, **asked: Any) -> Path:
        if (key := repr(sorted(asked.items()))) not in written:
            written[key] = write_synthetic(tmp_path_factory.mktemp("written") / "run", **asked)
        return shutil.copytree(written[key], folder)

    return write


@pytest.fixture
def small_run(write_run: Callable[..., Path], tmp_path: Path) -> Path:
    """Return the folder of a small run of the test's own, to be broken."""
    return write_run(tmp_path / "run", slugs=("polling", "long_polling", "sse"), **FEW)


@pytest.fixture
def lost_run(tmp_path: Path) -> Path:
    """Return the folder of a run that lost everything: there is a reason, and little to draw."""
    with RunWriter(tmp_path / "run", "compare", {}, ["python", "-m", "loadtests"]) as writer:
        lost = Judgement(Verdict.SERVER_BOUND, "invented for this test")
        writer.add(Cell("sse"), audit=Audit(expected=9, received=0), judgement=lost)
    return tmp_path / "run"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a synthetic run with one invented verdict."""
    folder = tmp_path_factory.mktemp("runs") / "synthetic"
    bad = {"polling": Verdict.SERVER_BOUND, "long_polling": Verdict.GENERATOR_BOUND}
    write_synthetic(folder, bad=bad)
    return read_run(folder)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a synthetic run of three servers side by side, with rising load.

    Three techniques have the panels of any number of them: more make the figure wider.
    """
    folder = tmp_path_factory.mktemp("runs") / "servers"
    marks = ("foreign nchan", "foreign a_server_with_a_long_name", "foreign duplex")
    bad = {"polling": Verdict.SERVER_BOUND}
    slugs = ("polling", "long_polling", "sse")
    levels = (10, 200)
    written = write_synthetic(folder, levels=levels, variants=marks, bad=bad, slugs=slugs, **FEW)
    return read_run(written)


@pytest.fixture(scope="session")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a synthetic run with rising load."""
    folder = tmp_path_factory.mktemp("runs") / "steps"
    levels = (10, 50, 200, 1000)
    return read_run(write_synthetic(folder, levels=levels, **FEW))

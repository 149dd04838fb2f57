"""Writing a run while it is measured, so that nothing measured is lost.

The tables are appended to and flushed cell by cell, and a cell counts once ``run.json`` lists
it: an interrupted run keeps all its complete cells, and a half-written one is ignored.
"""

import csv
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from hdrh.histogram import HdrHistogram

from results.errors import ResultsError
from results.record import facts
from results.record.files import own_path, write_text
from results.record.histogram import UNIT, encode, mean_ms, new_histogram, percentiles_ms, range_ms
from results.record.naming import server_of
from results.record.rows import (
    FORMAT,
    ROW_TYPES,
    AnswerRow,
    Audit,
    BytesRow,
    Cell,
    CheckRow,
    HistogramRow,
    HostRow,
    LatencyRow,
    LedgerRow,
    Row,
    SecondRow,
    TraceRow,
    columns,
)
from results.record.verdicts import NOTHING, Judgement, Verdict, judge_repeats, worst


def latency_row(
    metric: str, histogram: HdrHistogram, audit: Audit | None, judgement: Judgement
) -> LatencyRow:
    """Summarise one histogram of nanoseconds as a row in ms."""
    least, greatest = range_ms(histogram)
    p50, p90, p99, p999 = percentiles_ms(histogram, 50, 90, 99, 99.9)
    return LatencyRow(
        metric=metric,
        count=int(histogram.get_total_count()),
        min_ms=least,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        p999_ms=p999,
        max_ms=greatest,
        mean_ms=mean_ms(histogram),
        expected=audit.expected if audit else None,
        received=audit.received if audit else None,
        lost=audit.lost if audit else None,
        duplicated=audit.duplicated if audit else None,
        reordered=audit.reordered if audit else None,
        verdict=str(judgement.verdict),
        reason=judgement.reason,
    )


def second_row(t_s: float, histogram: HdrHistogram) -> SecondRow:
    """Summarise the deliveries of one second, a histogram of nanoseconds."""
    p50, p90, p99 = percentiles_ms(histogram, 50, 90, 99)
    count = int(histogram.get_total_count())
    return SecondRow(t_s, count, p50, p90, p99, range_ms(histogram)[1], encode(histogram))


class RunWriter:
    """Writes a run folder while it is measured; use it in a ``with`` block.

    ``kind`` is ``compare``, ``calibrate`` or the like; ``plan`` is what was asked for, as JSON
    values; ``command`` repeats the run (absolute paths are cut to their names). The folder is
    made. One that already holds a run or cannot be written raises
    :class:`~results.errors.ResultsError`.
    """

    def __init__(
        self, folder: Path | str, kind: str, plan: Mapping[str, Any], command: Iterable[str]
    ) -> None:
        self.folder = Path(folder)
        if (self.folder / "run.json").exists():
            raise ResultsError(f"{self.folder} already holds a run; name another folder")
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        self._cells: list[Cell] = []
        self._failed: list[dict[str, Any]] = []
        self._judgements: list[Judgement] = []
        self._medians_ms: dict[Cell, list[float]] = {}  # of the repeats of one combination
        self._head: dict[str, Any] = {
            "format": FORMAT,
            "kind": kind,
            "command": facts.command_line(command),
            "plan": dict(plan),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "duration_s": 0.0,
            "finished": False,
            "commit": facts.commit(),
            "versions": facts.package_versions(),
            "host": facts.host_facts(),
            "clock": facts.clock_facts(),
        }
        self._save()

    def add(
        self,
        cell: Cell,
        *,
        histograms: Mapping[str, HdrHistogram] | None = None,
        audit: Audit | None = None,
        judgement: Judgement | None = None,
        ledger: Iterable[LedgerRow] = (),
        bytes: Iterable[BytesRow] = (),
        checks: Iterable[CheckRow] = (),
        traces: Iterable[TraceRow] = (),
        seconds: Iterable[SecondRow] = (),
        hosts: Iterable[HostRow] = (),
        answers: Iterable[AnswerRow] = (),
        server: facts.ForeignServer | None = None,
    ) -> None:
        """Keep one measured cell, on disk when this returns.

        ``histograms`` maps metric to a histogram of nanoseconds; empty ones are left out, but
        the row of ``delivery`` is written whenever there is an ``audit``. ``server`` is the foreign
        one that the cell's variant names.
        """
        for added in self._cells:
            if added.key == cell.key:
                raise ResultsError(
                    f"a cell {cell.key!r} was already added: {added}; give {cell} another repeat, "
                    "or a network or variant that tells them apart"
                )
        judgement = judgement or Judgement(Verdict.VALID)
        rows: list[Row] = [*ledger, *bytes, *checks, *traces, *seconds, *hosts, *answers]
        measured = dict(histograms or {})
        if audit:  # a cell that lost everything must not vanish from the tables
            measured.setdefault("delivery", new_histogram())
        for metric, histogram in measured.items():
            own_audit = audit if metric == "delivery" else None
            if histogram.get_total_count() or own_audit:
                rows.append(latency_row(metric, histogram, own_audit, judgement))
                rows.append(HistogramRow(metric, UNIT, encode(histogram)))
            if metric == "delivery" and histogram.get_total_count():
                repeats = self._medians_ms.setdefault(replace(cell, repeat=0), [])
                repeats += percentiles_ms(histogram, 50)
        with _writing(self.folder):
            self._append(cell, rows)
        if server:
            self._head.setdefault("servers", {})[server_of(cell.variant)] = asdict(server)
        self._cells.append(cell)
        self._judgements.append(judgement)
        self._save()

    def fail(self, cell: Cell, reason: str) -> None:
        """Keep that the trial of a cell failed, and why: a run without it would look complete."""
        self._failed.append({"cell": cell.key, **asdict(cell), "reason": reason})
        self._judgements.append(
            Judgement(Verdict.INVALID, f"the trial of {cell.key} failed: {reason.splitlines()[0]}")
        )
        self._save()

    def close(self, finished: bool = True) -> None:
        """End the run; ``finished`` is false when it was interrupted."""
        self._head["finished"] = finished
        self._save()

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(finished=kind is None)

    def _append(self, cell: Cell, rows: list[Row]) -> None:
        for row_type in ROW_TYPES:
            chosen = [row for row in rows if isinstance(row, row_type)]
            if not chosen:
                continue
            path = own_path(self.folder, f"{row_type.table}.csv")
            with path.open("a", newline="", encoding="utf-8") as file:
                table = csv.writer(file, lineterminator="\n")
                if file.tell() == 0:
                    table.writerow(columns(row_type))
                names = asdict(cell).values()
                table.writerows([cell.key, *names, *asdict(row).values()] for row in chosen)
                file.flush()
                os.fsync(file.fileno())

    def _save(self) -> None:
        self._head["duration_s"] = round(time.monotonic() - self._began, 3)
        repeats = map(judge_repeats, self._medians_ms.values())
        verdict = worst([*self._judgements, *repeats]) if self._judgements else NOTHING
        self._head["verdict"] = {"verdict": str(verdict.verdict), "reason": verdict.reason}
        self._head["cells"] = [{"cell": cell.key, **asdict(cell)} for cell in self._cells]
        self._head["failed"] = self._failed
        with _writing(self.folder):
            write_text(self.folder, "run.json", text=json.dumps(self._head, indent=2) + "\n")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn what the system says about a file into words for a person."""
    try:
        yield
    except OSError as error:
        raise ResultsError(
            f"{error.filename or folder} cannot be written: {error.strerror}; name another folder"
        ) from error

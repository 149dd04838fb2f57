"""``.hlog``: a run's deliveries in HdrHistogram's own log format, for its viewers and libraries.

One file for each cell, an interval for each second. Intervals are in seconds since the epoch,
values in nanoseconds, an interval's maximum in milliseconds, as the format's own writers do.
"""

from datetime import datetime
from pathlib import Path

from hdrh.log import HistogramLogWriter

from results.errors import ResultsError
from results.record.histogram import NS_PER_MS, decode
from results.record.reading import Run


def write_hlog(run: Run, folder: Path) -> list[Path]:
    """Write a file for each cell that has seconds into ``folder``, and return their paths.

    Raises :class:`~results.errors.ResultsError` where no cell has any.
    """
    if run.seconds.empty:
        raise ResultsError(f"{run.folder.name} has no latencies by the second to write")
    began = datetime.fromisoformat(run.head["started"]).timestamp()
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for cell, rows in run.seconds.groupby("cell", sort=False):
        words = "".join(letter if letter.isalnum() else "_" for letter in str(cell))
        paths.append(folder / f"{words.strip('_')}.hlog")
        with paths[-1].open("w", encoding="utf-8") as file:
            log = HistogramLogWriter(file)
            log.output_comment(f"[Duplex: {cell}; ns; times since the cell's own beginning]")
            log.output_log_format_version()
            file.write(f"#[StartTime: {began:f} (seconds since epoch), {run.head['started']}]\n")
            file.write(f"#[BaseTime: {began:f} (seconds since epoch)]\n")
            log.output_legend()
            shift = min(float(rows["t_s"].min()), 0.0)
            for t_s, encoded in zip(rows["t_s"], rows["encoded"], strict=True):
                start = float(t_s) - shift or 1e-6  # the writer takes 0 for "look in the histogram"
                log.output_interval_histogram(decode(encoded), start, start + 1.0, NS_PER_MS)
    return paths

"""What a run must keep to be called a success: ``p99 > 20 ms``, ``lost > 0``, a verdict.

A threshold says when a run *fails*, for each of its combinations by itself, over the median of
the repeats (counts of the audit: over their sum). It is written ``[TECHNIQUE:] [METRIC.]FIGURE
OPERATOR NUMBER [UNIT]``. A figure that was not measured breaks its threshold, for a check that
nothing can fail checks nothing.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from results.record.rows import METRICS
from wire.techniques import SLUGS

_TIMES = {
    **{name: f"{name}_ms" for name in ("p50", "p90", "p99", "p999", "max", "mean")},
    "p99.9": "p999_ms",
}
_AUDIT = {name: name for name in ("lost", "duplicated", "reordered", "received", "expected")}
_BYTES = {name: name for name in ("bytes_down", "bytes_up")}
_CPU = {name: name for name in ("server_cpu", "generator_cpu")}
FIGURES = {**_TIMES, **_AUDIT, **_BYTES, **_CPU}
# unit: what a number in it is multiplied with, to be in the unit of the table
_UNITS_OF_TIME = {"": 1.0, "ms": 1.0, "s": 1000.0, "us": 0.001}
_SHARE = {"": 1.0, "%": 0.01}
_OPERATORS = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_FORM = re.compile(
    r"\s*(?:(?P<technique>\w+)\s*:\s*)?(?:(?P<metric>[a-z_]+)\.)?(?P<figure>[a-z_]\w*(?:\.9)?)"
    r"\s*(?P<operator>>=|<=|>|<)\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*+(?P<unit>[a-z%]*)\s*",
    re.ASCII,
)
ACCEPTED = (
    "write [TECHNIQUE:] [METRIC.]FIGURE OPERATOR NUMBER [UNIT], such as 'p99 > 20 ms', "
    "'lost > 0.1 %' or 'sse: connect.p50 > 1 s'; "
    f"figures: {', '.join(FIGURES)}; metrics (of times): {', '.join(METRICS)}; "
    f"operators: {' '.join(_OPERATORS)}; units: ms, s or us of times, % of lost, duplicated, "
    "reordered (of what was expected) and of CPU (of a core)"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Fails a combination whose ``figure`` stands on the wrong side of ``limit``.

    ``limit`` is in the table's unit (ms, deliveries, bytes, cores), or with ``of_expected`` a
    share of the deliveries that should have come. ``technique`` is empty where all are meant.
    """

    text: str
    technique: str
    metric: str
    figure: str
    operator: str
    limit: float
    of_expected: bool = False

    def broken_by(self, row: Mapping[str, Any]) -> str:
        """Say what a summary's row has that breaks it, or nothing; NaN is what was not measured."""
        column = FIGURES[self.figure]
        found = float(row[column])
        if self.of_expected:
            found = found / row["expected"] if row["expected"] else math.nan
        if math.isnan(found):
            return f"{self.metric}.{self.figure} was not measured"
        if not _OPERATORS[self.operator](found, self.limit):
            return ""
        unit = "ms" if column.endswith("_ms") else "of the expected" if self.of_expected else ""
        return f"{self.figure} is {found:.4g} {unit}".rstrip()


def read_threshold(text: str) -> Threshold:
    """Read a threshold as it is written on a command line.

    Raises :class:`ValueError`, which says what is wrong and what is accepted.
    """

    def wrong(what: str) -> ValueError:
        return ValueError(f"{text!r}: {what}; {ACCEPTED}")

    found = _FORM.fullmatch(text)
    if found is None:
        raise wrong("this is no threshold")
    technique, metric = found["technique"] or "", found["metric"] or "delivery"
    figure, unit = found["figure"], found["unit"]
    if technique and technique not in SLUGS:
        raise wrong(f"there is no technique {technique!r}, there are {', '.join(SLUGS)}")
    if metric not in METRICS:
        raise wrong(f"there is no metric {metric!r}")
    if figure not in FIGURES:
        raise wrong(f"there is no figure {figure!r}")
    if metric != "delivery" and figure not in _TIMES:
        raise wrong(f"{figure} is of the whole combination, not of {metric}")
    shares = figure in ("lost", "duplicated", "reordered", "received")
    units = (
        _UNITS_OF_TIME if figure in _TIMES else _SHARE if shares or figure in _CPU else {"": 1.0}
    )
    if unit not in units:
        raise wrong(f"{figure} has no unit {unit!r}")
    limit = float(found["number"]) * units[unit]
    of_expected = shares and unit == "%"
    return Threshold(text.strip(), technique, metric, figure, found["operator"], limit, of_expected)

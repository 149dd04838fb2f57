"""What a run must keep to be called a success: ``p99 > 20 ms``, ``lost > 0``, a verdict.

A threshold says when a run *fails*, for each of its combinations by itself, over the median of
the repeats (counts of the audit: over their sum). It is written ``[TECHNIQUE:] [METRIC.]FIGURE
OPERATOR NUMBER [UNIT]``. A figure that was not measured breaks its threshold, for a check that
nothing can fail checks nothing.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from results.record.reading import Run
from results.record.rows import METRICS
from results.record.verdicts import Verdict
from results.summary import name_of, summarize
from wire.techniques import SLUGS

# A run whose server was at its limit, or whose repeats disagree, is a finding about the server. In
# every other verdict but VALID the numbers are not the server's.
USUALLY_ACCEPTED = (Verdict.VALID, Verdict.SERVER_BOUND, Verdict.UNSTABLE)
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
    r"\s*(?P<operator>>=|<=|>|<)\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<unit>[a-z%]*)\s*",
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

    def broken_by(self, row: "pd.Series[Any]") -> str:
        """Say what a row of :func:`~results.summary.summarize` has that breaks it, or nothing."""
        column = FIGURES[self.figure]
        found = row[column]
        if self.of_expected and pd.notna(found):
            found = float(found) / row["expected"] if row["expected"] else float("nan")
        if pd.isna(found):
            return f"{self.metric}.{self.figure} was not measured"
        if not _OPERATORS[self.operator](float(found), self.limit):
            return ""
        unit = "ms" if column.endswith("_ms") else "of the expected" if self.of_expected else ""
        return f"{self.figure} is {float(found):.4g} {unit}".rstrip()


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that was asked of one combination; ``broken`` says how it failed, or nothing."""

    combination: str
    technique: str
    asked: str
    broken: str = ""
    of_verdict: bool = False


def outcomes(run: Run, thresholds: Iterable[Threshold], accepted: Sequence[str]) -> list[Outcome]:
    """Hold every combination of a run against the accepted verdicts and the thresholds."""
    found = [_of_verdict(row, accepted) for _, row in summarize(run).iterrows()]
    for threshold in thresholds:
        table = summarize(run, threshold.metric)
        if threshold.technique:
            table = table[table["technique"] == threshold.technique]
        whom = threshold.technique or "run"
        found += [
            Outcome(name_of(row), str(row["technique"]), threshold.text, threshold.broken_by(row))
            for _, row in table.iterrows()
        ] or [Outcome(whom, whom, threshold.text, f"no {threshold.metric} was measured")]
    return found


def _of_verdict(row: "pd.Series[str]", accepted: Sequence[str]) -> Outcome:
    verdict, reason = str(row["verdict"]), str(row["reason"])
    broken = "" if verdict in accepted else f"{verdict}: {reason}"
    asked = f"the verdict is {' or '.join(accepted)}"
    return Outcome(name_of(row), str(row["technique"]), asked, broken, of_verdict=True)


def write_junit(path: Path, name: str, found: Iterable[Outcome], failed: Iterable[str]) -> None:
    """Write what was held and what broke as JUnit XML, a test case each.

    ``failed`` are troubles of the run itself: a trial that failed, an interruption. A verdict that
    was not accepted is an error (the measurement's), a broken threshold a failure (the server's).
    """
    suite = ET.Element("testsuite", name=name)
    counts = {"tests": 0, "failures": 0, "errors": 0}
    for outcome in [*found, *(Outcome("run", "run", what, what, True) for what in failed)]:
        case = ET.SubElement(
            suite, "testcase", classname=f"duplex.{outcome.technique}", name=_case(outcome)
        )
        counts["tests"] += 1
        if outcome.broken:
            kind = "error" if outcome.of_verdict else "failure"
            counts[f"{kind}s"] += 1
            ET.SubElement(case, kind, message=_plain(outcome.broken)).text = _plain(outcome.broken)
    suite.attrib |= {kind: str(count) for kind, count in counts.items()}
    ET.indent(suite)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _case(outcome: Outcome) -> str:
    return _plain(f"{outcome.combination}: {outcome.asked}")


def _plain(text: str) -> str:
    """Leave out what XML 1.0 cannot hold, such as the colours of a log."""
    return "".join(letter for letter in text if letter in "\t\n" or letter >= " ")


def broken(found: Iterable[Outcome]) -> Iterator[str]:
    """Tell in a line each what broke."""
    for outcome in found:
        if outcome.broken:
            yield f"{outcome.combination}: {outcome.broken} ({outcome.asked})"

"""Holding a run against what is demanded of it, and telling a build server.

Each combination is held by itself against the accepted verdicts and every threshold
(:mod:`results.record.thresholds`).
"""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from results.record.reading import Run
from results.record.thresholds import Threshold
from results.record.verdicts import Verdict
from results.summary import name_of, summarize

# A run whose server was at its limit, or whose repeats disagree, is a finding about the server. In
# every other verdict but VALID the numbers are not the server's.
USUALLY_ACCEPTED = (Verdict.VALID, Verdict.SERVER_BOUND, Verdict.UNSTABLE)


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
            Outcome(
                name_of(row),
                str(row["technique"]),
                threshold.text,
                threshold.broken_by(_numbers(row)),
            )
            for _, row in table.iterrows()
        ] or [Outcome(whom, whom, threshold.text, f"no {threshold.metric} was measured")]
    return found


def _numbers(row: "pd.Series[Any]") -> dict[str, Any]:
    return {str(name): math.nan if pd.isna(value) else value for name, value in row.items()}


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

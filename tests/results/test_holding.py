"""What breaks a threshold or a demanded verdict, and the JUnit file of it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from results.holding import USUALLY_ACCEPTED, broken, outcomes, write_junit
from results.record.reading import Run
from results.record.thresholds import read_threshold
from results.record.verdicts import Verdict


def test_each_combination_is_held_against_each_threshold(run: Run) -> None:
    every = [read_threshold(text) for text in ("p50 > 1 us", "sse: lost > 0", "lost > 0")]
    found = outcomes(run, every, list(Verdict))
    assert len(found) == 18 + 18 + 2 + 18
    failed = list(broken(found))
    assert sum("p50 > 1 us" in line for line in failed) == 18
    assert sum("lost is 6" in line for line in failed) == 2  # polling, on two networks
    assert len(failed) == 20


def test_what_was_not_measured_breaks_its_threshold(run: Run) -> None:
    (line,) = broken(outcomes(run, [read_threshold("round_trip.p50 > 1 s")], list(Verdict)))
    assert "no round_trip was measured" in line
    silent = run.latency.copy()
    silent.loc[silent["technique"] == "sse", "p99_ms"] = float("nan")
    lines = list(
        broken(
            outcomes(
                replace(run, latency=silent), [read_threshold("sse: p99 > 9 s")], list(Verdict)
            )
        )
    )
    assert all("was not measured" in line for line in lines)
    assert len(lines) == 2


def test_a_share_is_of_the_deliveries_that_should_have_come(run: Run) -> None:
    for text, breaks in (("polling: lost > 0.3 %", 2), ("polling: lost > 0.4 %", 0)):
        assert len(list(broken(outcomes(run, [read_threshold(text)], list(Verdict))))) == breaks


def test_a_verdict_that_is_not_accepted_is_said(run: Run) -> None:
    usual = list(broken(outcomes(run, [], USUALLY_ACCEPTED)))
    assert len(usual) == 2
    assert all("GENERATOR-BOUND: invented" in line for line in usual)
    strict = list(broken(outcomes(run, [], ["VALID"])))
    assert len(strict) == 4


def test_junit_counts_what_it_holds(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    found = outcomes(run, [read_threshold("sse: p50 > 1 us")], USUALLY_ACCEPTED)
    write_junit(path, "duplex", found, ["a trial failed: \x1b[31mred\x1b[0m & <rest>"])
    suite = ET.parse(path).getroot()
    assert suite.attrib == {"name": "duplex", "tests": "21", "failures": "2", "errors": "3"}
    assert len(suite.findall("testcase")) == 21
    assert len(suite.findall("testcase/failure")) == 2
    assert "& <rest>" in (suite.findall("testcase/error")[-1].text or "")

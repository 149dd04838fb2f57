"""Thresholds: what is read, what is refused, what breaks, and the JUnit file of it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from results.record.reading import Run
from results.record.verdicts import Verdict
from results.thresholds import USUALLY_ACCEPTED, broken, outcomes, read_threshold, write_junit


@pytest.mark.parametrize(
    ("text", "technique", "metric", "figure", "limit"),
    [
        ("p99 > 20 ms", "", "delivery", "p99", 20.0),
        ("p99>20", "", "delivery", "p99", 20.0),
        ("p99.9 >= 1.5 s", "", "delivery", "p99.9", 1500.0),
        ("max > 50us", "", "delivery", "max", 0.05),
        ("lost > 0", "", "delivery", "lost", 0.0),
        ("lost > 0.5 %", "", "delivery", "lost", 0.005),
        ("server_cpu > 50 %", "", "delivery", "server_cpu", 0.5),
        (" sse : connect.p50 > .5 s ", "sse", "connect", "p50", 500.0),
        ("received < 100", "", "delivery", "received", 100.0),
    ],
)
def test_what_is_written_is_read(
    text: str, technique: str, metric: str, figure: str, limit: float
) -> None:
    found = read_threshold(text)
    assert (found.technique, found.metric, found.figure) == (technique, metric, figure)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no threshold"),
        ("p99", "no threshold"),
        ("p99 20 ms", "no threshold"),
        ("p99 > ms", "no threshold"),
        ("p99 > -1 ms", "no threshold"),
        ("p99 > nan", "no threshold"),
        ("p99 > 1e3", "no threshold"),
        ("p99 == 20 ms", "no threshold"),
        ("p99 > 20 ms and lost > 0", "no threshold"),
        ("p98 > 20 ms", "no figure 'p98'"),
        ("p99 > 20 min", "no unit 'min'"),
        ("lost > 3 ms", "no unit 'ms'"),
        ("quic: p99 > 20 ms", "no technique 'quic'"),
        ("hop.p99 > 20 ms", "no metric 'hop'"),
        ("publish.lost > 0", "not of publish"),
    ],
)
def test_what_cannot_be_read_says_what_is_accepted(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"write \[TECHNIQUE:\]") as error:
        read_threshold(text)
    assert said in str(error.value)


def test_each_combination_is_held_against_each_threshold(run: Run) -> None:
    every = [read_threshold(text) for text in ("p50 > 1 us", "sse: lost > 0", "lost > 0")]
    found = outcomes(run, every, list(Verdict))
    assert len(found) == 16 + 16 + 2 + 16
    failed = list(broken(found))
    assert sum("p50 > 1 us" in line for line in failed) == 16
    assert sum("lost is 6" in line for line in failed) == 2  # polling, on two networks
    assert len(failed) == 18


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
    assert suite.attrib == {"name": "duplex", "tests": "19", "failures": "2", "errors": "3"}
    assert len(suite.findall("testcase")) == 19
    assert len(suite.findall("testcase/failure")) == 2
    assert "& <rest>" in (suite.findall("testcase/error")[-1].text or "")

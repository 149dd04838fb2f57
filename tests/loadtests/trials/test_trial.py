"""What is concluded from a trial's figures: pure functions."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.measures.condition import LEFT, Condition
from loadtests.measures.measure import Doubts, Flow, impossible
from loadtests.measures.result_file import Result, TechniqueResult, read, write
from loadtests.measures.server_clock import CLOCK_APART
from loadtests.plan.options import Settings
from loadtests.plan.plan import Trial
from loadtests.trials.evidence import lateness, percentiles, trouble
from loadtests.trials.interference import Scene
from loadtests.trials.processes import ROOT, ProcessError, Relay, Server
from loadtests.trials.trial import Staging, run
from results.record.histogram import new_histogram, record_ns
from results.record.rows import Audit, Cell
from results.record.verdicts import Verdict

LIMIT = 200
CONDITION = Condition(
    [10.0, 11.0, 12.0], [0.1] * 3, [5.0, 60.0, 5.0], [1.0, 2.0, 3.0], [0.0] * 3, [0] * 3
)
RESULT = Result(
    settings=Settings(seconds=2.0),
    users=5,
    connected=5,
    techniques={},
    published={"began_ns": 0, "asked": 3, "accepted": 3, "failed": 0, "warm_up": 1},
    conditions={"": CONDITION},
    failures={},
    stamped="kernel",
)


def test_where_the_kernel_stamps_a_stream_only_what_left_late_counts() -> None:
    assert lateness("sse", RESULT, 10.0, 11.0) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("slug", ["polling", "long_polling", "page_reload", "frame_reload"])
def test_what_asks_is_late_when_the_loop_is(slug: str) -> None:
    assert lateness(slug, RESULT, 10.0, 11.0) == [5.0, 60.0, 5.0]


def test_without_the_kernels_stamps_the_loop_counts_everywhere() -> None:
    assert lateness("sse", replace(RESULT, stamped="process"), 10.0, 11.0) == [5.0, 60.0, 5.0]


def test_of_several_processes_the_latest_of_each_second_counts() -> None:
    """A master that only waits must not hide that its worker is behind."""
    idle = Condition([9.9, 11.2, 12.2], [0.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3, [0] * 3)
    result = replace(RESULT, conditions={"": idle, "worker": CONDITION})
    assert lateness("sse", result, 10.0, 12.0) == [2.0, 3.0, 1.0]
    assert sorted(lateness("polling", result, 10.0, 12.0)) == [5.0, 5.0, 60.0]


def test_the_fewer_the_messages_the_less_a_percentile_is_known() -> None:
    delivery, earliest = new_histogram(), new_histogram()
    for milliseconds in range(1, 101):
        record_ns(delivery, milliseconds * 1_000_000)
        record_ns(earliest, max(milliseconds - 3, 1) * 1_000_000)
    histograms = {"delivery": delivery, "earliest": earliest}
    found = TechniqueResult(histograms, Audit(0, 0), Flow(), 100)
    for messages, p50_ms, p99_ms in ((100, 40, 98), (10_000, 49, 99)):
        at50, at99 = percentiles(found, messages)
        assert at50.by_chance_ms == pytest.approx(p50_ms, rel=0.01)
        assert at99.by_chance_ms == pytest.approx(p99_ms, rel=0.01)
        assert (at99.measured_ms, at99.earliest_ms) == pytest.approx((99, 96), rel=0.01)


def test_trouble_names_a_test_in_which_nothing_was_published() -> None:
    silent = TechniqueResult({}, Audit(0, 0), Flow(), 0)
    assert "nothing was measured" in trouble(replace(RESULT, techniques={"sse": silent}))
    heard = replace(silent, audit=Audit(3, 0))
    assert trouble(replace(RESULT, techniques={"sse": heard})) == ""


def test_clocks_apart_make_a_measurement_impossible() -> None:
    assert impossible(Doubts(), 3, ["RefusedError: 503"]) == ""
    assert "+50 s" in impossible(Doubts(), 3, [f"{CLOCK_APART}: by +50 s from the master's"])
    early = Doubts(impossible=2, most_ns=50_000_000)
    words = "2 of 3 deliveries came before they were sent, by up to 50.000 ms"
    assert words in impossible(early, 3, [])


def test_trouble_names_workers_that_left_amid_the_run() -> None:
    words = f"1 of 2 workers {LEFT}"
    assert trouble(replace(RESULT, failures={words: 1})) == words


def test_a_limit_of_descriptors_is_told_before_anything_is_started() -> None:
    lower = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))"
    ask = "from loadtests.trials.generator import descriptors_missing as d"
    words = [sys.executable, "-c", f"{lower}; {ask}; print(d(300)); print(d(9))"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == f"300 users need 364 file descriptors, {LIMIT} are allowed (ulimit -n)\n\n"


def test_trouble_names_users_that_could_not_connect() -> None:
    found = trouble(replace(RESULT, connected=3, failures={"UnreachableError: refused": 4}))
    assert "3 of 5" in found
    assert "refused" in found


def test_trouble_names_a_host_without_descriptors_or_ports() -> None:
    for what in ("OSError: [Errno 24] Too many open files", "Cannot assign requested address"):
        assert what in trouble(replace(RESULT, failures={what: 1}))


def test_ordinary_failures_are_no_trouble_of_the_generator() -> None:
    assert trouble(replace(RESULT, failures={"RefusedError: 503": 2})) == ""


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    histogram = new_histogram()
    record_ns(histogram, 1_234_567)
    found = TechniqueResult({"delivery": histogram}, Audit(5, 4, 1, 2), Flow(tcp_down=9), 4)
    result = replace(RESULT, techniques={"sse": found})
    write(str(tmp_path / "result.json"), result)
    back = read(tmp_path / "result.json")
    assert back.settings == result.settings
    assert back.conditions == result.conditions
    assert back.techniques["sse"].audit == found.audit
    assert back.techniques["sse"].flow == found.flow
    assert list(back.techniques["sse"].histograms["delivery"].counts) == list(histogram.counts)


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
def test_a_relay_that_dies_is_told_and_not_taken_for_losses_of_the_server() -> None:
    relays = []

    def way(server: Server) -> Relay:
        relays.append(Relay(server, delay_ms=1.0))
        return relays[0]

    def kill(scene: Scene, seconds: float) -> None:
        if seconds > 0.2:
            relays[0].signal(signal.SIGKILL)

    settings = Settings(rate=20.0, seconds=2.0, drain=1.0)
    trial = Trial(Cell("sse", users=2, rate=20.0), settings)
    with pytest.raises(ProcessError, match="the relay ended during the run"):
        run(trial, Staging(interference=kill, way=way))


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(90)  # the bound: nobody waits for ever for a server that stands still
@pytest.mark.parametrize("processes", [0, 2], ids=["one process", "2 workers"])
def test_a_server_that_stands_still_to_the_end_is_what_bounds(processes: int) -> None:
    def stop(scene: Scene, seconds: float) -> None:
        if seconds > 0.2:
            scene.server.signal(signal.SIGSTOP)

    trial = Trial(Cell("sse", users=4, rate=20.0), Settings(rate=20.0, seconds=4.0, drain=0.5))
    said = run(trial, Staging(interference=stop, processes=processes)).judgement
    assert said.verdict is Verdict.SERVER_BOUND, said
    assert "did not answer /stats" in said.reason

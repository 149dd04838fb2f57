"""Workers on hosts with clocks of their own: Locust's own master and workers, started by hand."""

import contextlib
from pathlib import Path

import pytest

from loadtests.calibration.meddling import clocks_differ
from loadtests.measures import result_file
from loadtests.trials.generator import free_port
from loadtests.trials.processes import Child, Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.usefixtures("forked_programs"),
]

OFFSETS_S = (100, -50)
RATE, SECONDS, WARM_UP_S, USERS = 20, 2, 0.5, 6
LOAD = f"--users {USERS} --spawn-rate 100 --rate {RATE} --arrivals constant --drain 5".split()
TIMES = f"--warm-up {WARM_UP_S} --seconds {SECONDS}".split()


def locust(name: str, *words: str, clock_s: int = 0) -> Child:
    """Start Locust on our locustfile, by a monotonic clock that differs by ``clock_s``."""
    space = ["unshare", "--time", "--fork", "--kill-child"]
    space += ["--monotonic", str(clock_s), "--boottime", str(clock_s)]
    ours = ["loadtests.load", "-f", "loadtests/locustfile.py", "SseUser", "--headless"]
    return Child(name, [*ours, *words], before=space if clock_s else [])


def test_hosts_with_clocks_of_their_own_measure_as_one(tmp_path: Path) -> None:
    """What each host adds to its times is the truth within the error that it states.

    Where no process may have a clock of its own (``unshare --time`` needs Linux, root), their
    clocks are one, and that is the truth.
    """
    are_apart = clocks_differ()
    offsets_s = OFFSETS_S if are_apart else (0, 0)
    port, path = str(free_port()), tmp_path / "result.json"
    with Server(["sse"]) as server, contextlib.ExitStack() as stack:
        workers = []
        for clock_s in offsets_s:
            told = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
            workers.append(stack.enter_context(locust("a worker", *told, clock_s=clock_s)))
            stack.callback(workers[-1].signal, 9)  # unshare hears nothing else
        told = ["--master", "--expect-workers", "2", "--host", server.url, "--result", str(path)]
        bound = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        master = stack.enter_context(locust("the master", *told, *bound, *LOAD, *TIMES))
        assert master.wait(60), master.last_words()
        assert [one.wait(30) for one in workers] == [True, True]
        assert [one.status for one in (master, *workers)] == [0, 0, 0]
    found = result_file.read(path)
    sse = found.techniques["sse"]
    assert sse.audit.clean
    # Once for each user, in whichever process: what was sent untimed is audited, too.
    assert found.published["accepted"] == RATE * SECONDS
    assert sse.audit.received == sse.audit.expected == sse.deliveries
    assert sse.deliveries == USERS * RATE * (SECONDS + WARM_UP_S)
    assert sse.histograms["delivery"].get_total_count() == USERS * RATE * SECONDS
    assert len(found.conditions) == 3
    assert (sse.doubts.impossible, found.failures) == (0, {})
    assert 0 < sse.histograms["delivery"].get_max_value() < 10**10, "they differ by 50 s and more"
    truth = {0.0} | {-float(clock_s) for clock_s in offsets_s}
    for row in found.hosts:
        assert row.clock_offset_s is not None
        assert row.clock_error_ms is not None
        nearest = min(truth, key=lambda offset: abs(offset - (row.clock_offset_s or 0.0)))
        truth.remove(nearest)
        assert abs(row.clock_offset_s - nearest) * 1000 <= row.clock_error_ms
    assert not truth
    assert (found.clock_error_ns > 0) is are_apart

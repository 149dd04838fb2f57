"""The stop button: what a reader of a real kernel stops ends, and nothing else does."""

import os
import queue
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from notebooks.course.experiments.__main__ import fault
from tests.notebooks.books import ROOT
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
REPLY_S = 90


class Kernel:
    """A kernel as JupyterLab has one, with the laboratory of a notebook open."""

    def __init__(self, manager: Any, client: Any) -> None:
        self.manager, self.client = manager, client

    def run(self, code: str, stop_at: Callable[[], bool] | None = None) -> tuple[str, str, str]:
        """Run a cell, or stop it at a moment; return its result, what it shows, and its error."""
        asked = self.client.execute(code)
        if stop_at is not None:
            eventually(stop_at, "the moment to stop the cell", REPLY_S)
            self.manager.interrupt_kernel()
        result, shown, error = "", "", ""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=REPLY_S)
            except queue.Empty:
                pytest.fail(f"the kernel does not answer: {code}")
            if message["parent_header"].get("msg_id") != asked:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "execute_result":
                result = content["data"]["text/plain"]
            elif kind == "stream":
                shown += content["text"]
            elif "display_data" in kind:
                shown += content["data"]["text/plain"] + "\n"
            elif kind == "error":
                error = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return result, shown, error

    def runs(self, words: str) -> bool:
        """Whether a process with these words on its command line stands under the kernel."""
        return bool(self.children(words))

    def children(self, words: str) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(self.manager.provisioner.pid).children(recursive=True):
            try:
                found += [child] if words in " ".join(child.cmdline()) else []
            except psutil.NoSuchProcess:
                continue
        return found


def end_all(process: psutil.Process) -> None:
    """Kill a process and its children, and wait until nothing of them answers any more."""
    ended = [*process.children(), process]
    for one in ended:
        one.kill()
    eventually(
        lambda: all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in ended),
        "the end of what was killed",
    )


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(
        kernel_name="python3",
        env={**os.environ, "PYTHONPATH": str(ROOT), "DUPLEX_LIVE": "1", "DUPLEX_RECORD": "0"},
        cwd=str(ROOT),
    )
    try:
        kernel = Kernel(manager, client)
        kernel.run("from notebooks.course.lab import open_lab\nlab = open_lab('00')")
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


ECHO = 'len(lab.measure("echo", technique="sse", count=3, delay_ms=1))'
LONG = 'lab.measure("feed", technique="sse", rate=1, count=25, delay_ms=1)'


def test_who_stops_a_measurement_goes_on_with_the_next(kernel: Kernel) -> None:
    server = kernel.run("lab.server().pid")[0]
    _, _, error = kernel.run(LONG, lambda: kernel.runs("course.experiments feed"))
    assert error == "Stopped: feed (sse, 1 ms away) was ended; the lab is ready for the next cell"
    assert not kernel.runs("course.experiments")
    assert kernel.run(ECHO)[::2] == ("3", "")
    assert kernel.run("lab.server().pid")[0] == server


def test_a_stopped_load_run_leaves_no_generator_behind(kernel: Kernel) -> None:
    started: list[psutil.Process] = []

    def generator_runs() -> bool:
        started[:] = kernel.children("locustfile.py")
        return bool(started)

    load = 'lab.load("x", techniques="sse", users=5, rate=20, delay=0, seconds=20)'
    error = kernel.run(load, generator_runs)[2]
    assert error.startswith("Stopped: the load run x was ended")
    assert not [one for one in started if one.is_running()]


def test_a_server_that_ended_is_started_anew(kernel: Kernel) -> None:
    kernel.run('line = lab.dial("gone")')
    before = int(kernel.run("lab.server().pid")[0])
    end_all(psutil.Process(before))
    result, shown, error = kernel.run(ECHO)
    assert (result, error) == ("3", "")
    assert "a new one, with empty channels" in shown
    assert int(kernel.run("lab.server().pid")[0]) != before
    error = kernel.run("for _ in range(9): line.send(b'x'); line.read()")[2]
    assert "run the cells again from the one that dials" in error
    assert "\n" not in error


def test_a_relay_that_ended_is_started_anew(kernel: Kernel) -> None:
    kernel.run(ECHO)
    before = int(kernel.run("lab.relay(1).pid")[0])
    end_all(psutil.Process(before))
    assert kernel.run(ECHO)[::2] == ("3", "")


def test_a_cell_that_takes_long_says_what_it_does(kernel: Kernel) -> None:
    shown = kernel.run('lab.measure("feed", technique="sse", rate=10, count=30)["lost"]')[1]
    lines = shown.splitlines()
    assert lines[0].startswith("feed (sse): ")
    assert lines[0].endswith(" of about 3 s")
    assert lines[-1].startswith("measured for ")


def test_a_slip_is_told_in_one_line(kernel: Kernel) -> None:
    error = kernel.run('lab.measure("feeds")')[2]
    assert error.startswith("LabError: ")
    assert "no experiment 'feeds'. Did you mean 'feed'?" in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        (
            "echo",
            {"techniqe": "sse", "count": 1},
            "echo takes no 'techniqe'. Did you mean 'technique'?",
        ),
        ("feed", {"technique": "sse"}, "feed has to be told rate and count"),
        ("echo", {"technique": "sze", "count": 1}, "'sze' is no technique. Did you mean sse?"),
    ],
)
def test_each_slip_has_words_of_its_own(name: str, asked: dict[str, Any], said: str) -> None:
    found = fault(name, asked)
    assert said in found
    assert "\n" not in found


def test_what_is_started_ends_with_the_kernel(kernel: Kernel) -> None:
    """The last one here: after it the kernel of the others is gone."""
    kernel.run("lab.relay(1)")
    kernel.client.execute(LONG)
    eventually(lambda: kernel.runs("course.experiments feed"), "the measurement", REPLY_S)
    started = kernel.children("")
    assert kernel.runs("-m servers --port")
    assert kernel.runs("-m servers.relay")
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)
    eventually(lambda: not [one for one in started if one.is_running()], "the end of all", 30)

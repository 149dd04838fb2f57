"""The processes of a measurement are ended, whatever happens while they start."""

import signal
import subprocess
import sys
from typing import Any, Never

import psutil
import pytest

from clients.net.schedule import await_true
from loadtests.trials.processes import ROOT, Child


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_who_is_interrupted_while_starting_is_ended(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> Never:
        raise error

    child = Child("a sleeper", ["http.server", "0", "--bind", "127.0.0.1"])
    monkeypatch.setattr(child, "output", interrupted)
    with pytest.raises(error):
        child.await_match("never said")
    assert not psutil.pid_exists(child.pid)


def test_who_is_interrupted_while_being_made_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[subprocess.Popen[str]] = []

    class Slow(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("loadtests.trials.processes.subprocess.Popen", Slow)
    with pytest.raises(KeyboardInterrupt):
        Child("a sleeper", ["http.server", "0", "--bind", "127.0.0.1"])
    (process,) = made
    assert process.returncode is not None


STARTS_A_CHILD = """
import sys
from clients.net.schedule import await_true
from loadtests.trials.processes import ROOT, Child
child = Child("a server", ["http.server", "0", "--bind", "127.0.0.1"], lifeline=True)
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_with_a_lifeline_it_ends_even_with_a_starter_that_is_killed() -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_CHILD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        watcher = psutil.Process(int(starter.stdout.readline()))
        found = await_true(lambda: watcher.children(), 20.0)
        starter.kill()
    assert found
    _, alive = psutil.wait_procs([watcher, *found], timeout=20)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("lifeline", [False, True])
def test_it_ends_in_good_order_and_leaves_no_log(lifeline: bool) -> None:
    words = ["servers", "--port", "0", "--plugin-port", "0", "--techniques", "sse"]
    child = Child("a server", words, lifeline=lifeline)
    with child:
        child.await_ready("servers")
        processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children()]
        log = child.log
        assert log.exists()
    assert not log.exists()
    assert child.status is not None
    assert not [one for one in processes if one.is_running()]
    child.end()

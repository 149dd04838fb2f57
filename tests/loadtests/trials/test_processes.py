"""The processes of a measurement are ended, whatever happens while they start."""

import signal
import subprocess
from typing import Any, Never

import psutil
import pytest

from loadtests.trials.processes import Child


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

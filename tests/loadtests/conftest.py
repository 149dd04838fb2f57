"""What the tests of the load share."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.trials.processes import PINS, Child
from tests.loadtests.brood import Brood, Forking, one_brood
from tests.support.forked import IS_POSSIBLE, Forked


@pytest.fixture(scope="session")
def brood() -> Iterator[Brood]:
    """Have one for all of them that run Locust, or code with it."""
    with one_brood() as brood:
        yield brood


@pytest.fixture(scope="module")
def forked_programs(brood: Brood) -> Iterator[None]:
    """Let the programs of ours that this process starts be forks.

    They end with those from which they are forked, so they need no lifeline. Before them stands no
    command but ``unshare --time``.
    """
    afresh = Child._launch

    def launch(
        self: Child,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        lifeline: bool = False,
        core: int | None = None,
    ) -> None:
        python = command.index(sys.executable) if sys.executable in command else -1
        before, words = command[: max(python, 0)], list(command[python + 1 :])
        is_ours = words[:1] == ["-m"] and before[:2] in ([], ["unshare", "--time"])
        if not (IS_POSSIBLE and isinstance(brood, Forking) and is_ours):
            afresh(self, command, folder, environment, lifeline, core)
            return
        clock_s = float(before[before.index("--monotonic") + 1]) if before else 0.0
        if lifeline:
            del words[1]
        descriptor, path = tempfile.mkstemp(prefix="duplex-", suffix=".log")
        self.log = Path(path)
        process: Any
        with open(descriptor, "wb") as log:
            if words[1] == "loadtests.load":
                process = brood.start(words, environment, self.log, self.log, clock_s)
            else:
                process = Forked(words[1:], folder, environment, log=log)
        self._process = process
        if core is not None and PINS:
            os.sched_setaffinity(self.pid, {core})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Child, "_launch", launch)
        yield


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reports have one figure: to draw a run costs more than to measure a small one.

    That all of a run are drawn is told by the tests of ``results``, and once by those of compare.
    """
    from results.figures import of_a_run
    from results.figures.distributions import latency_distribution

    monkeypatch.setattr(of_a_run, "_OF_A_RUN", (latency_distribution,))

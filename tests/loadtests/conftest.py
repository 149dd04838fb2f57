"""What the tests of the load share."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtests.trials.generator import Locust
from loadtests.trials.processes import PINS
from tests.loadtests.brood import Brood, Forking, one_brood


@pytest.fixture(scope="session")
def brood() -> Iterator[Brood]:
    """Start one for all of them that run Locust, or code with it, to its end."""
    with one_brood() as brood:
        yield brood


@pytest.fixture(scope="module")
def forked_generators(brood: Brood) -> Iterator[None]:
    """Let the generators of this process' trials be forks, where they need no command before."""
    afresh = Locust._launch

    def launch(
        self: Locust,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        lifeline: bool = False,
        core: int | None = None,
    ) -> None:
        if not isinstance(brood, Forking) or command[0] != sys.executable:
            afresh(self, command, folder, environment, lifeline, core)
            return
        descriptor, path = tempfile.mkstemp(prefix="duplex-", suffix=".log")
        os.close(descriptor)
        self.log = Path(path)
        process: Any = brood.start(command[1:], environment, self.log, self.log)
        self._process = process
        if core is not None and PINS:
            os.sched_setaffinity(self.pid, {core})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Locust, "_launch", launch)
        yield

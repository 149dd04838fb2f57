"""Who hears whom at a server of several processes."""

import sys

import pytest

from loadtests.trials.processes import Server
from notebooks.course.experiments.place import Place
from notebooks.course.experiments.workers import reach
from tests.support.processes import ServerProcess


def test_one_process_reaches_everybody(server: ServerProcess) -> None:
    assert reach(Place(server.url, server.url, 0), subscribers=3, messages=4) == [4] * 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="several workers need Linux")
def test_without_a_common_log_a_message_stays_at_its_worker() -> None:
    with Server(["sse", "polling"], flags=["--workers", "2", "--log", "memory"]) as server:
        found = reach(Place(server.url, server.url, 0), subscribers=8, messages=9)
    assert {*found} <= {found[0], 9 - found[0]}, "what is not here is there"

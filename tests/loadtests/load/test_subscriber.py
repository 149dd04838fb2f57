"""What is expected of a subscriber: all that was published, wherever it listens."""

import sys
from pathlib import Path

import pytest

from loadtests.measures import result_file
from loadtests.trials.processes import Server
from tests.loadtests.brood import Brood

LOAD = "--headless --users 12 --spawn-rate 12 --rate 20 --seconds 2 --drain 1"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="several workers need Linux")
def test_servers_that_know_nothing_of_each_other_lose_what_the_others_have(
    brood: Brood, tmp_path: Path
) -> None:
    path = tmp_path / "result.json"
    with Server(["sse"], flags=["--workers", "2", "--log", "memory"]) as server:
        done = brood.locust(f"SseUser {LOAD} --host {server.url} --result", str(path))
    assert path.exists(), done.stderr
    found = result_file.read(path)
    audit, published = found.techniques["sse"].audit, found.published
    assert audit.expected == 12 * (published["accepted"] + published["warm_up"])
    assert 0 < audit.received <= audit.expected
    assert (audit.duplicated, audit.reordered) == (0, 0)

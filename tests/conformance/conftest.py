"""The one axis, and what each test stands on."""

from collections.abc import Iterator

import pytest

from tests.conformance.doors import Desk
from tests.server_process import ServerProcess
from wire.techniques import SLUGS


@pytest.fixture(params=SLUGS)
def technique(request: pytest.FixtureRequest) -> str:
    """Return one of the eight techniques."""
    slug: str = request.param
    return slug


@pytest.fixture
def desk(server: ServerProcess) -> Iterator[Desk]:
    """Stand at the server with a kept connection of one's own."""
    desk = Desk(server)
    yield desk
    desk.close()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients reconnect at once: how long they wait is tested with them."""
    monkeypatch.setattr("clients.client.delay_s", lambda *_: 0.0)

"""What the tests of the servers stand on."""

from collections.abc import AsyncIterator

import pytest

from servers.app import Running, running
from servers.service import Settings


@pytest.fixture
async def here() -> AsyncIterator[Running]:
    """Run all techniques in the test's own loop."""
    async with running(Settings()) as server:
        yield server

"""Settings and fixtures that every test shares."""

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.server_process import ServerProcess

# Machines are slow at times; how long an example takes is no property of the code.
settings.register_profile("duplex", deadline=None, max_examples=100)
settings.load_profile("duplex")

_numbers = itertools.count(1)


@pytest.fixture
def channel() -> str:
    """Name a channel that no other test has."""
    return f"test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """Run all techniques in a process of their own, one for all tests."""
    server = ServerProcess()
    yield server
    assert server.stop() == 0

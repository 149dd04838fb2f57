"""What the tests of the load share."""

from collections.abc import Iterator

import pytest

from tests.loadtests.brood import Brood, one_brood


@pytest.fixture(scope="session")
def brood() -> Iterator[Brood]:
    """Start one for all of them that run Locust, or code with it, to its end."""
    with one_brood() as brood:
        yield brood

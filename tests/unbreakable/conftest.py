"""What the tests of this folder stand on."""

from collections.abc import Iterator

import pytest

from tests.unbreakable.serving import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a whole file's tests, after which nothing may stand on stderr."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running

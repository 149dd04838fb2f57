"""The specification through proxies that are set for push, each test by one technique.

All of it, a minute for each: `python -m tests.through nginx`.
"""

import pytest

from tests.support.depth import is_full
from tests.support.programs import need
from tests.through import ask, proxied

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600 if is_full() else 120),
    pytest.mark.usefixtures("forked_programs"),
]


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_what_holds_at_the_server_holds_behind_it(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    need(name)
    with proxied(name) as there:
        status = ask(there, sparsely=not is_full())
    assert status == 0, capfd.readouterr().out[-3000:]

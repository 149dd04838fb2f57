"""The heart of the specification through proxies that are set for push.

All of it, a minute for each: `python -m tests.through nginx`.
"""

import pytest

from loadtests.between.intermediary import find_program
from tests.through import ask, proxied

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
# What a proxy could break: order, letters, sizes, the way up, resuming.
HEART = (
    "in_order_and_once or any_text or bytes_come or one_mebibyte_comes or client_sends or "
    "may_send_a_mebibyte or any_cursor_on_the_way or question_is_published or websockets_talks"
)


@pytest.mark.parametrize("name", ["nginx", "haproxy"])
def test_what_holds_at_the_server_holds_behind_it(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if find_program(name) is None:
        pytest.skip(f"{name} is not installed here")
    with proxied(name) as url:
        status = ask(url, ["-k", HEART])
    assert status == 0, capfd.readouterr().out[-3000:]

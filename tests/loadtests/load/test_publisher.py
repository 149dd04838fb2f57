"""A publisher ends, also before a server that answers nothing. Apart, for gevent patches it."""

import pytest

from tests.loadtests.brood import Brood


@pytest.mark.slow
def test_before_a_server_that_stands_still_it_ends_and_all_that_was_due_counts_as_asked(
    brood: Brood,
) -> None:
    brood.apart(
        """
from gevent import monkey
monkey.patch_all()
import socket, time
from loadtests.load.publisher import LINES, Publisher
silent = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{silent.getsockname()[1]}"
publisher = Publisher(url, "room", "hello", lambda ms, error: None, lambda ns: None)
began = time.monotonic_ns()
due = [number / 100 for number in range(30)]
publisher.run(due, 0.1, began, 0.5)
took_s = (time.monotonic_ns() - began) / 1e9
published = publisher.published
assert 0.3 < took_s < 5, took_s  # an answer would be waited for 10 s
# The first lines hang in the warm-up; the rest never left.
assert published.asked == 20, published
assert published.accepted == published.warm_up == 0, published
"""
    )

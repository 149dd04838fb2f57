import time

import pytest

from clients.net.address import parse_address
from clients.net.headers import HEAVY_BYTES, PROFILES, make_headers
from clients.net.http import HttpConnection
from clients.net.traffic import Traffic
from clients.polling import PollingClient
from tests.support.processes import ServerProcess

ADDRESS = parse_address("http://duplex.example:8000")


def test_lean_is_host_and_what_the_caller_adds() -> None:
    assert make_headers("lean", ADDRESS).fields == (("Host", "duplex.example:8000"),)
    assert make_headers("lean", ADDRESS, (("X", "1"),)).fields[-1] == ("X", "1")


def test_a_profile_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="lean, browser, heavy"):
        make_headers("fat", ADDRESS)


def test_profiles_grow_and_heavy_fills_both_heads_exactly(
    server: ServerProcess, channel: str
) -> None:
    with PollingClient(server.url, channel) as client:
        cursor = client.cursor
    sizes = []
    for profile in PROFILES:
        address, traffic = parse_address(server.url), Traffic()
        http = HttpConnection(address, traffic, make_headers(profile, address), 10)
        before = 0
        for _ in range(2):  # the first answer tells how large heads are here
            before = traffic.bytes_up + traffic.bytes_down
            http.ask("GET", address.target("/polling", channel=channel, after=cursor))
            answer = http.answer(time.monotonic() + 10)
            assert answer is not None
            assert answer.head.status == 204
        sizes.append(traffic.bytes_up + traffic.bytes_down - before)
        http.close()
    assert sizes == sorted(sizes)
    assert sizes[-1] == HEAVY_BYTES
    assert sizes[0] < 300

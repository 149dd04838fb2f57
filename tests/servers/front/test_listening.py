"""Where sockets listen, and how this machine reaches them."""

import socket

import pytest

from servers.front.listening import bound_socket, own_host


def test_every_address_of_both_families_is_listened_on() -> None:
    try:
        bound = bound_socket("::", 0)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with bound:
        bound.listen()
        port = bound.getsockname()[1]
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), timeout=10).close()


def test_what_cannot_be_bound_is_named() -> None:
    with bound_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        taken.listen()
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port}: "):
            bound_socket("127.0.0.1", port)
    with pytest.raises(OSError, match=r"127\.0\.0\.1:65536: a port is from 0 to 65535"):
        bound_socket("127.0.0.1", 65536)


@pytest.mark.parametrize(
    ("host", "own"),
    [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7")],
)
def test_who_listens_everywhere_is_reached_on_loopback(host: str, own: str) -> None:
    assert own_host(host) == own

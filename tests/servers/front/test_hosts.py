import socket

import pytest

from servers.front.hosts import Hosts, split_host


@pytest.mark.parametrize(
    "field",
    [
        *["", "127.0.0.1", "127.0.0.1:8000", "10.1.2.3:8002", "127.1", "[::1]:8000", "[fe80::1]"],
        *["localhost:8000", "LOCALHOST", "localhost.", "a.localhost:80", socket.gethostname()],
    ],
)
def test_what_nobody_can_rebind_is_accepted(field: str) -> None:
    assert Hosts().accepts(field)


@pytest.mark.attack("let its own name point here", "off", "on")
@pytest.mark.parametrize(
    "field",
    [
        *["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example"],
        *["x", "[::1", "[::1]x", "[zz::]", "[1.2.3.4.5:]", "a@evil.example", "a b", "127.0.0.1:x"],
    ],
)
def test_any_other_name_must_be_given(field: str) -> None:
    assert not Hosts().accepts(field)
    assert Hosts(["*"]).accepts(field)


def test_a_given_name_is_accepted_however_it_is_written() -> None:
    hosts = Hosts(["Lab_PC", "duplex.example."])
    for field in ("lab_pc:18002", "LAB_PC", "duplex.example:80", "Duplex.Example."):
        assert hosts.accepts(field)
    assert not hosts.accepts("x.duplex.example")


def test_a_field_is_split_into_what_is_a_name_and_what_is_not() -> None:
    assert split_host("Lab_PC:18002") == "lab_pc"
    assert split_host("[::1]:80") == "[::1]"
    assert split_host("") is None
    assert split_host("http://a") is None

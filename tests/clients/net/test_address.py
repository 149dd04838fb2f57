import pytest

from clients.net.address import parse_address


def test_the_name_and_the_way_are_two_things() -> None:
    address = parse_address("http://duplex.example:8000/lab/", ("127.0.0.1", 9))
    assert address.authority == "duplex.example:8000"
    assert address.origin == "http://duplex.example:8000"
    assert address.dial == ("127.0.0.1", 9)
    assert address.target("/sse") == "/lab/sse"


def test_defaults() -> None:
    address = parse_address("http://[::1]")
    assert address.authority == "[::1]"
    assert address.dial == ("::1", 80)


def test_target_leaves_out_what_is_none_and_escapes_the_rest() -> None:
    address = parse_address("http://a:1")
    assert address.target("/p", after=None, name="ñ&") == "/p?name=%C3%B1%26"
    assert address.target("/p", after=None) == "/p"


def test_what_is_encrypted_has_a_port_of_its_own() -> None:
    for url in ("https://a.example/lab", "wss://a.example/lab"):
        address = parse_address(url, cafile="ca.pem")
        assert address.is_secure
        assert (address.port, address.authority) == (443, "a.example")
        assert address.origin == "https://a.example"
        assert address.cafile == "ca.pem"
    assert parse_address("https://a.example:80").authority == "a.example:80"
    assert parse_address("http://a.example:443").authority == "a.example:443"


def test_the_way_through_a_proxy() -> None:
    plain = parse_address("http://a.example:8000/lab", proxy="http://p.example:3128")
    assert plain.dial == ("p.example", 3128)
    assert plain.said("/lab/sse") == ("http://a.example:8000/lab/sse", ())
    assert plain.tunnelled().said("/lab/sse") == ("/lab/sse", ())
    assert plain.tunnelled().place == "a.example:8000"
    relayed = parse_address("http://a.example", ("127.0.0.1", 9), proxy="p.example:3128")
    assert relayed.dial == ("127.0.0.1", 9)
    direct = parse_address("http://a.example")
    assert direct.said("/sse") == ("/sse", ())
    assert direct.tunnelled() is direct


@pytest.mark.parametrize(
    "url",
    [
        "a:1",
        "ftp://a",
        "https://a:x",
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://a/?x=1",
        "",
    ],
)
def test_refuses_other_forms(url: str) -> None:
    with pytest.raises(ValueError, match="http://host"):
        parse_address(url)

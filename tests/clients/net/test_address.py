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


@pytest.mark.parametrize(
    "url", ["a:1", "https://a", "http://", "http://a:b", "http://a:99999", "http://a/?x=1", ""]
)
def test_refuses_other_forms(url: str) -> None:
    with pytest.raises(ValueError, match="http://host"):
        parse_address(url)

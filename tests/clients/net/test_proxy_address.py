import pytest

from clients.net.proxy_address import Proxy, parse_proxy, proxy_of_environment
from clients.options import address_of

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_an_address_with_and_without_credentials() -> None:
    assert parse_proxy("http://p.example:3128") == Proxy("p.example", 3128)
    assert parse_proxy("[::1]:3128/", True) == Proxy("::1", 3128, (), True)
    known = parse_proxy("http://a%40b:%C3%B1@p.example:3128")
    assert known.fields == (("Proxy-Authorization", "Basic YUBiOsOx"),)
    assert str(known) == "the proxy p.example:3128"


@pytest.mark.parametrize(
    "text",
    ["https://p:1", "socks5://p:1", "http://p", "p:x", "http://p:1/path", "http://p:99999", "x y"],
)
def test_what_is_none_is_told_without_its_secret(text: str) -> None:
    secret = text.replace("//", "//ana:s3cret@") if "//" in text else f"ana:s3cret@{text}"
    with pytest.raises(ValueError, match=r"accepted is http://\[user:password@\]host:port") as told:
        parse_proxy(secret)
    assert "s3cret" not in str(told.value)


def test_the_environment_is_asked_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://plain.example:1")
    monkeypatch.setenv("https_proxy", "http://secret.example:2")
    monkeypatch.setenv("no_proxy", "near.example")
    assert address_of("http://far.example", {}).proxy is None
    plain = address_of("ws://far.example", {"proxy": "environment"})
    assert plain.dial == ("plain.example", 1)
    assert not plain.is_tunnelled
    secure = address_of("wss://far.example", {"proxy": "environment"})
    assert secure.dial == ("secret.example", 2)
    assert secure.is_tunnelled
    near = address_of("http://near.example:8000", {"proxy": "environment"})
    assert near.dial == ("near.example", 8000)


def test_one_variable_may_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_of_environment("http", "far.example:80") is None
    monkeypatch.setenv("all_proxy", "p.example:3")
    assert proxy_of_environment("http", "far.example:80") == "p.example:3"

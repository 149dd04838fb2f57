"""Through a proxy: what is said to it, and what is said of one that will not or cannot."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

import clients
from clients.errors import (
    ClientError,
    ConnectionLostError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)
from clients.net.address import parse_address
from clients.net.web_socket_connection import WebSocketConnection
from tests.clients.conftest import Script
from tests.support.waiting import PATIENCE_S

BATCH = b'{"messages":[],"cursor":"e-0","gap":false}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BATCH), BATCH)
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
URL = "http://lab.example:8000/duplex"
AUTHORIZED = b"Proxy-Authorization: Basic YW5hOnM6M2NyZXQ=\r\n"  # ana:s:3cret
Make = Callable[..., Script]


def poll(proxy: Script, credentials: str = "", **options: Any) -> None:
    address = f"http://{credentials}127.0.0.1:{proxy.port}"
    settings: dict[str, Any] = {"timeout": PATIENCE_S, "reconnects": 0, **options}
    clients.open("polling", URL, proxy=address, **settings).close()


def test_plain_requests_name_their_whole_address(script: Make) -> None:
    proxy = script([ANSWER])
    poll(proxy, "ana:s%3A3cret@")
    head = proxy.heard[0]
    assert head.startswith(b"GET http://lab.example:8000/duplex/polling?channel=lobby HTTP/1.1\r\n")
    assert b"Host: lab.example:8000\r\n" in head
    assert AUTHORIZED in head


def test_a_tunnel_is_asked_for_where_that_is_wanted_and_hears_no_secret(script: Make) -> None:
    proxy = script([OPENED, ..., ANSWER])
    poll(proxy, "ana:s%3A3cret@", tunnel=True)
    asked, request = proxy.heard
    assert asked.startswith(b"CONNECT lab.example:8000 HTTP/1.1\r\nHost: lab.example:8000\r\n")
    assert AUTHORIZED in asked
    assert request.startswith(b"GET /duplex/polling?channel=lobby HTTP/1.1\r\n")
    assert b"Proxy-" not in request


@pytest.mark.parametrize(
    ("slug", "more", "asked"),
    [
        ("web_socket", {}, b"CONNECT lab.example:8000 HTTP/1.1\r\n"),
        ("web_socket", {"tunnel": False}, b"GET http://lab.example:8000/duplex/web_socket?"),
        ("plugin_socket", {"plugin_port": 9}, b"CONNECT lab.example:9 HTTP/1.1\r\n"),
        ("sse", {}, b"GET http://lab.example:8000/duplex/sse?"),
        ("sse", {"tunnel": True}, b"CONNECT lab.example:8000 HTTP/1.1\r\n"),
    ],
)
def test_each_takes_the_way_that_a_browser_takes_unless_told(
    slug: str, more: dict[str, Any], asked: bytes, script: Make
) -> None:
    proxy = script([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(RefusedError) as caught:
        clients.open(slug, URL, proxy=f"http://127.0.0.1:{proxy.port}", **more)
    assert caught.value.status == 403
    assert proxy.heard[0].startswith(asked)


def test_what_is_encrypted_goes_through_a_tunnel_whatever_was_told(script: Make) -> None:
    proxy = script([b"HTTP/1.1 403 Forbidden\r\n\r\n"])
    to = f"http://127.0.0.1:{proxy.port}"
    with pytest.raises(RefusedError, match=r"so the proxy 127.0.0.1:\d+ answers CONNECT a:443"):
        clients.open("sse", "https://a", proxy=to, tunnel=False)
    assert proxy.heard[0].startswith(b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n")


@pytest.mark.parametrize("tunnel", [True, False])
def test_a_proxy_that_wants_credentials(tunnel: bool, script: Make) -> None:
    proxy = script([b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"])
    with pytest.raises(RefusedError, match="http://user:password@host:port") as caught:
        poll(proxy, tunnel=tunnel)
    assert caught.value.status == 407


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ([b"SSH-2.0-dropbear\r\n"], UnexpectedAnswerError, "does not answer by HTTP"),
        ([b"HTTP/1.1 maybe\r\n\r\n"], UnexpectedAnswerError, "does not answer by HTTP"),
        ([b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000], UnexpectedAnswerError, "not answer by HTTP"),
        ([OPENED + b"220 ready\r\n"], UnexpectedAnswerError, "before anybody was asked"),
        (["end"], ConnectionLostError, "closed the connection at CONNECT lab.example:8000"),
    ],
    ids=["garbage", "half HTTP", "a head without an end", "too much", "an end"],
)
def test_a_proxy_that_makes_no_sense(
    answer: list[object], error: type[ClientError], says: str, script: Make
) -> None:
    proxy = script(answer)
    with pytest.raises(error, match=says):
        poll(proxy, tunnel=True)


def test_a_proxy_that_says_nothing(script: Make) -> None:
    for tunnel, says in ((True, "did not answer CONNECT"), (False, "said nothing for 0.2 s")):
        proxy = script(["wait"])
        with pytest.raises(ConnectionLostError, match=says):
            poll(proxy, tunnel=tunnel, timeout=0.2)


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        place = f"127.0.0.1:{gone.getsockname()[1]}"
    with pytest.raises(UnreachableError, match=f"to the proxy {place}: "):
        clients.open("polling", URL, proxy=place, reconnects=0)


def test_the_secret_is_in_no_error(script: Make) -> None:
    proxy = script([b"HTTP/1.1 403 No\r\n\r\n"])
    with pytest.raises(RefusedError) as caught:
        poll(proxy, "ana:s%3A3cret@", tunnel=True)
    assert "cret" not in str(caught.value)


def test_a_bare_web_socket_takes_the_tunnel_too(script: Make) -> None:
    proxy = script([b"HTTP/1.1 502 Bad Gateway\r\n\r\n"])
    to = parse_address(URL, proxy=f"http://127.0.0.1:{proxy.port}")
    with pytest.raises(RefusedError, match="502 Bad Gateway"):
        WebSocketConnection(to, "/web_socket/echo")
    assert proxy.heard[0].startswith(b"CONNECT ")

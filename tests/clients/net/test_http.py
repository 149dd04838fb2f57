import time
from collections.abc import Callable

import pytest

from clients.errors import ConnectionLostError
from clients.net.address import parse_address
from clients.net.connection import Connection
from clients.net.headers import make_headers
from clients.net.http import Answer, HttpConnection
from clients.net.traffic import Traffic
from tests.clients.conftest import Script
from wire.chunked import END, encode_chunk
from wire.errors import HttpError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Make = Callable[..., Script]


def connection(server: Script, keep_alive: bool = True) -> HttpConnection:
    address = parse_address(server.url)
    return HttpConnection(address, Traffic(), make_headers("lean", address), 5, keep_alive)


def whole(http: HttpConnection) -> Answer:
    answer = http.answer(time.monotonic() + 5)
    assert answer is not None
    return answer


def test_a_kept_connection_carries_the_next_request(script: Make) -> None:
    server = script([OK, ..., OK])
    http = connection(server)
    for target in ("/a", "/b"):
        http.ask("GET", target)
        assert whole(http).body == b"hi"
    assert [heard.split(b"\r\n")[0] for heard in server.heard] == [
        b"GET /a HTTP/1.1",
        b"GET /b HTTP/1.1",
    ]
    http.close()


def test_without_keep_alive_each_request_has_its_own(script: Make) -> None:
    server = script([OK], [OK])
    http = connection(server, keep_alive=False)
    for _ in range(2):
        http.ask("GET", "/")
        assert whole(http).head.status == 200
    assert all(b"\r\nConnection: close\r\n" in heard for heard in server.heard)


def test_timeouts_keep_what_arrived(script: Make) -> None:
    pieces = [b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 5\r\n\r\nho", b"l", b"a!"]
    server = script([part for piece in pieces for part in ("wait", piece)])
    http = connection(server)
    http.ask("GET", "/")
    for _ in pieces:
        assert http.answer(time.monotonic() + 0.02) is None
        server.go_on.set()
        deadline = time.monotonic() + 5
        while server.go_on.is_set() and time.monotonic() < deadline:
            time.sleep(0.001)
    assert whole(http).body == b"hola!"
    http.close()


def test_chunks_interim_answers_and_endings(script: Make) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = encode_chunk(b"ho") + encode_chunk(b"la") + END
    server = script(
        [b"HTTP/1.1 100 Continue\r\n\r\n" + chunked + body],
        [b"HTTP/1.0 200 OK\r\n\r\nuntil", b" the end", "end"],
    )
    http = connection(server)
    http.ask("GET", "/")
    assert whole(http).body == b"hola"
    http.close()
    http.ask("GET", "/")
    assert whole(http).body == b"until the end"
    http.close()


@pytest.mark.parametrize("answer", [b"", OK[:-1], OK[:20]])
def test_an_answer_cut_off_is_a_lost_connection(script: Make, answer: bytes) -> None:
    http = connection(script([answer, "end"]))
    http.ask("GET", "/")
    with pytest.raises(ConnectionLostError, match="before its answer ended"):
        whole(http)
    http.close()


def test_a_get_on_a_connection_closed_while_idle_is_repeated(script: Make) -> None:
    server = script([OK, "end"], [OK], [])
    http = connection(server)
    for _ in range(2):
        http.ask("GET", "/")
        assert whole(http).body == b"hi"
    http.close()


def test_a_post_is_never_sent_twice(script: Make) -> None:
    server = script([OK, ..., "end"], [OK])
    http = connection(server)
    http.ask("POST", "/", b"one")
    assert whole(http).body == b"hi"
    http.ask("POST", "/", b"two")
    with pytest.raises(ConnectionLostError):
        whole(http)
    assert sum(b"two" in heard for heard in server.heard) == 1
    http.close()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("PUT", b"one", b"3"), ("PATCH", b"one", b"3"), ("POST", b"", b"0")],
)
def test_a_body_says_its_length_whatever_the_method(
    script: Make, method: str, body: bytes, length: bytes
) -> None:
    server = script([OK])
    http = connection(server)
    http.ask(method, "/", body)
    assert whole(http).body == b"hi"
    assert b"\r\nContent-Length: " + length + b"\r\n" in server.heard[0]
    http.close()


def test_an_early_refusal_is_read_although_sending_fails(script: Make) -> None:
    server = script([b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"])
    http = connection(server)
    http.ask("POST", "/", b"x" * 100_000)
    assert whole(http).head.status == 413
    http.close()


def test_what_is_not_http_is_said(script: Make) -> None:
    http = connection(script([b"SSH-2.0-OpenSSH\r\n\r\n"]))
    http.ask("GET", "/")
    with pytest.raises(HttpError):
        whole(http)
    http.close()


def test_another_thread_may_close_while_data_comes(
    script: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = connection(script([OK]))
    http.ask("GET", "/")
    read = Connection.receive

    def closed_meanwhile(link: Connection, deadline: float | None) -> bytes | None:
        data = read(link, deadline)
        http.close()
        return data

    monkeypatch.setattr(Connection, "receive", closed_meanwhile)
    assert whole(http).body == b"hi"
    with pytest.raises(ConnectionLostError):
        whole(http)


@pytest.mark.parametrize("framing", ["Content-Length: 9000", "Transfer-Encoding: chunked", "X: y"])
def test_a_body_is_bounded(script: Make, monkeypatch: pytest.MonkeyPatch, framing: str) -> None:
    monkeypatch.setattr("clients.net.http.LONGEST_BODY", 100)
    body = encode_chunk(b"x" * 50) * 4 if "chunked" in framing else b"x" * 200
    head = f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode()
    http = connection(script([head + body]))
    http.ask("GET", "/")
    with pytest.raises(HttpError, match="more than 100 bytes"):
        whole(http)
    http.close()


def test_the_bound_is_for_each_answer(script: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.net.http.LONGEST_BODY", 3)
    http = connection(script([OK, ..., OK]))
    for _ in range(2):
        http.ask("GET", "/")
        assert whole(http).body == b"hi"
    http.close()

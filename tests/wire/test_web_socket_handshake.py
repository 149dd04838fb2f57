import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import outcome
from wire import web_socket_deflate
from wire.errors import HandshakeError
from wire.http_head import decode_response_head
from wire.web_socket_deflate import Agreement
from wire.web_socket_handshake import (
    GUID,
    SUBPROTOCOL,
    Opening,
    accept_key,
    check_request,
    check_response,
    encode_answer,
    encode_opening,
)

ARTICLES_KEY = "x3JJHMbDL1EzLkh9GBhXDw=="
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
NONCE = b"the sample nonce"
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
REQUEST = {
    "host": "127.0.0.1:8000",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-key": KEY,
    "sec-websocket-version": "13",
}
RESPONSE = (
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    f"Sec-WebSocket-Accept: {ACCEPT}",
)

# The accept value


def test_the_sample_key_of_the_rfc() -> None:
    assert base64.b64encode(NONCE).decode() == KEY
    assert accept_key(KEY) == ACCEPT


def test_the_key_of_the_article_and_the_accept_it_prints_wrongly() -> None:
    right = accept_key(ARTICLES_KEY)
    assert right == "HSmrc0sMlYUkAGmm5OPpG2HaGWk="
    assert len(base64.b64decode(right)) == hashlib.sha1().digest_size == 20
    # In print the four letters after "HSm" got lost, and no SHA-1 digest has 17 bytes.
    printed = "HSmMlYUkAGmm5OPpG2HaGWk="
    assert printed == right.replace("rc0s", "")
    assert len(base64.b64decode(printed)) == 17


def test_the_key_is_not_decoded_and_the_guid_is_in_capitals() -> None:
    def digest(data: bytes) -> str:
        return base64.b64encode(hashlib.sha1(data).digest()).decode()

    decoded_first = digest(base64.b64decode(ARTICLES_KEY) + GUID.encode())
    lower_case = digest((ARTICLES_KEY + GUID.lower()).encode())
    assert decoded_first == "C+s8yZIB99z7U9vZnrrVNGbbJDo="
    assert lower_case == "ijzWs6E6H6kxXbiCt/6hO7mr97g="
    assert accept_key(ARTICLES_KEY) not in (decoded_first, lower_case)


# The server's side


def test_a_request_that_opens() -> None:
    assert check_request("GET", 1, REQUEST) == Opening(KEY, (), "")


def test_tokens_are_read_in_any_case_and_in_lists() -> None:
    fields = REQUEST | {"upgrade": "h2c, WebSocket", "connection": "keep-alive, upgrade"}
    assert check_request("GET", 1, fields).key == KEY


def test_what_the_client_asks_for() -> None:
    fields = REQUEST | {
        "sec-websocket-protocol": "soap, duplex.v1",
        "sec-websocket-extensions": "permessage-deflate",
        "sec-websocket-origin": "http://evil.example",  # of the drafts: nobody looks at it
    }
    expected = Opening(KEY, ("soap", "duplex.v1"), "permessage-deflate")
    assert check_request("GET", 1, fields) == expected


@pytest.mark.parametrize(
    ("method", "minor", "changed", "status"),
    [
        ("POST", 1, {}, 405),
        ("get", 1, {}, 405),
        ("GET", 1, {"upgrade": None}, 426),
        ("GET", 1, {"upgrade": "h2c"}, 426),
        ("GET", 1, {"sec-websocket-version": None}, 426),
        ("GET", 1, {"sec-websocket-version": "8"}, 426),
        ("GET", 1, {"sec-websocket-version": "13, 8"}, 426),
        ("GET", 0, {}, 400),
        ("GET", 1, {"connection": None}, 400),
        ("GET", 1, {"connection": "keep-alive"}, 400),
        ("GET", 1, {"sec-websocket-key": None}, 400),
        ("GET", 1, {"sec-websocket-key": "abc"}, 400),
        ("GET", 1, {"sec-websocket-key": KEY[:-1]}, 400),
        ("GET", 1, {"sec-websocket-key": KEY + "A==="}, 400),
        ("GET", 1, {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZSEh"}, 400),  # 18 bytes
        ("GET", 1, {"sec-websocket-key": "dGhlIHNhbXBsZSBub25j!!=="}, 400),
        ("GET", 1, {"sec-websocket-key": "ñ" * 24}, 400),
        ("GET", 1, {"sec-websocket-protocol": "two words"}, 400),
        ("GET", 1, {"sec-websocket-protocol": "duplex.v1; a=b"}, 400),
    ],
)
def test_requests_that_are_refused(
    method: str, minor: int, changed: dict[str, str | None], status: int
) -> None:
    fields = {name: value for name, value in (REQUEST | changed).items() if value is not None}
    with pytest.raises(HandshakeError) as caught:
        check_request(method, minor, fields)
    assert caught.value.status == status


def test_a_refusal_says_what_is_accepted() -> None:
    with pytest.raises(HandshakeError, match="accepted is 13"):
        check_request("GET", 1, REQUEST | {"sec-websocket-version": "8"})
    with pytest.raises(HandshakeError, match="24 characters"):
        check_request("GET", 1, REQUEST | {"sec-websocket-key": "abc"})


def test_a_golden_answer() -> None:
    opening = Opening(KEY, ("duplex.v1",), "")
    assert encode_answer(opening) == "\r\n".join([*RESPONSE, "", ""]).encode()
    answer = encode_answer(opening, "duplex.v1", "permessage-deflate", [("Duplex-Cursor", "a-1")])
    assert answer.endswith(
        b"\r\nSec-WebSocket-Protocol: duplex.v1\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\nDuplex-Cursor: a-1\r\n\r\n"
    )


# The client's side


def test_a_golden_opening() -> None:
    opening = encode_opening("/web_socket", [("Host", "127.0.0.1:8000")], NONCE)
    assert opening == (
        b"GET /web_socket HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n"
    )
    more = encode_opening("/", [], NONCE, ["soap", SUBPROTOCOL], web_socket_deflate.offer())
    assert b"\r\nSec-WebSocket-Protocol: soap, duplex.v1\r\n" in more
    assert b"\r\nSec-WebSocket-Extensions: permessage-deflate; server_no" in more


def answer(*lines: str, instead_of: str = "") -> str | Agreement | None:
    """Check a response of ``lines`` and of all of ``RESPONSE`` that begin otherwise."""
    kept = [line for line in RESPONSE if not instead_of or not line.startswith(instead_of)]
    order = sorted([*kept, *lines], key=lambda line: not line.startswith("HTTP"))
    head = decode_response_head("\r\n".join(order).encode("latin-1"))
    return check_response(head, NONCE, ["soap", SUBPROTOCOL])[0]


def test_responses_that_open() -> None:
    assert answer() is None
    assert answer("Sec-WebSocket-Protocol: duplex.v1") == "duplex.v1"
    assert answer("UPGRADE: WebSocket", instead_of="Upgrade") is None


@pytest.mark.parametrize(
    ("instead_of", "line", "says"),
    [
        ("HTTP", "HTTP/1.1 200 OK", "the server answered 200 OK"),
        ("Upgrade", "X: y", "no 'Upgrade: websocket'"),
        ("Upgrade", "Upgrade: h2c", "no 'Upgrade: websocket'"),
        ("Connection", "X: y", "no 'Connection: Upgrade'"),
        ("Connection", "Connection: close", "no 'Connection: Upgrade'"),
        ("Sec", "X: y", "Sec-WebSocket-Accept is ''"),
        ("Sec", f"Sec-WebSocket-Accept: {ACCEPT.lower()}", "but the key asks for 's3pPLMB"),
        ("Sec", "Sec-WebSocket-Accept: C+s8yZIB99z7U9vZnrrVNGbbJDo=", "but the key asks for"),
        ("-", "Sec-WebSocket-Protocol: chat", "'chat' was not asked for"),
        ("-", "Sec-WebSocket-Protocol: soap, duplex.v1", "was not asked for"),
        ("-", "Sec-WebSocket-Protocol: Duplex.V1", "was not asked for"),
        ("-", "Sec-WebSocket-Extensions: permessage-deflate", "was not offered"),
    ],
)
def test_responses_that_fail_the_connection(instead_of: str, line: str, says: str) -> None:
    with pytest.raises(HandshakeError, match=says):
        answer(line, instead_of=instead_of)


def test_a_refusal_keeps_the_servers_status() -> None:
    with pytest.raises(HandshakeError) as caught:
        answer("HTTP/1.1 403 Forbidden", instead_of="HTTP")
    assert caught.value.status == 403


def test_compression_counts_only_when_offered_and_only_as_offered() -> None:
    offered = web_socket_deflate.offer()
    agreed = web_socket_deflate.agree(offered)
    assert agreed is not None
    data = encode_answer(Opening(KEY, (), offered), extension=agreed[1])
    head = decode_response_head(data)
    assert check_response(head, NONCE, extension=offered) == (None, Agreement())
    with pytest.raises(HandshakeError, match="was not offered"):
        check_response(head, NONCE)
    takeover = decode_response_head(
        encode_answer(Opening(KEY, (), ""), extension="permessage-deflate")
    )
    with pytest.raises(HandshakeError, match="context takeover"):
        check_response(takeover, NONCE, extension=offered)


# Both


@given(st.binary(min_size=16, max_size=16), st.sampled_from([None, "soap", SUBPROTOCOL]))
def test_round_trip(nonce: bytes, protocol: str | None) -> None:
    request = encode_opening("/", [("Host", "h")], nonce, ["soap", SUBPROTOCOL])
    lines = request.decode().removesuffix("\r\n\r\n").split("\r\n")[1:]
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    opening = check_request("GET", 1, fields)
    assert opening.protocols == ("soap", SUBPROTOCOL)
    head = decode_response_head(encode_answer(opening, protocol))
    assert check_response(head, nonce, ["soap", SUBPROTOCOL]) == (protocol, None)


@given(st.dictionaries(st.sampled_from([*REQUEST, "sec-websocket-protocol"]), st.text()))
def test_hostile_fields_give_only_handshake_errors(changed: dict[str, str]) -> None:
    result = outcome(HandshakeError, check_request, "GET", 1, REQUEST | changed)
    if isinstance(result, HandshakeError):
        assert result.status in (400, 426)
    else:
        assert len(result.key) == 24

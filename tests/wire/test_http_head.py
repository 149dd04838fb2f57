import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import HttpError
from wire.http_head import (
    END,
    LONGEST_HEAD,
    ResponseHead,
    decode_response_head,
    encode_request,
    encode_response,
)

HEADS = [
    (
        "204 No Content",
        [("Cache-Control", "no-store")],
        b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n",
        ResponseHead(204, "No Content", {"cache-control": "no-store"}),
    ),
    (
        "200 OK",
        [("X-Empty", ""), ("Content-Length", "2")],
        b"HTTP/1.1 200 OK\r\nX-Empty: \r\nContent-Length: 2\r\n\r\n",
        ResponseHead(200, "OK", {"x-empty": "", "content-length": "2"}),
    ),
]


@pytest.mark.parametrize(("status", "fields", "data", "head"), HEADS)
def test_golden_responses_both_ways(
    status: str, fields: list[tuple[str, str]], data: bytes, head: ResponseHead
) -> None:
    assert encode_response(status, fields) == data
    assert encode_response(status, fields, b"{}") == data + b"{}"
    assert decode_response_head(data) == head
    assert decode_response_head(data.removesuffix(END)) == head


def test_a_golden_request() -> None:
    fields = [("Host", "127.0.0.1:8000"), ("Content-Length", "4")]
    assert encode_request("POST", "/publish?channel=a", fields, b"hola") == (
        b"POST /publish?channel=a HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nContent-Length: 4\r\n\r\nhola"
    )


@pytest.mark.parametrize("bad", ["a\r\nSet-Cookie: b", "a\nb", "a\rb"])
def test_nobody_can_slip_in_a_line(bad: str) -> None:
    for fields in ([("X", bad)], [(bad, "x")]):
        with pytest.raises(ValueError, match="line end"):
            encode_request("GET", "/", fields)
        with pytest.raises(ValueError, match="line end"):
            encode_response("200 OK", fields)
    with pytest.raises(ValueError, match="line end"):
        encode_request("GET", bad, [])
    with pytest.raises(ValueError, match="line end"):
        encode_response(bad, [])


def head_of(*lines: str) -> ResponseHead:
    return decode_response_head("\r\n".join(lines).encode("latin-1"))


def test_names_are_lower_case_values_bare_and_repeated_fields_one_list() -> None:
    head = head_of("HTTP/1.1 200 OK", "X-A:1", "x-a: \t 2 \t", "X-B: c: d")
    assert head.fields == {"x-a": "1, 2", "x-b": "c: d"}


def test_a_reason_may_be_empty_or_long() -> None:
    assert head_of("HTTP/1.1 200").reason == ""
    assert head_of("HTTP/1.1 200 ").reason == ""
    assert head_of("HTTP/1.1 101 Switching Protocols").reason == "Switching Protocols"


@pytest.mark.parametrize(
    ("line", "fields", "keeps"),
    [
        ("HTTP/1.1 200 OK", [], True),
        ("HTTP/1.1 200 OK", ["Connection: close"], False),
        ("HTTP/1.1 200 OK", ["Connection: Keep-Alive, Close"], False),
        ("HTTP/1.0 200 OK", [], False),
        ("HTTP/1.0 200 OK", ["Connection: Keep-Alive"], True),
    ],
)
def test_whether_the_connection_is_kept(line: str, fields: list[str], keeps: bool) -> None:
    assert head_of(line, *fields).keeps_alive is keeps


@pytest.mark.parametrize(
    ("line", "fields", "length"),
    [
        ("HTTP/1.1 200 OK", [], None),
        ("HTTP/1.1 200 OK", ["Content-Length: 12"], 12),
        ("HTTP/1.1 200 OK", ["Content-Length: 0"], 0),
        ("HTTP/1.1 200 OK", ["Content-Length: 12", "Transfer-Encoding: chunked"], None),
        ("HTTP/1.1 204 No Content", [], 0),
        ("HTTP/1.1 304 Not Modified", ["Content-Length: 12"], 0),
        ("HTTP/1.1 101 Switching Protocols", [], 0),
    ],
)
def test_the_length_of_the_body(line: str, fields: list[str], length: int | None) -> None:
    assert head_of(line, *fields).length == length


@pytest.mark.parametrize("value", ["-1", "+1", "1.0", "", "a", "1, 1", "²", "1" * 5000])
def test_a_length_that_is_no_number(value: str) -> None:
    with pytest.raises(HttpError, match="Content-Length"):
        _ = head_of("HTTP/1.1 200 OK", f"Content-Length: {value}").length


def test_chunked_is_the_last_coding_in_any_case() -> None:
    assert head_of("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, Chunked").is_chunked
    assert not head_of("HTTP/1.1 200 OK", "Transfer-Encoding: gzip").is_chunked
    assert not head_of("HTTP/1.1 200 OK").is_chunked


@pytest.mark.parametrize(
    "line",
    [
        "",
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 600 OK",
        "200 OK",
        "http/1.1 200 OK",
        " HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\n",
    ],
)
def test_a_first_line_that_is_no_status_line(line: str) -> None:
    with pytest.raises(HttpError, match=r"not an HTTP/1\.x status line"):
        head_of(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no colon",
        ": no name",
        "space : before",
        " folded: line",
        "two words: x",
        "ñ: x",
        "a: b\nc: d",
        "a: b\rc",
        "a: \x00",
    ],
)
def test_a_line_that_is_no_field(line: str) -> None:
    with pytest.raises(HttpError, match="not a header field"):
        head_of("HTTP/1.1 200 OK", "A: b", line, "C: d")


NAMES = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", fullmatch=True)
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0")).map(
    lambda text: text.strip(" \t")
)


@given(st.integers(100, 599), st.dictionaries(NAMES.map(str.lower), VALUES))
def test_round_trip(status: int, fields: dict[str, str]) -> None:
    data = encode_response(f"{status} Some Reason", fields.items())
    assert decode_response_head(data) == ResponseHead(status, "Some Reason", fields)


@given(st.binary(), st.booleans())
def test_hostile_bytes_give_only_http_errors(data: bytes, begins_well: bool) -> None:
    try:
        head = decode_response_head(b"HTTP/1.1 200 OK\r\nA: b\r\n" * begins_well + data)
        _ = (head.length, head.keeps_alive, head.is_chunked)
    except HttpError:
        pass


def test_a_head_of_the_greatest_size_is_read_in_no_time() -> None:
    data = b"HTTP/1.1 200 OK\r\nA:" + b" \t" * (LONGEST_HEAD // 2) + b"\0"
    with pytest.raises(HttpError):
        decode_response_head(data)

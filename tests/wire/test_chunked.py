import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.feeding import cuts, decoded, ways
from wire.chunked import END, ChunkedDecoder, encode_chunk
from wire.errors import HttpError

BODIES = [
    pytest.param([b"hola"], b"4\r\nhola\r\n0\r\n\r\n", id="one chunk"),
    pytest.param(
        [b"\r\n", b"0\r\n\r\n"],
        b"2\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n",
        id="chunks that look like framing",
    ),
    pytest.param([b"x" * 26], b"1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n", id="hexadecimal size"),
    pytest.param([], b"0\r\n\r\n", id="no body"),
]


@pytest.mark.parametrize(("pieces", "data"), BODIES)
def test_golden_both_ways(pieces: list[bytes], data: bytes) -> None:
    assert b"".join(map(encode_chunk, pieces)) + END == data
    for chunks in ways(data):
        decoder = ChunkedDecoder()
        assert b"".join(decoded(decoder, chunks)) == b"".join(pieces)
        assert decoder.finished
        assert decoder.trailing == b""


def test_an_empty_chunk_would_end_the_body_so_there_is_none() -> None:
    assert encode_chunk(b"") == b""


def test_a_piece_comes_at_once_though_its_chunk_is_not_complete() -> None:
    decoder = ChunkedDecoder()
    assert decoder.decode(b"5\r\nhel") == [b"hel"]
    assert decoder.decode(b"lo\r") == [b"lo"]
    assert decoder.decode(b"\n") == []
    assert not decoder.finished


def test_what_follows_the_end_is_the_next_answers() -> None:
    data = b"1\r\na\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    for chunks in ways(data):
        decoder = ChunkedDecoder()
        assert decoded(decoder, chunks) == [b"a"]
        assert decoder.finished
        assert decoder.trailing == b"HTTP/1.1 200 OK\r\n\r\n"


@pytest.mark.parametrize("size", [b"A", b"a", b"0a", b"a;name=value", b'a ; q="\xff"', b"a \t"])
def test_forms_of_a_size_line(size: bytes) -> None:
    decoder = ChunkedDecoder()
    assert decoder.decode(size + b"\r\n0123456789\r\n") == [b"0123456789"]


def test_trailers_are_read_over() -> None:
    for chunks in ways(b"1\r\na\r\n0\r\nExpires: never\r\nX: y\r\n\r\nrest"):
        decoder = ChunkedDecoder()
        assert decoded(decoder, chunks) == [b"a"]
        assert (decoder.finished, decoder.trailing) == (True, b"rest")


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"g\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 1\r\n",
        b"1_0\r\n",
        b"1" * 16 + b"\r\n",
        b"1\r\nab\r\n",
        b"1\r\na\n\n",
        b"1\r\na0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
def test_broken_coding_is_refused(data: bytes) -> None:
    for chunks in ways(data):
        with pytest.raises(HttpError):
            decoded(ChunkedDecoder(), chunks)


@pytest.mark.parametrize("before", [b"", b"0\r\n"])
def test_a_line_that_never_ends_is_refused(before: bytes) -> None:
    decoder = ChunkedDecoder()
    decoder.decode(before + b"1;" + b"x" * 4000)
    with pytest.raises(HttpError, match="more than 4096 bytes"):
        decoder.decode(b"x" * 100)


@given(st.lists(st.binary()), st.binary(), st.data())
def test_round_trip(pieces: list[bytes], trailing: bytes, data: st.DataObject) -> None:
    stream = b"".join(map(encode_chunk, pieces)) + END + trailing
    decoder = ChunkedDecoder()
    assert b"".join(decoded(decoder, data.draw(cuts(stream)))) == b"".join(pieces)
    assert decoder.trailing == trailing


TOKENS = [b"\r\n", b"\n", b"\r", b"0", b"1", b"5", b"ff", b";", b"a: b"]


@given(st.lists(st.sampled_from(TOKENS) | st.binary(max_size=5)).map(b"".join), st.data())
def test_hostile_bytes_give_only_http_errors(stream: bytes, data: st.DataObject) -> None:
    with contextlib.suppress(HttpError):
        decoded(ChunkedDecoder(), data.draw(cuts(stream)))

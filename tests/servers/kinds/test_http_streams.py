from aiohttp import HttpVersion10
from aiohttp.test_utils import make_mocked_request

from servers.front.heads import count_request, fields_of
from servers.front.ledger import Row
from servers.kinds.http_streams import Transfer
from wire.chunked import ChunkedDecoder


def test_chunks_are_framed_and_ended() -> None:
    decoder = ChunkedDecoder()
    wrapped = Transfer.CHUNKED.wrap(b"hola") + Transfer.CHUNKED.end
    assert wrapped == b"4\r\nhola\r\n0\r\n\r\n"
    assert decoder.decode(wrapped) == [b"hola"]
    assert decoder.finished


def test_until_close_adds_nothing() -> None:
    assert Transfer.UNTIL_CLOSE.wrap(b"hola") == b"hola"
    assert Transfer.UNTIL_CLOSE.end == b""


def test_fields_have_lower_case_names_and_repeated_ones_are_joined() -> None:
    from multidict import CIMultiDict

    headers = CIMultiDict([("Accept", "a"), ("ACCEPT", "b"), ("Host", "x")])
    request = make_mocked_request("GET", "/", headers=headers, version=HttpVersion10)
    assert fields_of(request) == {"accept": "a, b", "host": "x"}


def test_a_request_counts_with_all_bytes_of_its_head() -> None:
    from multidict import CIMultiDict

    head = b"GET /sse?channel=x HTTP/1.1\r\nHost: here\r\nAccept: */*\r\n\r\n"
    request = make_mocked_request(
        "GET", "/sse?channel=x", headers=CIMultiDict([("Host", "here"), ("Accept", "*/*")])
    )
    row = Row()
    count_request(row, request)
    assert (row.requests, row.bytes_up) == (1, len(head))

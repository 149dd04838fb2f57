"""What the HTTP techniques share, on a server that says what it is told to."""

from collections.abc import Callable

import pytest

from clients.errors import UnexpectedAnswerError
from clients.polling import PollingClient
from tests.clients.conftest import Script


@pytest.mark.parametrize("receipt", [b"", b"[]", b'{"id":1}', b'{"id":1e999}', b"[" * 100_000])
def test_what_is_no_receipt_is_said(script: Callable[..., Script], receipt: bytes) -> None:
    head = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(receipt)
    server = script([head + receipt])
    with (
        PollingClient(server.url, after="a-0", interval=3600) as client,
        pytest.raises(UnexpectedAnswerError, match="answers"),
    ):
        client.send("hola")

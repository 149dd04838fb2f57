"""A desk where one asks a server one thing after the other, and gets whole answers.

For what a technique's client does not do: to publish beside it, and to read the server's ledger.
"""

import time
from typing import Any, Self

from clients.errors import ClientError, UnexpectedAnswerError, refused
from clients.net.address import parse_address
from clients.net.headers import Fields, make_headers
from clients.net.http import HttpConnection
from clients.net.traffic import Traffic
from wire.errors import WireError
from wire.message import load_json

TIMEOUT_S = 10.0


class Desk:
    """One kept HTTP connection to ``url``, opened when needed; ``traffic`` counts its bytes.

    ``arrived_ns`` is when the last answer came (monotonic); ``cafile`` has the certificates of whom
    to trust behind ``https://``.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_S, cafile: str | None = None) -> None:
        self.traffic = Traffic()
        self.arrived_ns = 0
        self._timeout = timeout
        self.address = parse_address(url, cafile=cafile)
        headers = make_headers("lean", self.address)
        self._http = HttpConnection(self.address, self.traffic, headers, timeout)

    def ask(
        self,
        method: str,
        target: str,
        expected: int | range,
        body: bytes = b"",
        fields: Fields = (),
    ) -> bytes:
        """Return the body of an answer with an ``expected`` status. Raises ``ClientError``."""
        try:
            self._http.ask(method, target, body, fields)
            answer = self._http.answer(time.monotonic() + self._timeout)
            self.arrived_ns = self._http.arrived_ns
        except (ClientError, WireError) as error:
            self._http.close()
            raise (
                error if isinstance(error, ClientError) else UnexpectedAnswerError(str(error))
            ) from error
        if answer is None:
            self._http.close()
            raise UnexpectedAnswerError(f"{method} {target}: no answer within {self._timeout:g} s")
        accepted = range(expected, expected + 1) if isinstance(expected, int) else expected
        if answer.head.status not in accepted:
            raise refused(answer.head, answer.body)
        return answer.body

    def stats(self) -> dict[str, Any]:
        """Return the server's ledger, which is what ``/stats`` says. Raises ``ClientError``."""
        body = self.ask("GET", self.address.target("/stats"), 200)
        try:
            return load_json(body)
        except WireError as error:
            raise UnexpectedAnswerError(f"/stats is no JSON object: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

"""What the HTTP techniques share: one connection to receive on, another one to POST on.

Two, because the first is busy: a held request or a stream occupies it, and HTTP/1.1 answers in
order. That a browser has only six of them for each site is one reason for WebSocket.
"""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Client, Item
from clients.errors import ConnectionLostError, UnexpectedAnswerError, refused, silence
from clients.net import decoding
from clients.net.headers import Fields
from clients.net.http import Answer, HttpConnection
from clients.options import Options, Receipt
from wire.cursor import parse_cursor
from wire.errors import MessageError, WireError
from wire.http_head import ResponseHead
from wire.message import Body, Gap, load_json

_TEXT: Fields = (("Content-Type", "text/plain;charset=utf-8"),)
_BYTES: Fields = (("Content-Type", "application/octet-stream"),)
CURSOR_FIELD = "duplex-cursor"  # in a stream's head: where the stream begins


def plain_body(body: Body) -> tuple[bytes, Fields]:
    """Return what a POST of text or bytes sends: the body, and the field that says what it is."""
    return (body.encode(), _TEXT) if isinstance(body, str) else (body, _BYTES)


class HttpClient(Client):
    """A client whose every byte is HTTP; it sends by ``POST /publish``.

    With ``keep_alive=False`` every request makes a TCP connection of its own, as HTTP/1.0 did.
    """

    __slots__ = ("_down", "_keep_alive", "_up")

    def __init__(
        self,
        url: str,
        channel: str = "lobby",
        *,
        keep_alive: bool = True,
        **options: Unpack[Options],
    ) -> None:
        self._keep_alive = keep_alive
        super().__init__(url, channel, **options)

    def _prepare(self) -> None:
        self._down = self._http()
        self._up = self._http()

    def _http(self) -> HttpConnection:
        return HttpConnection(
            self.address, self._traffic, self._headers, self._timeout, self._keep_alive
        )

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, GET and POST."""
        return self._down.requests + self._up.requests

    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        """Publish by a POST of the plain body; what else there is to say goes into the query."""
        target = self.address.target(
            "/publish", channel=self.channel, sender=sender or self.name, sent_ns=sent_ns
        )
        answer = self._post(target, *plain_body(body), 201)
        try:
            said = load_json(answer.body)
            return Receipt(int(said["id"]), str(said["cursor"]))
        except (MessageError, ValueError, KeyError, TypeError, OverflowError):
            raise UnexpectedAnswerError(
                f'POST /publish answers {{"id","cursor"}}, not {answer.body[:60]!r}'
            ) from None

    def _shut(self) -> None:
        self._down.close()

    def _post(self, target: str, body: bytes, fields: Fields, done: int) -> Answer:
        """POST and return the answer, whose status is ``done``.

        Raises :class:`~clients.errors.RefusedError` for a status of 400 or more, and
        :class:`~clients.errors.UnexpectedAnswerError` for any other: a page for logging in, say.
        """
        answer = self._ask_up("POST", target, body, fields)
        status = answer.head.status
        if status >= 400:
            raise refused(answer.head, answer.body)
        if status != done:
            to = answer.head.fields.get("location")
            where = f" to {to[:100]!r}" if to else ""
            raise UnexpectedAnswerError(f"POST {target} answers {done}, not {status}{where}")
        return answer

    def _ask_up(self, method: str, target: str, body: bytes = b"", fields: Fields = ()) -> Answer:
        """Do one request on the sending connection, within the timeout."""
        try:
            self._up.ask(method, target, body, fields)
            answer = self._up.answer(self._limit())
            if answer is None:
                raise self._silence()
        except WireError as error:
            self._up.close()
            raise UnexpectedAnswerError(str(error)) from error
        except BaseException:
            self._up.close()  # half an answer must not be taken for the next one's
            raise
        return answer

    def _get(self, target: str) -> Answer:
        """GET a whole answer within the timeout."""
        self._down.ask("GET", target)
        answer = self._down.answer(self._limit())
        if answer is None:
            raise self._silence()
        return answer

    def _take_batch(self, answer: Answer) -> Sequence[Item]:
        """Return the messages of a polling answer, behind a gap notice where there is a gap."""
        if answer.head.status == 204:
            return ()
        if answer.head.status != 200:
            raise refused(answer.head, answer.body)
        batch = decoding.batch(answer.body)
        self._cursor = batch.cursor
        self.arrived_ns, self.asked_ns = self._down.arrived_ns, self._down.asked_ns
        if not batch.gap:
            return batch.messages
        last = batch.messages[0].id - 1 if batch.messages else parse_cursor(batch.cursor).id
        return (Gap(self._cursor_at(last)), *batch.messages)

    def _open_stream(
        self, target: str, content_type: str, fields: Fields = (), body: bytes | None = None
    ) -> ResponseHead:
        """GET an answer that does not end, or POST a ``body`` for one, and return its head."""
        self._down.close()
        self._down.ask("GET" if body is None else "POST", target, body or b"", fields)
        limit = self._limit()
        head = self._down.head(limit)
        if head is None:
            raise silence(self._timeout)
        if head.status != 200:
            answer = self._down.answer(limit)
            raise refused(head, answer.body if answer else b"")
        if not head.fields.get("content-type", "").lower().startswith(content_type):
            raise UnexpectedAnswerError(
                f"{target} should be {content_type}, not {head.fields.get('content-type')!r}"
            )
        self._cursor = head.fields.get(CURSOR_FIELD, self._cursor)
        return head

    def _stream_pieces(self, deadline: float | None) -> list[bytes] | None:
        """Return what one read brought of the stream, ``None`` when time is up."""
        pieces = self._down.pieces(deadline)
        if not pieces and pieces is not None and self._down.ended:
            raise ConnectionLostError("the server ended the stream")
        return pieces

    def _silence(self) -> ConnectionLostError:
        return ConnectionLostError(f"the server said nothing for {self._timeout:g} s")

"""Blocking HTTP/1.1 over one connection, kept for the next request (RFC 9112).

Each reading method takes a deadline and can be called again after it passed: what arrived stays
in the buffer. One request at a time; pipelining never worked through real proxies.
"""

import contextlib
import time
from functools import lru_cache
from typing import NamedTuple

from clients.errors import ConnectionLostError
from clients.net.address import Address
from clients.net.connecting import connect
from clients.net.connection import Connection
from clients.net.headers import Fields, Headers
from clients.net.traffic import Traffic
from wire import http_head
from wire.chunked import ChunkedDecoder
from wire.errors import HttpError
from wire.http_head import ResponseHead, encode_request

LONGEST_BODY = 256 * 2**20  # bytes of a whole answer; a stream has no end and no such limit

# Heads repeat from answer to answer, but for a date that changes every second.
_decode_head = lru_cache(maxsize=256)(http_head.decode_response_head)


class Answer(NamedTuple):
    """A whole answer."""

    head: ResponseHead
    body: bytes


class HttpConnection:
    """Sends requests to one address, connecting when needed.

    ``requests`` counts what was sent; ``arrived_ns`` is the time of the last read, ``asked_ns``
    that of the last request (monotonic).
    """

    __slots__ = (
        "_address",
        "_body",
        "_buffer",
        "_chunks",
        "_head",
        "_head_bytes",
        "_headers",
        "_keep_alive",
        "_left",
        "_link",
        "_repeatable",
        "_size",
        "_timeout",
        "_traffic",
        "arrived_ns",
        "asked_ns",
        "requests",
    )

    def __init__(
        self,
        address: Address,
        traffic: Traffic,
        headers: Headers,
        timeout: float,
        keep_alive: bool = True,
    ) -> None:
        self._address = address
        self._traffic = traffic
        self._headers = headers
        self._timeout = timeout
        self._keep_alive = keep_alive
        self._link: Connection | None = None
        self._head_bytes = 0  # of the last answer
        self._repeatable = b""
        self.requests = 0
        self.arrived_ns = self.asked_ns = 0
        # Of the answer that is being read:
        self._buffer = b""
        self._head: ResponseHead | None = None
        self._chunks: ChunkedDecoder | None = None
        self._left: int | None = None  # bytes of the body to come, where that is known
        self._body: list[bytes] = []
        self._size = 0  # of what is in it

    def ask(self, method: str, target: str, body: bytes = b"", fields: Fields = ()) -> None:
        """Send one request; a body needs its Content-Type among ``fields``."""
        # A POST must not be sent twice, so a connection closed while idle must be noticed
        # before; a GET is simply repeated (RFC 9110, 9.2.2).
        if method != "GET" and self._link is not None and not self._link.is_quiet():
            self.close()
        request = self._encode(method, target, body, fields)
        kept = self._link is not None
        self.ask_encoded(request)
        self._repeatable = request if method == "GET" and kept else b""

    def _encode(self, method: str, target: str, body: bytes, fields: Fields) -> bytes:
        target, to_proxy = self._address.said(target)
        all_fields = (*self._headers.fields, *to_proxy, *fields)
        if not self._keep_alive:
            kept = tuple(field for field in all_fields if field[0] != "Connection")
            all_fields = (*kept, ("Connection", "close"))
        if body or method == "POST":
            all_fields = (*all_fields, ("Content-Length", str(len(body))))
        if self._headers.padded_to is not None:
            bare = len(encode_request(method, target, all_fields))
            all_fields = (*all_fields, *self._headers.cookie(bare, self._head_bytes))
        return encode_request(method, target, all_fields, body)

    def ask_encoded(self, request: bytes) -> None:
        """Send one request that is written out already."""
        link = self._link
        if link is None:
            link = self._link = connect(self._address, self._traffic, self._timeout)
        self._forget()
        self.requests += 1
        self.asked_ns = time.monotonic_ns()
        # A server that refuses early may close before it has read everything, and its answer be
        # here nevertheless; where it is not, reading finds the connection lost.
        with contextlib.suppress(ConnectionLostError):
            link.send(request, self._timeout)

    def head(self, deadline: float | None) -> ResponseHead | None:
        """Return the final answer's head, ``None`` when the deadline passed.

        Raises :class:`~clients.errors.ConnectionLostError`, :class:`~wire.errors.HttpError`.
        """
        while self._head is None:
            end = self._buffer.find(http_head.END)
            if end < 0:
                if len(self._buffer) > http_head.LONGEST_HEAD:
                    raise HttpError("the answer's head does not end")
                if self._read(deadline) is None:
                    return None
                continue
            end += len(http_head.END)
            head = _decode_head(self._buffer[:end])
            self._buffer = self._buffer[end:]
            self._head_bytes = end
            if 100 <= head.status < 200 and head.status != 101:
                continue  # interim answers come before the final one (RFC 9110, 15.2)
            self._head, self._left = head, head.length
            self._chunks = ChunkedDecoder() if head.is_chunked else None
        return self._head

    def answer(self, deadline: float | None) -> Answer | None:
        """Return the whole answer, ``None`` when the deadline passed; then call again.

        Raises the errors of :meth:`head`, also for a body of more than ``LONGEST_BODY`` bytes.
        """
        head = self.head(deadline)
        while head is not None:
            pieces = self.pieces(deadline)
            if pieces is None:
                return None
            self._body.append(b"".join(pieces))  # tiny chunks would each weigh more than they say
            self._size += len(self._body[-1])
            if self._size > LONGEST_BODY:
                raise HttpError(f"the answer's body has more than {LONGEST_BODY} bytes")
            if self._left == 0:
                body = b"".join(self._body)
                self._end(head)
                return Answer(head, body)
        return None

    def pieces(self, deadline: float | None) -> list[bytes] | None:
        """Return what one read brought of the body, after :meth:`head`; ``None`` on the deadline.

        An empty list means that the body has ended, or that only framing came; see ``ended``.
        """
        if self._left == 0:
            return []
        data, self._buffer = self._buffer, b""
        if not data:
            read = self._read(deadline, within_body=True)
            if read is None:
                return None
            data, self._buffer = self._buffer, b""
            if not read:
                self._left = 0  # a body without a length ends with the connection
                return []
        if (chunks := self._chunks) is not None:
            pieces = chunks.decode(data)
            if chunks.finished:
                self._buffer, self._left = chunks.trailing, 0
            return pieces
        if (left := self._left) is not None:
            data, self._buffer = data[:left], data[left:]
            self._left = left - len(data)
        return [data]

    @property
    def ended(self) -> bool:
        """Whether the body's end was read."""
        return self._left == 0

    def detach(self) -> tuple[Connection, bytes]:
        """Give the connection away after 101 Switching Protocols, with what was read already."""
        link, rest = self._link, self._buffer
        assert link is not None
        self._link = None
        self._forget()
        return link, rest

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        link, self._link = self._link, None
        self._repeatable = b""
        if link is not None:
            link.close()
        self._forget()

    def _end(self, head: ResponseHead) -> None:
        if not (self._keep_alive and head.keeps_alive) or self._buffer:
            self.close()
        self._head, self._body, self._size, self._repeatable = None, [], 0, b""

    def _read(self, deadline: float | None, within_body: bool = False) -> bytes | None:
        link = self._link  # which another thread's close() may take away meanwhile
        if link is None:
            raise ConnectionLostError("the connection was closed")
        try:
            data = link.receive(deadline)
        except ConnectionLostError:
            if not self._may_repeat():
                raise
            data = b""
        if data is None:
            return None
        if data:
            self.arrived_ns = link.arrived_ns
            # Adding up quadratically would hurt at a megabyte, but a body's read finds the
            # buffer empty, and a head is short.
            self._buffer = self._buffer + data if self._buffer else data
            return data
        if self._may_repeat():
            request = self._repeatable
            self.close()  # which forgets it, so that it is repeated only once
            self.ask_encoded(request)
            return self._read(deadline)
        if not within_body or self._left is not None or self._chunks is not None:
            raise ConnectionLostError("the server closed the connection before its answer ended")
        return data

    def _may_repeat(self) -> bool:
        """Whether a kept connection ended before the first byte of a GET's answer came."""
        return bool(self._repeatable) and self._head is None and not self._buffer

    def _forget(self) -> None:
        self._buffer, self._head, self._chunks, self._left = b"", None, None, None
        self._body, self._size = [], 0

"""What can be wrong with bytes.

    WireError
    |-- MessageError      not a message of ours: JSON, UTF-8, a missing field
    |-- CursorError       not a cursor or a channel name of the accepted form
    |-- HttpError         not an HTTP/1.1 head or chunk (RFC 9112)
    |-- CaptureError      not a capture file of ours (pcapng)
    `-- WebSocketError    RFC 6455 says to fail the connection; carries the close code
    HandshakeError        a handshake that must be refused; carries the HTTP status

Each says what was wrong and what is accepted. All are the *remote* side's fault: asking a codec
for something impossible (a negative length, say) is a :class:`ValueError` as usual.
"""


class WireError(Exception):
    """The root of everything that received bytes can do wrong."""


class MessageError(WireError):
    """The bytes are not a message."""


class CursorError(WireError):
    """A cursor or channel name has not the accepted form."""


class HttpError(WireError):
    """An HTTP head, a chunk or a length does not follow RFC 9112."""


class CaptureError(WireError):
    """A capture file is broken, or is none."""


class WebSocketError(WireError):
    """The WebSocket connection must be failed with ``code`` (RFC 6455, 7.1.7 and 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class HandshakeError(WireError):
    """The opening handshake must be refused with HTTP ``status`` (RFC 6455, 4.2.2)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

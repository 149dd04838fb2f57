"""A tunnel through a proxy (CONNECT; RFC 9110, 9.3.6).

A proxy reads a request that names the whole address, and passes on what it thinks is meant. Asked
for a tunnel (``CONNECT``) it opens one to a host and port, and passes bytes. As browsers do, plain
HTTP takes the first way, and what is encrypted or no HTTP the second.
"""

from clients.errors import CREDENTIALS, ConnectionLostError, RefusedError, UnexpectedAnswerError
from clients.net.connection import Connection
from clients.net.proxy_address import Proxy
from wire.errors import HttpError
from wire.http_head import END, LONGEST_HEAD, decode_response_head, encode_request


def open_tunnel(link: Connection, proxy: Proxy, authority: str, deadline: float) -> None:
    """Have the proxy to which ``link`` leads open a tunnel to ``authority``, which is host:port.

    Raises :class:`~clients.errors.RefusedError` with the proxy's status,
    :class:`~clients.errors.ConnectionLostError`, or UnexpectedAnswerError for what is no answer.
    """
    fields = (("Host", authority), *proxy.fields)
    link.send(encode_request("CONNECT", authority, fields), link.patience_s(deadline))
    said = b""
    while END not in said:
        data = link.receive(deadline)
        if data is None:
            raise ConnectionLostError(f"{proxy} did not answer CONNECT {authority} in time")
        if not data:
            raise ConnectionLostError(f"{proxy} closed the connection at CONNECT {authority}")
        said += data
        if not b"HTTP/".startswith(said[:5]) or len(said) > LONGEST_HEAD:
            raise UnexpectedAnswerError(f"{proxy} does not answer by HTTP: {said[:40]!r}")
    head, _, rest = said.partition(END)
    try:
        answer = decode_response_head(head + END)
    except HttpError as error:
        raise UnexpectedAnswerError(f"{proxy} does not answer by HTTP: {error}") from error
    if not 200 <= answer.status < 300:
        hint = f"; {CREDENTIALS}" if answer.status == 407 else ""
        detail = f"so {proxy} answers CONNECT {authority}{hint}"
        raise RefusedError(answer.status, answer.reason or "refused", detail)
    if rest:
        raise UnexpectedAnswerError(f"{proxy} says {rest[:40]!r} before anybody was asked")

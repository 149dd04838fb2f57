"""What can go wrong between a client and its server.

::

    ClientError                   the root: catch this one
    |-- ConnectionLostError       the connection ended, and the reconnects allowed were used up
    |   `-- UnreachableError      no connection could be made at all: does a server listen?
    |-- RefusedError              the server said no; carries status, title and detail
    |-- UnexpectedAnswerError     the server said something that is not of the contract
    |-- UntrustedError            who answers by TLS is not surely whom the address names
    `-- ClosedError               the caller closed this client and then used it
"""

import contextlib

from wire.errors import MessageError
from wire.http_head import ResponseHead
from wire.message import load_json
from wire.terminal import visible

CREDENTIALS = "credentials go into the proxy's address: http://user:password@host:port"
PROBLEM_TYPE = "application/problem+json"


class ClientError(Exception):
    """Something went wrong; the message says what, where and, where known, what helps.

    It may quote the server, and be printed by anybody: it is one line that steers no terminal.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(visible(message))


class ConnectionLostError(ClientError):
    """The connection ended before its time; receiving may be tried again from the cursor."""


def silence(seconds: float) -> ConnectionLostError:
    """Make the error of a stream or socket on which not even a head came within ``seconds``."""
    return ConnectionLostError(
        f"the server said nothing for {seconds:g} s, not even that it heard; something in between "
        "may be buffering what it says"
    )


class UnreachableError(ConnectionLostError):
    """Nobody answered at ``host:port``: nothing was sent, so nothing can be half-done."""

    def __init__(self, message: str, host: str, port: int) -> None:
        super().__init__(message)
        self.host = host
        self.port = port


class RefusedError(ClientError):
    """The server refused: ``status`` (or WebSocket close code), ``title`` and ``detail`` tell why.

    ``retry_after_s`` is set where it asked to come again later (RFC 9110, 10.2.3).
    """

    def __init__(
        self, status: int, title: str, detail: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{status} {title}: {detail}" if detail else f"{status} {title}")
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after_s = retry_after_s


class UnexpectedAnswerError(ClientError):
    """The answer is not what this technique's server would say; is the address right?"""


class UntrustedError(ClientError):
    """The certificate is of an authority that is not trusted, for another name, or out of date."""


class ClosedError(ClientError):
    """This client was closed."""


def refused(head: ResponseHead, body: bytes) -> RefusedError:
    """Make the error of a refusing answer; its body is a problem (RFC 9457) or anything else."""
    if head.status == 407:  # a proxy's own, whose page says nothing that would help
        return RefusedError(407, head.reason, CREDENTIALS)
    after = head.fields.get("retry-after", "")
    # The date form of Retry-After would need wall clocks that agree; only seconds are read.
    wait = float(after) if after.isascii() and after.isdigit() else None
    title = head.reason or "refused"
    if head.fields.get("content-type", "").lower().startswith(PROBLEM_TYPE):
        with contextlib.suppress(MessageError):  # the status says enough
            return refused_for(load_json(body), head.status, title, wait)
    return RefusedError(head.status, title, body[:200].decode(errors="replace").strip(), wait)


def refused_for(
    problem: object, status: int = 400, title: str = "refused", retry_after_s: float | None = None
) -> RefusedError:
    """Make the error of a problem's members; ``status`` and ``title`` where it has none."""
    members = problem if isinstance(problem, dict) else {}
    said = members.get("status")
    return RefusedError(
        said if isinstance(said, int) else status,
        str(members.get("title", title)),
        str(members.get("detail", "")),
        retry_after_s,
    )


def refusal_in(line: bytes | str) -> RefusedError | None:
    """Make the error of a problem that came down among the messages; of a message, nothing."""
    if isinstance(line, str):
        is_problem = line.startswith('{"problem":')
    else:
        is_problem = line.startswith(b'{"problem":')
    return refused_for(load_json(line)["problem"]) if is_problem else None

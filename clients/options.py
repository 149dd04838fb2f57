"""What goes into every client besides server and channel, and what comes out of sending."""

from typing import NamedTuple, TypedDict

from clients.net.headers import Fields


class Receipt(NamedTuple):
    """What the server said of a published message."""

    id: int
    cursor: str


class Options(TypedDict, total=False):
    """What every client can be told besides server and channel.

    ``after`` resumes behind a cursor, else it starts from now. ``name`` announces presence and
    is the default sender. ``dial`` is a (host, port) to connect to instead of the URL's, a relay
    for instance. ``headers`` is a profile of :mod:`clients.net.headers`, ``extra_headers`` pairs of
    name and value. ``reconnects`` bounds how often in a row a lost connection is tried again;
    without ``jitter`` all wait the same time before it, which is how herds are made; ``timeout``
    (seconds) bounds connecting, handshakes and sending.
    """

    after: str | None
    name: str | None
    dial: tuple[str, int] | None
    headers: str
    extra_headers: Fields
    reconnects: int
    jitter: bool
    timeout: float

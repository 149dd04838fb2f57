"""Where the engine is: what its address may look like, and how it is shown and connected to.

    valkey://[USER:PASSWORD@]HOST[:PORT][/DB]      valkeys:// by TLS      unix:///PATH

An engine that is asked by TLS must prove the name by which it is called.
"""

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from valkey.asyncio import BlockingConnectionPool, SSLConnection, Valkey
from valkey.asyncio.retry import Retry
from valkey.backoff import NoBackoff
from valkey.exceptions import ConnectionError as LostConnection
from valkey.exceptions import MasterDownError, ReadOnlyError
from valkey.exceptions import TimeoutError as LateAnswer

# What tells that the engine, or our way to it, is not what it was: connect anew, and look.
AWAY = (LostConnection, LateAnswer, ReadOnlyError, MasterDownError, OSError)
CONNECT_S = 1.0
_OLDER_NAMES = {"redis": "valkey", "rediss": "valkeys"}  # of the same protocol
# What may stand behind ``?``, as the client library takes it.
_OPTIONS = {"db", "password", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


class _Secured(SSLConnection):
    """A connection by TLS; all that trust the same share it.

    To read the system's authorities takes some 40 ms, and each connection would do it anew while
    all others wait, so that on a busy machine none would be there in time.
    """

    _trusting: ClassVar[dict[tuple[Any, ...], Any]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        own = self.ssl_context
        trusted = own.ca_certs, own.certfile, own.keyfile, own.check_hostname
        self.ssl_context = self._trusting.setdefault(trusted, own)


def check(url: str) -> str:
    """Return the address as it is used.

    Raises :class:`ValueError` that says what is accepted, and shows no password.
    """
    scheme, colon, rest = url.partition(":")
    address = f"{_OLDER_NAMES.get(scheme, scheme)}{colon}{rest}"
    try:
        parts = urlsplit(address)
        is_known = parts.hostname if parts.scheme in ("valkey", "valkeys") else parts.path
        asked = {name for name, _ in parse_qsl(parts.query, strict_parsing=bool(parts.query))}
        if is_known and parts.port != 0 and asked <= _OPTIONS:
            Valkey.from_url(address)
            return address
    except ValueError:
        pass
    raise ValueError(
        "the address of a shared log is valkey://HOST:PORT, valkeys://HOST:PORT (TLS) or "
        "unix:///PATH, perhaps with USER:PASSWORD@ before the host, and behind ? perhaps "
        + ", ".join(sorted(_OPTIONS))
    )


def shown(url: str) -> str:
    """Return the address without what is secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def connect(url: str, patience_s: float) -> Valkey:
    """Return a client with one connection, which it makes when it is used.

    It waits so long for an answer, and never repeats a command: that might count twice, as it may
    be only the answer that was lost.
    """
    proof = {"ssl_check_hostname": True} if url.startswith("valkeys:") else {}
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=1,
        timeout=2 * patience_s,  # for those before us
        retry=Retry(NoBackoff(), 0),
        socket_timeout=patience_s,
        socket_connect_timeout=CONNECT_S,
        **proof,
    )
    if url.startswith("valkeys:"):
        pool.connection_class = _Secured
    return Valkey.from_pool(pool)

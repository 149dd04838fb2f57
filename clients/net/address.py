"""Where a server is, and which way to go there.

The URL says what the server is called: ``Host``, ``Origin`` and the path. ``dial`` may name
another place to connect to, a relay or a proxy, without the request showing it.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """A server's name (``host``, ``port``, path ``prefix``) and where to ``dial``."""

    host: str
    port: int
    prefix: str
    dial: tuple[str, int]

    @property
    def authority(self) -> str:
        """The value of ``Host`` (RFC 9110, 7.2): the port only where it is not 80."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """What a page of this server sends as ``Origin`` (RFC 6454, 7)."""
        return f"http://{self.authority}"

    def target(self, path: str, **query: str | int | None) -> str:
        """Return the request target of ``path`` with the ``query`` members that are not None."""
        kept = {name: value for name, value in query.items() if value is not None}
        return f"{self.prefix}{path}?{urlencode(kept)}" if kept else self.prefix + path


@lru_cache(maxsize=256)  # a load test's users share one object
def parse_address(url: str, dial: tuple[str, int] | None = None) -> Address:
    """Read ``http://host[:port][/prefix]``.

    Raises :class:`ValueError` for any other form.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
        parts = parts._replace(scheme="")
    if parts.scheme not in ("http", "ws") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is no server's address; accepted is http://host:port[/prefix]")
    port = 80 if port is None else port
    return Address(parts.hostname, port, parts.path.rstrip("/"), dial or (parts.hostname, port))

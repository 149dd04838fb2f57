"""Where a server is, and which way to go there.

The URL says what the server is called: ``Host``, ``Origin`` and the path. ``dial`` may name
another place to connect to, a relay or a proxy, without the request showing it.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlencode, urlsplit

from clients.net.proxy_address import Proxy, parse_proxy

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's name (``scheme``, ``host``, ``port``, path ``prefix``) and the way there.

    ``way`` is a place to connect to instead of the named one or of the ``proxy``'s; ``cafile`` has
    the certificates of whom to trust.
    """

    host: str
    port: int
    prefix: str = ""
    way: tuple[str, int] | None = None
    scheme: str = "http"
    cafile: str | None = None
    proxy: Proxy | None = None

    @property
    def dial(self) -> tuple[str, int]:
        """Host and port to connect to."""
        if self.way is None and self.proxy is not None:
            return self.proxy.host, self.proxy.port
        return self.way or (self.host, self.port)

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    @property
    def is_tunnelled(self) -> bool:
        """Whether a proxy is asked for a tunnel, and not for pages."""
        return self.proxy is not None and (self.is_secure or bool(self.proxy.tunnel))

    def tunnelled(self) -> "Address":
        """Return the address for what is no plain HTTP: through a tunnel, if nothing else was told.

        So do browsers with a WebSocket.
        """
        if self.proxy is None or self.proxy.tunnel is not None:
            return self
        return replace(self, proxy=replace(self.proxy, tunnel=True))

    @property
    def place(self) -> str:
        """``host:port``, as a tunnel is asked for."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """The value of ``Host`` (RFC 9110, 7.2): the port only where it is not the scheme's."""
        place = self.place
        return place.rpartition(":")[0] if self.port == _PORTS[self.scheme] else place

    @property
    def origin(self) -> str:
        """What a page of this server sends as ``Origin`` (RFC 6454, 7)."""
        return f"{self.scheme}://{self.authority}"

    def target(self, path: str, **query: str | int | None) -> str:
        """Return the request target of ``path`` with the ``query`` members that are not None."""
        kept = {name: value for name, value in query.items() if value is not None}
        return f"{self.prefix}{path}?{urlencode(kept)}" if kept else self.prefix + path

    def said(self, target: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return a target as it is to be sent, and the fields that go with it.

        A proxy that opens no tunnel wants to know the whole address (RFC 9112, 3.2.2).
        """
        if self.proxy is None or self.is_tunnelled:
            return target, ()
        return self.origin + target, self.proxy.fields


@lru_cache(maxsize=256)  # a load test's users share one object
def parse_address(
    url: str,
    dial: tuple[str, int] | None = None,
    cafile: str | None = None,
    proxy: str | None = None,
    tunnel: bool | None = None,
) -> Address:
    """Read ``http://host[:port][/prefix]``, or ``https://``; ``ws`` and ``wss`` are the same.

    ``proxy`` is as :func:`~clients.net.proxy_address.parse_proxy` reads it. Raises
    :class:`ValueError` for any other form.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
        parts = parts._replace(scheme="")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            f"{url!r} is no server's address; accepted is http://host:port[/prefix], or https://"
        )
    return Address(
        parts.hostname,
        _PORTS[scheme] if port is None else port,
        parts.path.rstrip("/"),
        dial,
        scheme,
        cafile,
        parse_proxy(proxy, tunnel) if proxy else None,
    )

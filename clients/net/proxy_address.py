"""Where a proxy is, and who asks it."""

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

ENVIRONMENT = "environment"  # in the place of an address: what its variables say
_ACCEPTED = f"accepted is http://[user:password@]host:port, or {ENVIRONMENT!r} for its variables"


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is, and how it is used.

    ``fields`` go with what is said to it; ``tunnel`` is true to have it open a tunnel for plain
    requests, too, and false to ask by absolute form wherever that can be.
    """

    host: str
    port: int
    fields: tuple[tuple[str, str], ...] = ()
    tunnel: bool | None = None

    def __str__(self) -> str:
        """Name its place, and no secret."""
        return f"the proxy {self.host}:{self.port}"


def parse_proxy(text: str, tunnel: bool | None = None) -> Proxy:
    """Read ``http://[user:password@]host:port``; raises :class:`ValueError` for anything else."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    shown = text.rpartition("@")[2]  # a password is nobody's to read
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query:
        raise ValueError(f"{shown!r} is no proxy's address; {_ACCEPTED}")
    fields: tuple[tuple[str, str], ...] = ()
    if parts.username is not None:
        said = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        fields = (("Proxy-Authorization", f"Basic {base64.b64encode(said).decode()}"),)
    return Proxy(host, port, fields, tunnel)


def proxy_of_environment(scheme: str, host: str) -> str | None:
    """Return the address that ``http_proxy``, ``https_proxy``, ``all_proxy`` name, if any.

    ``no_proxy`` names hosts that are reached without one.
    """
    from urllib.request import getproxies_environment, proxy_bypass

    proxies: dict[str, str] = getproxies_environment()
    if not proxies or proxy_bypass(host):
        return None
    return proxies.get(scheme) or proxies.get("all")

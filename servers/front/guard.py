"""Which pages may talk to this server: cross-site requests are refused.

A browser sends cookies along with requests that a foreign page makes, and neither a WebSocket
handshake nor a form asks the server first (cross-site WebSocket hijacking and request forgery).
What a browser does always say is ``Host``, and ``Origin``, or ``Sec-Fetch-Site`` where a page is
embedded. All are for *authorising pages*: programs can write there what they like.
"""

import re
from collections.abc import Iterable, Mapping

from servers.front.hosts import Hosts, is_word
from servers.front.problems import Problem

ANY = "*"
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def read_origin(text: str) -> str:
    """Return an origin as browsers write it (RFC 6454, 6.2): lower case, no default port.

    ``null`` and ``*`` are returned as they are. Raises :class:`ValueError` for what no page's
    origin can be.
    """
    origin = text.strip().lower().rstrip("/")
    if origin in ("null", ANY):
        return origin
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise ValueError(
            f"{text!r} is no origin; accepted are SCHEME://HOST[:PORT], such as "
            "https://example.org (no path, no pattern), null, or * for all"
        )
    return f"{match[1]}://{_without_default_port(match[1], origin.partition('://')[2])}"


def _without_default_port(scheme: str, host: str) -> str:
    return host.removesuffix(_DEFAULT_PORT.get(scheme, " "))


class Guard:
    """Lets in programs (no ``Origin``), pages of this server, and pages of ``allowed`` origins.

    ``allowed`` holds origins such as ``https://example.org``; ``*`` switches the checks off.
    ``hosts`` are names of this server besides those that nobody else can have.
    """

    def __init__(self, allowed: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(map(read_origin, allowed))
        self._off = ANY in self._allowed
        self._hosts = Hosts(hosts)

    def check(self, fields: Mapping[str, str]) -> str | None:
        """Return a foreign but allowed origin, else ``None``; ``fields`` has lower-case names.

        Raises :class:`~servers.front.problems.Problem` 403.
        """
        host = fields.get("host", "")
        origin = fields.get("origin")
        if origin is not None:
            origin = origin.lower()
            if _is_own(origin, host):
                self._check_host(fields)
                return None
            # An origin is ASCII (RFC 6454, 6.2), and what is let in stands in the answer's head.
            if (self._off and origin.isascii()) or origin in self._allowed:
                return origin
            raise Problem(
                403,
                f"pages of {origin[:100]} may not use this server; accepted are its own pages "
                "and origins named with --allow-origin",
            )
        # A frame or an image is fetched without Origin, but newer browsers say where it stands.
        # Following a link from another site to a whole page is harmless and stays possible.
        site = fields.get("sec-fetch-site", "none")
        embedded = fields.get("sec-fetch-dest", "document") != "document"
        if embedded and site not in ("none", "same-origin") and not self._off:
            raise Problem(403, "this server's answers may not be embedded in pages of other sites")
        self._check_host(fields)
        return None

    def _check_host(self, fields: Mapping[str, str]) -> None:
        host = fields.get("host", "")
        if self._off or self._hosts.accepts(host):
            return
        # A program may call us by a word, as a container is called; nobody lures it to a page.
        if is_word(host) and _is_program(fields):
            return
        raise Problem(
            403,
            f"this server is not asked by the name {host[:100]}; accepted are its addresses, "
            "localhost, its own name, and names given with --allow-host",
        )

    def knows(self, fields: Mapping[str, str]) -> bool:
        """Whether a request that passed the check was surely not made by a foreign page.

        Such a page may follow a link to us, and over plain HTTP to anything but loopback
        browsers leave the Sec-Fetch fields out, so it may embed us as well. Then ``Referer``
        tells, and a browser that sends none is not known; programs are.
        """
        if self._off or "origin" in fields or _is_program(fields):
            return True
        if "sec-fetch-site" in fields:
            return fields["sec-fetch-site"] in ("same-origin", "none")
        scheme, _, rest = fields.get("referer", "").lower().partition("://")
        origin = f"{scheme}://{rest.partition('/')[0]}"
        return _is_own(origin, fields.get("host", "")) or origin in self._allowed


def _is_program(fields: Mapping[str, str]) -> bool:
    marks = ("origin", "sec-fetch-site", "referer")
    is_browser = fields.get("user-agent", "").startswith("Mozilla/")
    return not is_browser and not any(mark in fields for mark in marks)


def _is_own(origin: str, host: str) -> bool:
    # http and https alike: a proxy in front may have taken the TLS off.
    scheme, _, named = origin.partition("://")
    if scheme not in _DEFAULT_PORT or not named:
        return False
    return _without_default_port(scheme, named) == _without_default_port(scheme, host.lower())

"""Which pages may talk to this server: cross-site requests are refused.

A browser sends cookies along with requests that a foreign page makes, and neither a WebSocket
handshake nor a form asks the server first (cross-site WebSocket hijacking and request forgery).
What a browser does always say is ``Origin``, or ``Sec-Fetch-Site`` where a page is embedded. Both
are for *authorising pages*: programs can write there what they like.
"""

from collections.abc import Mapping

from servers.front.problems import Problem

ANY = "*"


class Guard:
    """Lets in programs (no ``Origin``), pages of this server, and pages of ``allowed`` origins.

    ``allowed`` holds origins such as ``https://example.org``; ``*`` switches the check off.
    """

    def __init__(self, allowed: frozenset[str] = frozenset()) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        self._off = ANY in allowed

    def check(self, fields: Mapping[str, str]) -> str | None:
        """Return a foreign but allowed origin, else ``None``; ``fields`` has lower-case names.

        Raises :class:`~servers.front.problems.Problem` 403.
        """
        origin = fields.get("origin")
        if origin is not None:
            origin = origin.lower()
            # http and https alike: a proxy in front may have taken the TLS off.
            _, _, host = origin.partition("://")
            if host and host == fields.get("host", "").lower():
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
        if embedded and site not in ("none", "same-origin") and not (self._off or self._allowed):
            raise Problem(403, "this server's answers may not be embedded in pages of other sites")
        return None

"""Which header fields a client sends: the heads are what polling pays for.

* ``lean``: only what the request needs, which is ``Host`` and little more;
* ``browser``: what today's Chromium sends with a page's own request;
* ``heavy``: the same and cookies, as many as make request head and response head of a poll
  :data:`HEAVY_BYTES` together: the figure of the classic comparison, Lubbers and Greco's "HTML5
  Web Sockets: A Quantum Leap in Scalability for the Web".
"""

from dataclasses import dataclass

from clients.net.address import Address

HEAVY_BYTES = 871
Fields = tuple[tuple[str, str], ...]
PROFILES = ("lean", "browser", "heavy")
# The head of an empty answer, before one was seen.
_FIRST_GUESS = 150
_COOKIE = "session=6f1d; theme=dark; lang=en; _ga=GA1.1.1726354; consent=yes; cart=; visitor="
_BROWSER: Fields = (
    ("Connection", "keep-alive"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0"),
    ("Accept", "*/*"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Dest", "empty"),
    ("Accept-Encoding", "identity"),
    ("Accept-Language", "en-GB,en;q=0.9"),
)


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of every request; ``padded_to`` is the size asked of both heads together."""

    fields: Fields
    padded_to: int | None = None

    def cookie(self, request_bytes: int, response_bytes: int) -> Fields:
        """Return the Cookie field that fills the two heads up, or none."""
        if self.padded_to is None:
            return ()
        response_bytes = response_bytes or _FIRST_GUESS
        size = self.padded_to - request_bytes - response_bytes - len("Cookie: \r\n")
        return (("Cookie", _COOKIE[:size].ljust(size, "x")),) if size > 0 else ()


def make_headers(profile: str, address: Address, extra: Fields = ()) -> Headers:
    """Return the fields of a profile, with the caller's ``extra`` ones after them.

    Raises :class:`ValueError` for a profile that does not exist.
    """
    if profile not in PROFILES:
        raise ValueError(f"headers {profile!r} do not exist; accepted are {', '.join(PROFILES)}")
    host = (("Host", address.authority),)
    if profile == "lean":
        return Headers((*host, *extra))
    page = (("Origin", address.origin), ("Referer", address.origin + "/"))
    padded_to = HEAVY_BYTES if profile == "heavy" else None
    return Headers((*host, *_BROWSER, *page, *extra), padded_to)

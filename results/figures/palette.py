"""One colour and one marker per technique, everywhere: figures, report, notebooks, web page.

Plain data, so that anything can read it. The techniques' own stand in the registry, and why they
are what they are.
"""

from wire.techniques import TECHNIQUES

# slug: (colour on white, matplotlib marker)
PALETTE: dict[str, tuple[str, str]] = {one.slug: (one.color, one.marker) for one in TECHNIQUES}

# (colour on white, matplotlib marker) of servers side by side, in the order of their names
SERVER_PALETTE: tuple[tuple[str, str], ...] = (
    ("#1B6CA8", "o"),
    ("#C0392B", "s"),
    ("#1E8449", "^"),
    ("#7D3C98", "D"),
    ("#B9770E", "v"),
    ("#117A8B", "P"),
    ("#922B5B", "X"),
    ("#5D6D7E", "*"),
    ("#A04000", "<"),
    ("#2E4053", ">"),
    ("#6E7B00", "p"),
    ("#D6336C", "h"),
)

# layer of bytes: (colour on white, hatch)
LAYER_PALETTE: dict[str, tuple[str, str]] = {
    "message": ("#1B4F72", ""),
    "framing": ("#D98324", "//"),
    "tls": ("#8E44AD", "\\\\"),
    "tls_handshake": ("#A569BD", "xx"),
    "tcp_ip_headers": ("#A6ACAF", ".."),
}

INK = "#1A1A1A"
FAINT = "#6B6B6B"
GRID = "#D9D9D9"
WARNING = "#A31515"


def color(slug: str) -> str:
    """Return the technique's colour as ``#RRGGBB``."""
    return PALETTE[slug][0]


def marker(slug: str) -> str:
    """Return the technique's matplotlib marker."""
    return PALETTE[slug][1]

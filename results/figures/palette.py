"""One colour and one marker per technique, everywhere: figures, report, notebooks, web page.

Plain data, so that anything can read it. The techniques' own stand in the registry, and why they
are what they are.
"""

from wire.techniques import TECHNIQUES

# slug: (colour on white, matplotlib marker)
PALETTE: dict[str, tuple[str, str]] = {one.slug: (one.color, one.marker) for one in TECHNIQUES}

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

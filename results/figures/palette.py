"""One colour and one marker per technique, everywhere: figures, report, notebooks, web page.

Plain data, so that anything can read it. The colours were chosen by search, starting from the
hues of Okabe and Ito's palette: as far apart as possible for full colour vision and for
protanopia, deuteranopia and tritanopia (Machado et al., 2009), each at least 3:1 against white
paper (WCAG 2.2, 1.4.11). Tests hold both. Markers tell them apart without any colour.
"""

# slug: (colour on white, matplotlib marker)
PALETTE: dict[str, tuple[str, str]] = {
    "page_reload": ("#565753", "s"),
    "frame_reload": ("#58371C", "D"),
    "polling": ("#919738", "o"),
    "plugin_socket": ("#8C2593", "P"),
    "forever_frame": ("#FC2B1B", "^"),
    "long_polling": ("#14965E", "v"),
    "sse": ("#0075C9", "X"),
    "web_socket": ("#013252", "*"),
}

# layer of bytes: (colour on white, hatch)
LAYER_PALETTE: dict[str, tuple[str, str]] = {
    "message": ("#1B4F72", ""),
    "framing": ("#D98324", "//"),
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

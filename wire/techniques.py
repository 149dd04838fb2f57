"""The techniques, in the order in which the web found them: the one registry.

A slug names a module in ``servers``, ``clients`` and ``loadtests``, a URL path, a browser module
and a value of the ``technique`` column. What else there is to know of a technique from outside
of its own files stands here, once: all other rooms, the figures and the page ask this list.
"""

import argparse
import difflib
from dataclasses import dataclass
from enum import StrEnum


class Delivery(StrEnum):
    """When a message comes down."""

    TIMER = "timer"  # the client asks on a timer, whether there is something or not
    REQUEST = "request"  # each answer is held until there is something; then the client asks again
    STREAM = "stream"  # something stays open, and message after message comes on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One row of the grid.

    ``idea`` says what made it possible; ``down`` and ``up`` say in a few words how a message
    travels from server to client and back, ``delivery`` when it comes down; ``source`` names the
    document that defines or describes it. ``codec`` is the module of :mod:`wire` that writes its
    bytes; a technique without one sends pages, which are read as people read them. ``color`` (on
    white paper) and ``marker`` (a letter of matplotlib's) mean this technique in every picture.
    """

    slug: str
    title: str
    year: int
    idea: str
    down: str
    up: str
    source: str
    delivery: Delivery
    codec: str | None
    color: str
    marker: str
    two_way: bool = False  # messages go up on the connection on which they come down
    own_port: bool = False  # raw TCP, on a port beside the pages'; one technique at most

    @property
    def asks(self) -> bool:
        """Whether the client asks on a timer."""
        return self.delivery is Delivery.TIMER

    @property
    def held(self) -> bool:
        """Whether the server keeps a request or socket open while nothing happens."""
        return not self.asks

    @property
    def streams(self) -> bool:
        """Whether message after message comes on what was opened once."""
        return self.delivery is Delivery.STREAM

    @property
    def reloads(self) -> bool:
        """Whether what comes down is a page, and what goes up a form."""
        return self.codec is None

    @property
    def class_stem(self) -> str:
        """How the names of its classes begin: ``WebSocket`` of ``WebSocketClient``."""
        return self.slug.title().replace("_", "")


# The colours were chosen by search, starting from the hues of Okabe and Ito's palette: as far apart
# as possible for full colour vision and for protanopia, deuteranopia and tritanopia (Machado et
# al., 2009), each at least 3:1 against white paper (WCAG 2.2, 1.4.11). Tests hold both. Markers
# tell them apart without any colour.
TECHNIQUES: tuple[Technique, ...] = (
    Technique(
        slug="page_reload",
        title="Page reload",
        year=1995,
        idea="the document web, meta refresh",
        down="whole page again",
        up="form POST, redirect",
        source="Netscape 1.1 client pull; WHATWG HTML 4.2.5.3",
        delivery=Delivery.TIMER,
        codec=None,
        color="#565753",
        marker="s",
    ),
    Technique(
        slug="frame_reload",
        title="Frame reload",
        year=1996,
        idea="frames and iframes",
        down="one frame again",
        up="form POST in its own frame",
        source="HTML 4.01, 16",
        delivery=Delivery.TIMER,
        codec=None,
        color="#58371C",
        marker="D",
    ),
    Technique(
        slug="polling",
        title="Polling",
        year=1999,
        idea="XMLHttpRequest or a hidden frame on a timer",
        down="short request, batch answer",
        up="POST",
        source="RFC 6202, 2.1",
        delivery=Delivery.TIMER,
        codec="batch",
        color="#919738",
        marker="o",
    ),
    Technique(
        slug="plugin_socket",
        title="Plugin socket",
        year=2000,
        idea="LiveConnect, Flash, Silverlight",
        down="raw TCP beside the page's port",
        up="same socket",
        source="Flash XMLSocket",
        delivery=Delivery.STREAM,
        codec="json_lines",
        color="#8C2593",
        marker="P",
        two_way=True,
        own_port=True,
    ),
    Technique(
        slug="forever_frame",
        title="Forever frame",
        year=2000,
        idea="a chunked page that never ends",
        down="one <script> per message",
        up="POST",
        source="RFC 6202, 3; RFC 9112, 7.1",
        delivery=Delivery.STREAM,
        codec="script_stream",
        color="#FC2B1B",
        marker="^",
    ),
    Technique(
        slug="long_polling",
        title="Long-polling",
        year=2005,
        idea="AJAX and Comet, the hanging GET",
        down="held request, batch answer",
        up="POST",
        source="RFC 6202, 2.2",
        delivery=Delivery.REQUEST,
        codec="batch",
        color="#14965E",
        marker="v",
    ),
    Technique(
        slug="sse",
        title="Server-Sent Events",
        year=2009,
        idea="EventSource",
        down="event stream",
        up="POST",
        source="WHATWG HTML, 9.2",
        delivery=Delivery.STREAM,
        codec="event_stream",
        color="#0075C9",
        marker="X",
    ),
    Technique(
        slug="web_socket",
        title="WebSocket",
        year=2011,
        idea="one socket, both ways",
        down="frames",
        up="same socket, text and binary",
        source="RFC 6455",
        delivery=Delivery.STREAM,
        codec="web_socket_frames",
        color="#013252",
        marker="*",
        two_way=True,
    ),
    Technique(
        slug="fetch_stream",
        title="Fetch streaming",
        year=2016,
        idea="fetch() and ReadableStream: an answer is read while it comes",
        down="lines of JSON in one answer",
        up="POST, also as the request that is answered",
        source="WHATWG Fetch, 2.2.4 (bodies); WHATWG Streams, 4",
        delivery=Delivery.STREAM,
        codec="line_stream",
        color="#9008F8",
        marker="<",
    ),
)

SLUGS: tuple[str, ...] = tuple(technique.slug for technique in TECHNIQUES)
BY_SLUG: dict[str, Technique] = {technique.slug: technique for technique in TECHNIQUES}
OWN_PORT: frozenset[str] = frozenset(one.slug for one in TECHNIQUES if one.own_port)


def newest_streams() -> tuple[str, str]:
    """Return the newest stream that goes one way and the newest that goes both, as slugs.

    Where a measurement is too long to be made of every stream, these two speak for all.
    """
    newest = {one.two_way: one.slug for one in TECHNIQUES if one.streams}
    return newest[False], newest[True]


def known(text: str) -> str:
    """Return ``text`` if it is a technique's slug, as the ``type`` of an argument.

    Else raises :class:`argparse.ArgumentTypeError`, with the slug that may have been meant.
    """
    if text in BY_SLUG:
        return text
    raise argparse.ArgumentTypeError(unknown(text))


def unknown(text: str) -> str:
    """Tell somebody who mistyped a technique's slug what is accepted."""
    close = difflib.get_close_matches(text.lower(), SLUGS, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{text!r} is no technique.{guess} There are {', '.join(SLUGS)}"


def listing() -> str:
    """Return the grid in lines of text, as helps print it."""
    lines = [
        f"  {one.slug:<14}  {one.year}  {one.title}: {one.down}; up by {one.up}"
        for one in TECHNIQUES
    ]
    return "\n".join(["techniques:", *lines])

"""The eight techniques, in the order in which the web found them.

This is the one registry: the same slug names a module in ``servers``, ``clients`` and
``loadtests``, a URL path, a browser module and a value of the ``technique`` column.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Technique:
    """One row of the grid.

    ``down`` and ``up`` say in a few words how a message travels from server to client and
    back; ``held`` is true where the server keeps a request or socket open while nothing
    happens; ``source`` names the document that defines or describes the technique.
    """

    slug: str
    title: str
    year: int
    idea: str
    down: str
    up: str
    codec: str | None
    held: bool
    source: str


TECHNIQUES: tuple[Technique, ...] = (
    Technique(
        "page_reload",
        "Page reload",
        1995,
        "the document web, meta refresh",
        "whole page again",
        "form POST, redirect",
        None,
        False,
        "Netscape 1.1 client pull; WHATWG HTML 4.2.5.3",
    ),
    Technique(
        "frame_reload",
        "Frame reload",
        1996,
        "frames and iframes",
        "one frame again",
        "form POST in its own frame",
        None,
        False,
        "HTML 4.01, 16",
    ),
    Technique(
        "polling",
        "Polling",
        1999,
        "XMLHttpRequest or a hidden frame on a timer",
        "short request, batch answer",
        "POST",
        "batch",
        False,
        "RFC 6202, 2.1",
    ),
    Technique(
        "plugin_socket",
        "Plugin socket",
        2000,
        "LiveConnect, Flash, Silverlight",
        "raw TCP beside the page's port",
        "same socket",
        "json_lines",
        True,
        "Flash XMLSocket",
    ),
    Technique(
        "forever_frame",
        "Forever frame",
        2000,
        "a chunked page that never ends",
        "one <script> per message",
        "POST",
        "script_stream",
        True,
        "RFC 6202, 3; RFC 9112, 7.1",
    ),
    Technique(
        "long_polling",
        "Long-polling",
        2005,
        "AJAX and Comet, the hanging GET",
        "held request, batch answer",
        "POST",
        "batch",
        True,
        "RFC 6202, 2.2",
    ),
    Technique(
        "sse",
        "Server-Sent Events",
        2009,
        "EventSource",
        "event stream",
        "POST",
        "event_stream",
        True,
        "WHATWG HTML, 9.2",
    ),
    Technique(
        "web_socket",
        "WebSocket",
        2011,
        "one socket, both ways",
        "frames",
        "same socket, text and binary",
        "web_socket_frames",
        True,
        "RFC 6455",
    ),
)

SLUGS: tuple[str, ...] = tuple(technique.slug for technique in TECHNIQUES)
BY_SLUG: dict[str, Technique] = {technique.slug: technique for technique in TECHNIQUES}

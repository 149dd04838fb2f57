"""Reading messages out of the reloaded page, as a browser's user would read the page.

``<main data-cursor data-gap>`` holds one ``<li value=ID data-message=JSON>`` for each message.
A page shows the last messages again and again; which of them are new, only ids can tell.

Tags are found as browsers find them (HTML, 13.2.5), but in one pass that never turns back: the
``html.parser`` of many a Python takes minutes for 60 kB of ``<a `` from a hostile server.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from clients.net import decoding
from wire.cursor import parse_cursor
from wire.errors import MessageError
from wire.message import Gap, Message

# The possessive quantifiers keep each of these from trying a text twice.
_OPENS: Final = re.compile(r"<(?:(?P<comment>!--)|[!?/]|(?P<name>[A-Za-z][^\s/>]*+))")
_REST: Final = re.compile(r"""(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])[^\s>]*+))*+>""")
_ATTRIBUTE: Final = re.compile(
    r"""(?P<name>[^\s/>=]++)\s*+(?:=\s*+(?:"(?P<a>[^"]*+)"|'(?P<b>[^']*+)'|(?P<c>[^\s>]*+)))?"""
)
_END: Final = re.compile(">")
_END_OF_COMMENT: Final = re.compile("--!?>")
_END_OF_TEXT: Final = {  # of elements whose text has no tags in it
    name: re.compile(rf"</{name}[\s/>]", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp")
}


@dataclass(frozen=True, slots=True)
class Page:
    """What one page shows: its messages, the cursor behind them, whether some are missing."""

    messages: tuple[Message, ...]
    cursor: str
    gap: bool

    def news(self, cursor: str | None) -> Sequence[Message | Gap]:
        """Return what is new to a reader who stood at ``cursor``; to one without, nothing is."""
        here = parse_cursor(self.cursor)
        if cursor is None:
            return ()
        if not self.gap:
            seen = parse_cursor(cursor).id
            return [message for message in self.messages if message.id > seen]
        last = self.messages[0].id - 1 if self.messages else here.id
        return [Gap(f"{here.epoch}-{last}"), *self.messages]


def _start_tags(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each start tag, and what stands behind it; an unfinished one is the end."""
    at = 0
    while opens := _OPENS.search(text, at):
        name, at = (opens["name"] or "").lower(), opens.end()
        if opens["comment"]:
            end = _END_OF_COMMENT.search(text, at - 2)  # <!--> is a whole comment
        elif not name:
            end = _END.search(text, at)
        elif end := _REST.match(text, at):
            yield name, text[at : end.end() - 1]
            if name in _END_OF_TEXT:
                end = _END_OF_TEXT[name].search(text, end.end())
        if end is None:
            return
        at = end.end()


def _attributes(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for found in _ATTRIBUTE.finditer(text):
        value = found["a"] or found["b"] or found["c"] or ""
        values.setdefault(found["name"].lower(), html.unescape(value))
    return values


@lru_cache(maxsize=64)  # see clients.net.decoding: the users of a load test share it
def _known_page(data: bytes) -> Page:
    return _parse(data)


def _parse(data: bytes) -> Page:
    cursor, gap = None, False
    messages: list[Message] = []
    try:
        for tag, text in _start_tags(data.decode()):
            if tag == "main":
                values = _attributes(text)
                cursor, gap = values.get("data-cursor"), values.get("data-gap") == "true"
            elif tag == "li" and (json := _attributes(text).get("data-message")):
                item = decoding.message(json)
                if isinstance(item, Message):
                    messages.append(item)
    except ValueError as error:  # no UTF-8; or &#...; with more digits than Python counts
        raise MessageError(f"not a page of messages: {error}") from None
    if cursor is None:
        raise MessageError("a page of messages has <main data-cursor=...>")
    return Page(tuple(messages), cursor, gap)


def parse_page(data: bytes) -> Page:
    """Read a page.

    Raises :class:`~wire.errors.MessageError`.
    """
    return _known_page(data) if len(data) <= 64 * 1024 else _parse(data)

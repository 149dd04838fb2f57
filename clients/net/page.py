"""Reading messages out of the reloaded page, as a browser's user would read the page.

``<main data-cursor data-gap>`` holds one ``<li value=ID data-message=JSON>`` for each message.
A page shows the last messages again and again; which of them are new, only ids can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser

from clients.net import decoding
from wire.cursor import parse_cursor
from wire.errors import MessageError
from wire.message import Gap, Message


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


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cursor: str | None = None
        self.gap = False
        self.messages: list[Message] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "main":
            self.cursor = values.get("data-cursor")
            self.gap = values.get("data-gap") == "true"
        elif tag == "li" and (json := values.get("data-message")):
            item = decoding.message(json)
            if isinstance(item, Message):
                self.messages.append(item)


@lru_cache(maxsize=64)  # see clients.net.decoding: the users of a load test share it
def _known_page(html: bytes) -> Page:
    return _parse(html)


def _parse(html: bytes) -> Page:
    parser = _PageParser()
    try:
        parser.feed(html.decode())
        parser.close()
    except (UnicodeDecodeError, AssertionError) as error:  # html.parser asserts some markup
        raise MessageError(f"not a page of messages: {error}") from None
    if parser.cursor is None:
        raise MessageError("a page of messages has <main data-cursor=...>")
    return Page(tuple(parser.messages), parser.cursor, parser.gap)


def parse_page(html: bytes) -> Page:
    """Read a page.

    Raises :class:`~wire.errors.MessageError`.
    """
    return _known_page(html) if len(html) <= 64 * 1024 else _parse(html)

"""What page and frame reload share: HTML down, forms up."""

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlencode, urljoin, urlsplit

from clients.client import Item
from clients.errors import UnexpectedAnswerError, refused
from clients.kinds.ticking_client import TickingClient
from clients.net.address import parse_address
from clients.net.http import Answer
from clients.net.page import parse_page
from clients.options import Receipt
from wire.message import Body

_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)


class ReloadClient(TickingClient):
    """Loads ``path`` on every tick and picks out what is new; posts forms to the same path."""

    __slots__ = ()
    path: ClassVar[str]

    def _target(self) -> str:
        return self.address.target(
            self.path, channel=self.channel, after=self._cursor, name=self.name
        )

    def _take(self, answer: Answer) -> Sequence[Item]:
        if answer.head.status != 200:
            raise refused(answer.head, answer.body)
        page = parse_page(answer.body)
        news = page.news(self._cursor)
        self._cursor = page.cursor
        if news:
            self.arrived_ns, self.asked_ns = self._down.arrived_ns, self._down.asked_ns
        return news

    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        """Submit a form and load what the answer redirects to, as a browser does.

        There is no receipt: a form is answered by a page. Bytes go by ``POST /publish``, since
        a form of this kind carries text.
        """
        if isinstance(body, bytes):
            return super().send(body, sender=sender, sent_ns=sent_ns)
        fields = {"text": body, "channel": self.channel, "sender": sender or self.name or ""}
        if sent_ns is not None:
            fields["sent_ns"] = str(sent_ns)
        target = self.address.target(self.path)
        answer = self._post(target, urlencode(fields).encode(), _FORM, 303)
        path = self._own_path(answer.head.fields.get("location", ""))
        # POST, redirect, GET: so that reloading does not submit the form again. The query is
        # our own, since the form's sender need not be the one who is present here.
        query = urlencode({"channel": self.channel, **({"name": self.name} if self.name else {})})
        self._ask_up("GET", f"{path}?{query}")
        return None

    def _own_path(self, location: str) -> str:
        """Return the path of a redirection to the technique's own pages; others took no form."""
        address = self.address
        try:
            to = urlsplit(urljoin(address.origin + address.target(self.path), location))
            there = parse_address(f"{to.scheme}://{to.netloc}")
            is_here = (there.host, there.port) == (address.host.lower(), address.port)
        except ValueError:  # no address at all
            to, is_here = urlsplit(""), False
        own = to.path.removeprefix(address.prefix)
        if not (location and is_here and f"{own}/".startswith(f"{self.path}/")):
            raise UnexpectedAnswerError(
                f"a form is answered by a redirection to {self.path}, not to {location[:100]!r}"
            )
        return to.path

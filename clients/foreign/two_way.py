"""WebSocket to a server that is not ours."""

from collections.abc import Sequence
from typing import Unpack

from clients.client import Client, Item
from clients.errors import ConnectionLostError, UnexpectedAnswerError
from clients.foreign.finding import Finder
from clients.foreign.peer_file import Subscribe
from clients.net.headers import Headers
from clients.net.web_socket_connection import WebSocketConnection
from clients.options import Options, Receipt
from wire.message import Body
from wire.web_socket_messages import Binary, Pong


class ForeignSocket(Client):
    """Opens, says what has to be said first, and answers what has to be answered."""

    __slots__ = ("_early", "_opened", "_socket", "finder", "how")
    technique = "web_socket"

    def __init__(self, url: str, how: Subscribe, **options: Unpack[Options]) -> None:
        self.how = how
        self.finder = Finder(how.place, how.split)
        self._socket: WebSocketConnection | None = None
        self._opened = 0
        self._early: list[Item] = []
        super().__init__(url, **options)

    @property
    def requests(self) -> int:
        return self._opened

    def _open(self) -> None:
        self._opened += 1
        fields = (*self._headers.fields, *self.how.headers)
        self._socket = WebSocketConnection(
            self.address,
            self.address.target(self.how.path),
            headers=Headers(fields, self._headers.padded_to),
            traffic=self._traffic,
            protocols=self.how.protocols,
            timeout=self._timeout,
        )
        self._early = []
        for wanted, say in self.how.open:
            if wanted:
                self._await(self._socket, wanted)
            if say:
                self._socket.send(say)

    def _await(self, socket: WebSocketConnection, wanted: str) -> None:
        limit, came = self._limit(), ""
        while (events := socket.events(limit)) is not None:
            texts = _texts(events)
            for at, text in enumerate(texts):
                if text.startswith(wanted):
                    self._early += self._take(socket, texts[at + 1 :])
                    return
                came = came or text
        said = f"only {came[:80]!r} came" if came else "nothing came"
        raise UnexpectedAnswerError(f"{wanted!r} was awaited for {self._timeout:g} s, but {said}")

    def _read(self, deadline: float | None) -> Sequence[Item] | None:
        if self._early:
            early, self._early = self._early, []
            return early
        socket = self._socket
        if socket is None:
            raise ConnectionLostError("there is no connection now; receiving makes it again")
        if (events := socket.events(deadline)) is None:
            return None
        return self._take(socket, _texts(events))

    def _take(self, socket: WebSocketConnection, texts: Sequence[str]) -> list[Item]:
        items: list[Item] = []
        for text in texts:
            if (answer := self.how.reply.get(text)) is not None:
                socket.send(answer)
            else:
                items += self.finder.find(text)
        self.arrived_ns = socket.arrived_ns
        return items

    def send(
        self, body: Body, *, sender: str | None = None, sent_ns: int | None = None
    ) -> Receipt | None:
        raise ValueError("a foreign server is published to beside its subscribers")

    def _shut(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()


def _texts(events: Sequence[object]) -> list[str]:
    found = []
    for event in events:
        if isinstance(event, Binary):
            found.append(event.data.decode(errors="replace"))
        elif not isinstance(event, Pong):
            found.append(str(getattr(event, "text", "")))
    return found

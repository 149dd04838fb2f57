"""The two documents' own programs, spoken to: Olaru's WebSocket server, Granada's Socket.IO chat.

The place is the program's address, not our server's.
"""

import json
import re
from itertools import pairwise
from typing import Any

from clients.errors import ClientError, RefusedError
from clients.net.address import parse_address
from clients.net.desk import Desk
from clients.net.headers import make_headers
from clients.net.web_socket_connection import WebSocketConnection
from notebooks.course.experiments.place import Place

_PATIENCE_S = 5.0
_QUIET_S = 0.3
_ENGINE = "/socket.io/?EIO=4&transport="


def _dial(place: Place, path: str = "/", origin: str = "") -> WebSocketConnection:
    address = parse_address(place.url)
    extra = (("Origin", origin),) if origin else ()
    return WebSocketConnection(address, path, headers=make_headers("lean", address, extra))


def someone_left(place: Place, messages: int = 3, leavers: int = 1) -> int:
    """One says ``messages`` texts, then others come and leave one by one.

    Returns how often the first was told that someone left.
    """
    told = 0
    with _dial(place) as stays:
        for _ in range(messages):
            _ask(stays)
        for _ in range(leavers):
            with _dial(place) as leaves:
                leaves.ping()  # the server has it
            if stays.receive(_PATIENCE_S) is not None:
                stays.ping()  # all copies were written before its answer
                told += 1
                while stays.receive(0) is not None:
                    told += 1
    return told


def _ask(line: WebSocketConnection) -> None:
    line.send("Buna")
    if line.receive(_PATIENCE_S) != "Hello":
        raise ClientError("it did not say Hello")


def in_turn(place: Place, subscribers: int = 50) -> dict[str, Any]:
    """Let ``subscribers`` come one by one and speak once, and then another one leave.

    Returns how many were told later than the one that came after them (``overtaken``), and in how
    many ms the last of them was told after the first (``ms``).
    """
    lines = [_dial(place) for _ in range(subscribers)]
    for line in lines:
        _ask(line)
    _dial(place).close()
    arrived = []
    for line in lines:
        if line.receive(_PATIENCE_S) is None:
            raise ClientError("somebody was not told")
        arrived.append(line.arrived_ns)
    for line in lines:
        line.close()
    return {
        "overtaken": sum(earlier > later for earlier, later in pairwise(arrived)),
        "ms": round((max(arrived) - min(arrived)) / 1e6, 2),
    }


def origin(place: Place, origin: str) -> int:
    """Open a WebSocket as a page of ``origin`` would, and return the status of the answer."""
    try:
        with _dial(place, origin=origin):
            return 101
    except RefusedError as error:
        return error.status


class _Person:
    """Somebody in Granada's chat: Socket.IO in a WebSocket, in the namespace ``/test``."""

    def __init__(self, place: Place) -> None:
        self._line = _dial(place, _ENGINE + "websocket")
        self._early: list[str] = []  # what is said to who is not quite there yet
        self._await("0")
        self._line.send("40/test,")
        self._await("40/test,")

    def _await(self, wanted: str) -> None:
        while (text := self._hear(_PATIENCE_S)) is not None:
            if text.startswith(wanted):
                return
            self._early.append(text)
        raise ClientError(f"{wanted!r} was awaited, and did not come")

    def _hear(self, seconds: float) -> str | None:
        text = self._line.receive(seconds)
        if text == "2":  # its ping
            self._line.send("3")
        return None if text is None else str(text)

    def says(self, event: str, text: str = "") -> None:
        """Send an event."""
        self._line.send("42/test," + json.dumps([event, {"data": text}]))

    def hears(self) -> list[str]:
        """Return what the page would show, until there is silence."""
        texts, self._early, found = self._early, [], []
        while (text := self._hear(_QUIET_S)) is not None:
            texts.append(text)
        for text in texts:
            if text.startswith("42/test,"):
                _, said = json.loads(text.removeprefix("42/test,"))
                found.append(f"Recibido #{said['count']}: {said['data']}")
        return found

    def leaves(self) -> None:
        """End the connection."""
        self._line.close()


def chat(place: Place) -> dict[str, list[str]]:
    """Let two people chat, and return what each page would show."""
    ana, ion = _Person(place), _Person(place)
    shown: dict[str, list[str]] = {"Ana": ana.hears(), "Ion": ion.hears()}
    for who, event, text in (
        (ana, "my_user", "Ana"),
        (ion, "my_user", "Ion"),
        (ana, "my_event", "¿Hola?"),
        (ion, "my_broadcast_event", "Bună!"),
    ):
        who.says(event, text)
        shown["Ana"] += ana.hears()
        shown["Ion"] += ion.hears()
    ana.leaves()
    ion.leaves()
    return shown


def answers_to(place: Place, events: list[str]) -> dict[str, int]:
    """Send each event, and return how many answers came."""
    found = {}
    for event in events:
        person = _Person(place)
        person.hears()  # the greeting
        person.says(event, "hola")
        found[event] = len(person.hears())
        person.leaves()
    return found


def transports(place: Place) -> list[dict[str, str]]:
    """Connect in both ways, and return for each what the page says and what it is."""
    found = []
    with Desk(place.url) as desk:
        page = desk.ask("GET", "/", 200).decode()
        label = re.findall(r"<b>(\w+)</b>", page)[-1]
        opened = json.loads(desk.ask("GET", _ENGINE + "polling", 200)[1:])
        found.append({"the page says": label, "it is": "polling"})
        found += [{"the page says": label, "it is": one} for one in opened["upgrades"]]
    return found


def plain_web_socket(place: Place) -> dict[str, str]:
    """Speak to a Socket.IO server as a plain WebSocket client does, and return what happened."""
    found = {}
    for door, path in (("any path", "/"), ("its own", _ENGINE + "websocket")):
        try:
            with _dial(place, path) as line:
                found[door] = f"opened, greets with {str(line.receive(_PATIENCE_S))[:6]!r}"
                line.send("hola")
                answer = line.receive(_PATIENCE_S)
                found[door] += f", answers hola with {answer!r}"
        except RefusedError as error:
            found[door] = f"refused with {error.status}"
        except ClientError:  # whatever it is that comes then, no WebSocket says it
            found[door] += ", ends at our first word"
    return found

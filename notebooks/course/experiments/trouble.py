"""Experiments with trouble: what is cut, frozen, stalled or silent, and what is lost by it."""

import threading
import time
from typing import Any

from clients.client import Client
from clients.errors import ConnectionLostError
from clients.net.address import parse_address
from clients.net.schedule import await_true
from clients.net.web_socket_connection import WebSocketConnection
from clients.web_socket import WebSocketClient
from notebooks.course.experiments.feed import feed
from notebooks.course.experiments.place import Place, fresh_channel, sleep_to
from wire.message import Message


def resume(
    place: Place, technique: str = "sse", with_ids: bool = True, rate: float = 20.0, count: int = 60
) -> dict[str, Any]:
    """Cut the connection in the middle of a feed; come back with the cursor, or without one.

    Returns ``received`` ids, ``published`` and ``down_s``, how long nobody listened.
    """
    channel = fresh_channel("resume")
    seen: list[int] = []
    client = place.open(technique, channel, reconnects=0)
    start = time.monotonic() + 0.1
    down_s = 0.0

    def publish() -> None:
        with place.sender(channel) as sender:
            for n in range(count):
                sleep_to(start + n / rate)
                sender.send("hola")

    publisher = threading.Thread(target=publish, daemon=True)
    cutter = threading.Timer(count / rate / 3, place.order, ("cut",))
    publisher.start()
    cutter.start()
    limit = start + count / rate + 1.5
    while time.monotonic() < limit and len(seen) < count:
        try:
            for item in client.receive_many(limit - time.monotonic()):
                seen += [item.id] if isinstance(item, Message) else []
        except ConnectionLostError:
            began, after = time.monotonic(), client.cursor if with_ids else None
            client.close()
            time.sleep(0.5)  # as a browser waits before it comes back
            client = place.open(technique, channel, reconnects=0, after=after)
            down_s = time.monotonic() - began
    publisher.join()
    client.close()
    return {"received": seen, "published": count, "down_s": round(down_s, 3)}


def half_open(place: Place, heartbeat: float) -> dict[str, float]:
    """Freeze the line of a WebSocket without closing it; return the s until the server noticed."""
    client = place.open("web_socket", fresh_channel("half"))
    ear = threading.Thread(target=_listen, args=(client,), daemon=True)
    ear.start()
    try:
        time.sleep(heartbeat * 1.1)
        place.order("link", stalled=True)
        began = time.monotonic()
        await_true(lambda: not place.stats()["techniques"]["web_socket"]["open"], 3 * heartbeat + 2)
        return {"seconds": round(time.monotonic() - began, 2)}
    finally:
        place.order("link", stalled=False)
        client.close()


def _listen(client: Client) -> None:
    try:
        client.receive_many(20)
    except Exception:  # the connection ends; that is the experiment
        return


def stall_seen(
    place: Place, seconds: float = 6.0, rate: float = 50.0, stall_s: float = 1.0
) -> dict[str, list[float]]:
    """Freeze the line for ``stall_s`` s, and measure meanwhile in a closed and in an open loop.

    ``closed`` has an echo's round trips in ms, each sent after the one before came back; ``open``
    sends on a schedule, whatever comes back, and counts from when each was due. ``closed_at`` and
    ``open_at`` have the s since the start.
    """
    found: dict[str, list[float]] = {"closed": [], "open": [], "open_at": [], "closed_at": []}
    start = time.monotonic() + 0.3
    due = [start + n / rate for n in range(int(seconds * rate))]

    def note(name: str, began: float) -> None:
        found[name].append(round((time.monotonic() - began) * 1000, 3))
        found[f"{name}_at"].append(round(began - start, 4))

    def closed(echo: WebSocketConnection) -> None:
        while (began := time.monotonic()) < due[-1]:
            echo.send("x")
            echo.receive(10)
            note("closed", began)
            sleep_to(max(began + 1 / rate, time.monotonic()))

    def send_open(echo: WebSocketConnection) -> None:
        for moment in due:
            sleep_to(moment)
            echo.send("x")

    def receive_open(echo: WebSocketConnection) -> None:
        for moment in due:
            echo.receive(10)
            note("open", moment)

    address = parse_address(place.url)
    with (
        WebSocketConnection(address, "/web_socket/echo") as one,
        WebSocketConnection(address, "/web_socket/echo") as other,
    ):
        sleep_to(start)
        works = ((closed, one), (send_open, other), (receive_open, other))
        threads = [threading.Thread(target=work, args=(echo,)) for work, echo in works]
        for thread in threads:
            thread.start()
        sleep_to(start + seconds / 2)
        place.order("link", stalled=True)
        sleep_to(start + seconds / 2 + stall_s)
        place.order("link", stalled=False)
        for thread in threads:
            thread.join()
    return found


def stalled_reader(place: Place, rate: float = 50.0, count: int = 150, size: int = 4096) -> Any:
    """Feed one that reads while a second one of the same channel never does.

    Returns what :func:`feed` found of the reader, without the other and with it.
    """
    quiet = feed(place, "web_socket", rate, count, "even", size=size)
    stalled = WebSocketClient(place.url, "stalled")
    talk = threading.Thread(target=_flood, args=(place, "stalled", count * 3, size), daemon=True)
    talk.start()
    beside = feed(place, "web_socket", rate, count, "even", size=size)
    talk.join()
    stalled.close()
    return {"alone": quiet["latency_ms"], "beside": beside["latency_ms"], "lost": beside["lost"]}


def _flood(place: Place, channel: str, count: int, size: int) -> None:
    with place.sender(channel) as sender:
        for _ in range(count):
            sender.send("x" * size)


def both_ways(
    place: Place, size: int = 20_000, messages: int = 10, bytes_per_s: float = 4e5
) -> Any:
    """Send over a slow line and have it echoed: message by message, and all at once.

    Returns the s of one direction as the line allows, of waiting for each echo, and of both
    directions at the same time.
    """
    place.order("link", bytes_per_s=bytes_per_s)
    found: dict[str, float] = {"one_way": size * messages / bytes_per_s}
    try:
        for name, ahead in (("in_turn", 1), ("at_once", messages)):
            with WebSocketConnection(parse_address(place.url), "/web_socket/echo") as echo:
                began, waiting = time.monotonic(), 0
                for _ in range(messages):
                    echo.send(b"x" * size)
                    waiting += 1
                    if waiting == ahead:
                        while waiting:
                            echo.receive(10)
                            waiting -= 1
                found[name] = round(time.monotonic() - began, 3)
    finally:
        place.order("link", bytes_per_s=None)
    return found

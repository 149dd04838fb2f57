"""SIGTERM: everybody is told as their technique does, nobody waits, and clients come back."""

import contextlib
import threading
import time
from pathlib import Path

import pytest

import clients
from tests.support.raw import RawSocket, get, upgrade
from tests.support.waiting import eventually
from tests.unbreakable.serving import Server, serving
from wire.message import Gap, Message
from wire.techniques import SLUGS
from wire.web_socket_frames import Opcode, encode_frame
from wire.web_socket_messages import encode_close

pytestmark = pytest.mark.slow

MOST_SECONDS = 2.0  # what is promised: no measure, but a bound, and one that users feel


class Afresh(Server):
    """Begins and ends as `python -m servers` does, and not as a fork."""

    is_afresh = True


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_everybody_is_told_and_the_server_ends_in_time(tmp_path: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    # A bound on time can only be missed by a busy machine, so it may be missed twice.
    assert any(seconds_to_stop(tmp_path / f"stderr-{n}", loop) < MOST_SECONDS for n in range(3))


def seconds_to_stop(log: Path, loop: str) -> float:
    """Stop a server that holds one of everything; return how long that took."""
    server = Afresh(log, "--loop", loop)
    port = server.port
    cursor = server.ask("/polling").body.partition(b'"cursor":"')[2][:10].partition(b'"')[0]
    talks = {
        "sse": RawSocket(port, get("/sse")),
        "forever_frame": RawSocket(port, get("/forever_frame")),
        "old sse": RawSocket(port, b"GET /sse HTTP/1.0\r\nHost: a\r\n\r\n"),
        "web_socket": RawSocket(port, upgrade("/web_socket", port)),
        "echo": RawSocket(port, upgrade("/web_socket/echo", port)),
        "plugin_socket": RawSocket(server.plugin_port, b'{"channel":"lobby"}\0'),
        "silent plugin": RawSocket(server.plugin_port),
        "held poll": RawSocket(port, get(f"/long_polling?after={cursor.decode()}&timeout=60")),
        "idle poll": RawSocket(port, get("/polling")),
        "idle page": RawSocket(port, get("/page_reload")),
        "silent": RawSocket(port),
        "half a head": RawSocket(port, b"GET /sse HTTP/1.1\r\nHost: "),
        "half a body": RawSocket(
            port,
            b"POST /publish HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
            b"Content-Length: 100\r\n\r\nhalf",
        ),
        "half a form": RawSocket(
            port,
            b"POST /page_reload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\ntext=half",
        ),
    }
    talks["sse"].hear(b"retry")
    talks["plugin_socket"].hear(b"\0")
    eventually(lambda: server.stats()["techniques"]["long_polling"]["held"], "the held poll")
    stuck = RawSocket(port, get("/sse?channel=flood"), buffer=4096)
    stuck.hear(b"retry")
    for _ in range(40):
        server.publish("flood", "x" * 50_000)

    def answer(name: str) -> None:
        talk = talks[name]
        talk.hear(b"\x88")
        with contextlib.suppress(ConnectionError):
            talk.send(encode_close(1001, mask=b"abcd"))

    # A client's closing handshake is its own affair, and takes place meanwhile.
    answering = [threading.Thread(target=answer, args=(name,)) for name in ("web_socket", "echo")]
    for thread in answering:
        thread.start()
    began = time.monotonic()
    status = server.stop()
    took = time.monotonic() - began
    for thread in answering:
        thread.join()
    heard = {name: talk.rest() for name, talk in talks.items()}
    for talk in [*talks.values(), stuck]:
        talk.close()
    assert server.said() == ""
    assert status == 0
    assert heard["sse"].endswith(b"0\r\n\r\n")
    assert heard["forever_frame"].endswith(b"0\r\n\r\n")
    assert heard["held poll"].startswith(b"HTTP/1.1 204")
    for name in ("web_socket", "echo"):
        assert heard[name].endswith(encode_close(1001, "the server stops"))
    assert b'"cursor"' in heard["plugin_socket"]
    assert heard["silent"] == heard["half a head"] == b""
    return took


def test_a_websocket_that_never_answers_the_goodbye_holds_up_nobody(tmp_path: Path) -> None:
    server = Afresh(tmp_path / "stderr")
    talk = RawSocket(server.port, upgrade("/web_socket", server.port))
    talk.hear(b"\r\n\r\n")
    talk.send(encode_frame(Opcode.TEXT, b"x", mask=b"abcd", fin=False))
    status = server.stop()
    assert talk.rest().endswith(encode_close(1001, "the server stops"))
    talk.close()
    assert (status, server.said()) == (0, "")


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    server = Afresh(tmp_path / "stderr")
    talk = RawSocket(server.port, get("/sse"))
    talk.hear(b"retry")
    server.child.terminate()
    with contextlib.suppress(ProcessLookupError):
        server.child.terminate()
    assert server.stop() == 0
    assert server.said() == ""
    talk.close()


def test_clients_come_back_by_themselves_and_are_told_of_the_gap(tmp_path: Path) -> None:
    """Every technique, through one restart, without a word to the clients."""
    server = Server(tmp_path / "first")
    opened = {}
    for slug in SLUGS:
        more = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
        opened[slug] = clients.open(slug, server.url, "again", timeout=5, **more)
    server.publish("again", "before")
    for slug, client in opened.items():
        item = client.receive(timeout=20)
        assert isinstance(item, Message), slug
        assert item.body == "before"
    heard: dict[str, list[object]] = {slug: [] for slug in opened}

    def listen(slug: str) -> None:
        deadline = time.monotonic() + 40
        with contextlib.suppress(Exception):
            while time.monotonic() < deadline:
                item = opened[slug].receive(timeout=1)
                if item is not None:
                    heard[slug].append(item)
                if isinstance(item, Message) and item.body == "after":
                    return

    threads = [threading.Thread(target=listen, args=(slug,)) for slug in opened]
    for thread in threads:
        thread.start()
    assert server.stop() == 0
    assert server.said() == ""
    arguments = ("--plugin-port", str(server.plugin_port))
    with serving(tmp_path, *arguments, port=server.port) as second:
        # Half of them find the server with a log, the others before the first message.
        second.publish("again", "between")
        eventually(lambda: all(heard.values()), f"the gap notices: {heard}")
        second.publish("again", "after")
        for thread in threads:
            thread.join()
        for client in opened.values():
            client.close()
    for slug, items in heard.items():
        assert isinstance(items[0], Gap), (slug, items)
        bodies = [item.body for item in items[1:] if isinstance(item, Message)]
        assert bodies == ["between", "after"], (slug, items)

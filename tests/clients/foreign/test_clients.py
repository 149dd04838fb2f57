"""Clients by a peer file, pointed at our own server: it is as foreign to them as any other."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clients.client import Client
from clients.errors import ClientError, RefusedError, UnexpectedAnswerError
from clients.foreign.opening import open_foreign, stray_words
from clients.foreign.peer_file import SPOKEN, PeerFile, read_peer_file
from clients.foreign.table import PeerFileError
from clients.net.desk import Desk
from tests.clients.conftest import Proxy, Script
from tests.support.processes import ServerProcess
from wire.message import Message
from wire.peer_text import write_text

DUPLEX = Path(__file__).resolve().parents[3] / "servers/peers/shelf/duplex/peer.toml"


def say(server: ServerProcess, channel: str, text: str) -> None:
    with Desk(server.url) as desk:
        fields = (("Content-Type", "text/plain"),)
        desk.ask("POST", f"/publish?channel={channel}", 201, text.encode(), fields)


def written(tmp_path: Path, text: str) -> PeerFile:
    path = tmp_path / "peer.toml"
    path.write_text(text, encoding="utf-8")
    return read_peer_file(path)


def of_channel(tmp_path: Path, channel: str) -> PeerFile:
    return written(tmp_path, DUPLEX.read_text(encoding="utf-8").replace("lobby", channel))


def received(client: Client, count: int) -> Iterator[Message]:
    for _ in range(count):
        message = client.receive(10)
        assert isinstance(message, Message), f"nothing came: {stray_words(client)}"
        yield message


@pytest.mark.parametrize("slug", read_peer_file(DUPLEX).subscribe)
def test_every_technique_brings_each_text_once_and_in_order(
    slug: str, server: ServerProcess, channel: str, tmp_path: Path
) -> None:
    peer = of_channel(tmp_path, channel)
    before = write_text(1, 1, "somebody", 100)
    say(server, channel, before)
    with open_foreign(peer, slug, server.url, interval=0.02, hold_s=5) as client:
        texts = [write_text(n, time.monotonic_ns(), "publisher", 100) for n in range(1, 6)]
        say(server, channel, "no text of ours")
        for text in texts:
            say(server, channel, text)
        assert [message.body for message in received(client, 5)] == texts


@pytest.mark.parametrize("slug", ["polling", "long_polling"])
def test_whoever_comes_again_says_where_it_was(
    slug: str,
    server: ServerProcess,
    channel: str,
    tmp_path: Path,
    make_proxy: Callable[[int], Proxy],
) -> None:
    proxy = make_proxy(server.port)
    options = {"interval": 0.02, "reconnects": 3, "dial": proxy.dial}
    with open_foreign(of_channel(tmp_path, channel), slug, server.url, **options) as client:
        texts = [write_text(n, time.monotonic_ns(), "publisher", 100) for n in range(1, 4)]
        say(server, channel, texts[0])
        assert [message.body for message in received(client, 1)] == texts[:1]
        proxy.cut()
        for text in texts[1:]:
            say(server, channel, text)
        assert [message.body for message in received(client, 2)] == texts[1:]


def test_an_event_stream_that_comes_again_says_what_it_saw_last(
    script: Callable[..., Script], tmp_path: Path
) -> None:
    soon_ns = time.monotonic_ns() + 10**12  # whatever was due before it came is not its own
    one, two = (write_text(n, soon_ns, "publisher", 60).encode() for n in (1, 2))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    server = script(
        [head + b"retry: 10\n\nid: a-1\ndata: " + one + b"\n\nid: a-2\ndata: cut off", "end"],
        [head + b"data: " + two + b"\n\n"],
    )
    file = 'url = "http://127.0.0.1:1"\npublish.path = "/"\n[subscribe.sse]\npath = "/"\n'
    peer = written(tmp_path, file)
    with open_foreign(peer, "sse", server.url, reconnects=1) as client:
        assert [message.id for message in received(client, 2)] == [1, 2]
    assert b"Last-Event-ID" not in server.heard[0]
    assert b"\r\nLast-Event-ID: a-1\r\n" in server.heard[1]


def test_all_that_a_file_can_speak_has_a_client() -> None:
    assert set(read_peer_file(DUPLEX).subscribe) <= set(SPOKEN)


def test_a_path_that_is_not_there_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    peer = written(
        tmp_path,
        'url = "http://127.0.0.1:1"\npublish.path = "/p"\n'
        '[subscribe.sse]\npath = "/none"\n[subscribe.web_socket]\npath = "/none"\n'
        '[subscribe.long_polling]\npath = "/stats"\nagain = "/stats?{sid}"\n'
        'remember.sid.at = ["sid"]\n[subscribe.polling]\npath = "/none"\n',
    )
    for slug in ("sse", "web_socket", "polling"):
        with pytest.raises(RefusedError, match="404"):
            open_foreign(peer, slug, server.url)
    with pytest.raises(UnexpectedAnswerError, match="tells no sid"):
        open_foreign(peer, "long_polling", server.url)


def test_what_is_awaited_and_does_not_come_is_named(
    server: ServerProcess, channel: str, tmp_path: Path
) -> None:
    peer = written(
        tmp_path,
        'url = "http://127.0.0.1:1"\npublish.path = "/p"\n[subscribe.web_socket]\n'
        'path = "/web_socket/echo"\nopen = [["", "hola"], ["ready", "go"]]\n',
    )
    with pytest.raises(ClientError, match=r"'ready' was awaited for 0\.3 s, but only 'hola' came"):
        open_foreign(peer, "web_socket", server.url, timeout=0.3)


def test_it_says_answers_and_takes_the_text_out(server: ServerProcess, tmp_path: Path) -> None:
    peer = written(
        tmp_path,
        'url = "http://127.0.0.1:1"\npublish.path = "/p"\n[subscribe.web_socket]\n'
        'path = "/web_socket/echo"\nopen = [["", "hola"], ["hola", "2"]]\n'
        'reply = { "2" = "3" }\n',
    )
    with open_foreign(peer, "web_socket", server.url) as client:
        assert client.receive(0.3) is None
        assert stray_words(client) == "1 times something else came, first '3'"


def test_a_class_beside_the_file_does_what_no_file_can_say(
    server: ServerProcess, tmp_path: Path
) -> None:
    head = 'url = "http://127.0.0.1:1"\npublish.path = "/p"\n[subscribe.web_socket]\npath = "/x"\n'
    peer = written(tmp_path, head + 'client = "mine.py:Mine"\n')
    with pytest.raises(PeerFileError, match=r"there is no mine\.py beside it"):
        open_foreign(peer, "web_socket", server.url)
    mine = tmp_path / "mine.py"
    mine.write_text("from clients.foreign.two_way import ForeignSocket\nclass Mine: pass\n")
    with pytest.raises(PeerFileError, match="Mine is no subclass"):
        open_foreign(peer, "web_socket", server.url)
    mine.write_text(
        "from dataclasses import replace\n"
        "from clients.foreign.two_way import ForeignSocket\n"
        "class Mine(ForeignSocket):\n"
        "    def __init__(self, url, how, **options):\n"
        "        super().__init__(url, replace(how, path='/web_socket/echo'), **options)\n"
    )
    with open_foreign(peer, "web_socket", server.url) as client:
        assert type(client).__name__ == "Mine"

"""Clients that we did not write: curl, and for WebSocket `websockets` and `websocket-client`."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
import websocket
from websockets.exceptions import ConnectionClosedOK

from tests.conformance.steps import (
    HTTP,
    RELOADS,
    STREAMS,
    Desk,
    Starting,
    join,
    subscribers,
    take_messages,
    websockets_to,
)
from tests.support.processes import ServerAddress
from tests.support.waiting import PATIENCE_S, eventually

needs_curl = pytest.mark.skipif(
    not shutil.which("curl"), reason="curl is missing: `apt install curl`"
)

TIMED_OUT = 28  # curl's exit status
SOCKET = "/web_socket?channel="


def curl(*arguments: str, ends: bool = True) -> str:
    """Let curl fetch a page; what does not end is cut by its own time-out."""
    command = ["curl", "--silent", "--show-error", "--fail-with-body", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0 or (not ends and done.returncode == TIMED_OUT), done.stderr
    return done.stdout


@contextmanager
def curling(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Let curl stay on what does not end."""
    command = ["curl", "--silent", "--no-buffer", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def address(server: ServerAddress) -> str:
    return server.ws_url + SOCKET


# curl


@needs_curl
def test_curl_publishes_text_json_and_bytes(server: ServerAddress, channel: str) -> None:
    """The first thing that anybody tries is curl."""
    to = f"{server.url}/publish?channel={channel}"
    with join("sse", server, channel) as witness:
        answer = json.loads(curl("-H", "Content-Type: text/plain", "-d", "¿qué?", to))
        curl("-H", "Content-Type: application/json", "-d", '{"text":"a","sender":"ana"}', to)
        curl("-H", "Content-Type: application/octet-stream", "--data-binary", "b", to)
        messages = take_messages(witness, 3)
    assert answer["id"] == 1
    assert [message.body for message in messages] == ["¿qué?", "a", b"b"]
    assert messages[1].sender == "ana"


@needs_curl
def test_curl_polls(server: ServerAddress, desk: Desk, channel: str) -> None:
    """Whoever reads the contract should be able to follow it by hand."""
    url = f"{server.url}/polling?channel={channel}"
    start = json.loads(curl(url))
    assert start["messages"] == []
    assert curl(f"{url}&after={start['cursor']}", "-w", "%{http_code}") == "204"
    desk.publish_all(channel, ["one", "two"])
    batch = json.loads(curl(f"{url}&after={start['cursor']}"))
    assert [message["text"] for message in batch["messages"]] == ["one", "two"]
    assert batch["gap"] is False


@needs_curl
def test_curl_waits_in_a_long_poll(server: ServerAddress, desk: Desk, channel: str) -> None:
    """A shell script that waits for a message needs nothing but curl."""
    url = f"{server.url}/long_polling?channel={channel}"
    cursor = json.loads(curl(url))["cursor"]
    assert curl(f"{url}&after={cursor}&timeout=0.1", "-w", "%{http_code}") == "204"
    with curling(f"{url}&after={cursor}&timeout=25") as child:
        eventually(lambda: subscribers(server, channel), "curl waits")
        desk.publish(channel, "hola")
        said, _ = child.communicate(timeout=PATIENCE_S)
    assert [message["text"] for message in json.loads(said)["messages"]] == ["hola"]


@needs_curl
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_curl_follows_an_event_stream(
    version: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A log watcher pipes the stream into a file, maybe through an old proxy."""
    with curling(version, f"{server.url}/sse?channel={channel}") as child:
        eventually(lambda: subscribers(server, channel), "curl reads")
        desk.publish(channel, "hola")
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(5)]
    assert said[0] == "retry: 2000\n"
    assert said[1] == "\n"
    assert said[2].startswith("id: ")
    assert json.loads(said[3].removeprefix("data: "))["text"] == "hola"
    assert said[4] == "\n"


@needs_curl
@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_curl_reads_a_forever_frame(
    version: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """What a browser runs as scripts is a page like any other to everybody else."""
    with curling(version, f"{server.url}/forever_frame?channel={channel}") as child:
        eventually(lambda: subscribers(server, channel), "curl reads")
        desk.publish(channel, "</script>")
        assert child.stdout is not None
        said = ""
        while "</script>" not in said:
            said += child.stdout.read(1)
    assert said.startswith("<!doctype html>")
    call = said.partition("<script>parent.receive(")[2].rpartition(")")[0]
    assert json.loads(call)["text"] == "</script>"


@needs_curl
@pytest.mark.parametrize("slug", RELOADS)
def test_curl_fetches_a_page_and_sends_its_form(
    slug: str, server: ServerAddress, channel: str
) -> None:
    """A browser without JavaScript, in 1995 or today, sends what was typed, escapes and all."""
    url = f"{server.url}/{slug}?channel={channel}"
    assert "<!doctype html>" in curl(url)
    after = curl("-L", "--data-urlencode", "text=¿qué & <b>?", "-d", "sender=ana", url)
    assert "<form" in after
    page = curl(f"{url}&every=2")
    assert '<meta http-equiv="refresh" content="2;url=' in page
    assert "<span>¿qué &amp; &lt;b&gt;?</span>" in page


@pytest.mark.words
@needs_curl
@pytest.mark.parametrize("slug", HTTP)
def test_curl_gets_a_head_that_forbids_to_store(slug: str, server: ServerAddress) -> None:
    """A cache in the company's network sees exactly this."""
    ends = slug not in STREAMS
    said = curl("-i", "--max-time", "0.3", f"{server.url}/{slug}", ends=ends)
    assert said.startswith("HTTP/1.1 200 OK\n")
    assert "cache-control: no-store\n" in said.lower()


# websockets and websocket-client


def test_websockets_talks_both_ways(server: ServerAddress, channel: str) -> None:
    """Python programs come with this library, and offer extensions and subprotocols as it likes."""
    with (
        websockets_to(server, SOCKET + channel, subprotocols=["duplex.v1"]) as ana,
        websockets_to(server, SOCKET + channel) as eva,
    ):
        assert ana.subprotocol == "duplex.v1"
        ana.send("¿qué?")
        ana.send(b"\xff")
        eva.send(["in ", "", "frames"])
        for socket in (ana, eva):
            received = [json.loads(socket.recv(PATIENCE_S)) for _ in range(3)]
            assert {m.get("text", m.get("base64")) for m in received} == {
                "¿qué?",
                "/w==",
                "in frames",
            }
        assert ana.ping(b"there?").wait(PATIENCE_S)


def test_websockets_closes_and_is_told_so(server: ServerAddress, channel: str) -> None:
    """Who says good-bye with a code wants to know that it was heard."""
    with websockets_to(server, SOCKET + channel) as ana:
        ana.close(4000, "good-bye")
        assert ana.close_code == 4000
    with websockets_to(server, SOCKET + channel) as ana:
        ana.close()
        assert ana.close_code == 1000
    eventually(lambda: not subscribers(server, channel), "it has left")


def test_websocket_client_talks_both_ways(server: ServerAddress, channel: str) -> None:
    """Another library cuts its frames otherwise: pings come between, and must be answered there."""
    ana = websocket.create_connection(
        address(server) + channel, timeout=PATIENCE_S, subprotocols=["duplex.v1"]
    )
    try:
        assert ana.subprotocol == "duplex.v1"
        ana.send("¿qué?")
        ana.send_binary(b"\xff")
        assert json.loads(ana.recv())["text"] == "¿qué?"
        assert json.loads(ana.recv())["base64"] == "/w=="
        ana.ping("there?")
        opcode, data = ana.recv_data(control_frame=True)
        assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"there?")
        # In three frames, with a ping between them.
        first, middle, last = (
            websocket.ABNF(fin, 0, 0, 0, code, 1, part)
            for fin, code, part in [(0, 1, b"in "), (0, 0, b"three "), (1, 0, b"frames")]
        )
        ana.send_frame(first)
        ana.send_frame(middle)
        ana.ping("between")
        ana.send_frame(last)
        assert ana.recv_data(control_frame=True)[1] == b"between"
        assert json.loads(ana.recv())["text"] == "in three frames"
    finally:
        ana.close()
    eventually(lambda: not subscribers(server, channel), "it has left")


@pytest.mark.parametrize("client", ["websockets", "websocket-client"])
def test_binary_frames_reach_foreign_clients(
    client: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """The binary form is ours; whoever reads servers/README.md can read it with any library."""
    target = f"{SOCKET}{channel}&binary=frames"
    opened: Any = (
        websockets_to(server, target)
        if client == "websockets"
        else closing(websocket.create_connection(server.ws_url + target))
    )
    with opened as socket:
        desk.publish_all(channel, [b"\xff\n\x00", "text"])
        head, _, body = socket.recv().partition(b"\n")
        assert json.loads(head)["id"] == 1
        assert body == b"\xff\n\x00"
        assert json.loads(socket.recv())["text"] == "text"


@pytest.mark.parametrize("payload", ["¿qué?", b"\xff\x00", "x" * 70_000, bytes(2**20), ""])
def test_the_echo_sends_back_what_it_got(payload: str | bytes, server: ServerAddress) -> None:
    """Conformance suites and ping-pong need a peer that adds nothing."""
    with websockets_to(server, "/web_socket/echo", compression=None, max_size=None) as socket:
        socket.send(payload)
        assert socket.recv(PATIENCE_S) == payload


@pytest.mark.slow
def test_a_server_that_stops_closes_web_sockets_with_1001(starting: Starting, channel: str) -> None:
    """A page that is told "going away" comes back later, instead of showing an error."""
    with starting() as server, websockets_to(server, SOCKET + channel) as ana:
        old = websocket.create_connection(address(server) + channel, timeout=PATIENCE_S)
        try:
            assert server.stop() == 0
            with pytest.raises(ConnectionClosedOK):
                ana.recv(PATIENCE_S)
            assert ana.close_code == 1001
            opcode, data = old.recv_data(control_frame=True)
            assert opcode == websocket.ABNF.OPCODE_CLOSE
            assert data[:2] == (1001).to_bytes(2, "big")
        finally:
            old.shutdown()


@pytest.mark.slow
def test_the_server_pings_at_every_heartbeat_and_ends_who_does_not_answer(
    starting: Starting, channel: str
) -> None:
    """A phone without battery is silent for ever; one that answers must not be lost with it."""
    with starting("--heartbeat", "0.4") as server:
        mute = websocket.create_connection(address(server) + channel, timeout=PATIENCE_S)
        with websockets_to(server, SOCKET + channel, ping_interval=None) as ana:
            frame = mute.recv_frame()  # which, unlike recv, does not answer
            assert frame.opcode == websocket.ABNF.OPCODE_PING
            eventually(lambda: subscribers(server, channel) == 1, "the mute one is gone")
            time.sleep(1)  # two more heartbeats
            assert subscribers(server, channel) == 1
            ana.send("still here")
            assert json.loads(ana.recv(PATIENCE_S))["text"] == "still here"
        mute.shutdown()

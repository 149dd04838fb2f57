"""Peers that are gone without a word, and those that only read slowly; who is reported as gone.

A peer on the same machine always has a kernel that answers for it, so the silent ones live behind
a cable of their own: a network namespace and a pair of virtual interfaces, one of which is set
down. That needs Linux, root and ``ip``; elsewhere these tests are skipped and say so.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import clients
from clients.client import Client
from servers.channels import presence
from servers.service import Settings, make_service
from tests.support.processes import ROOT
from tests.support.raw import RawSocket, get, upgrade
from tests.support.waiting import eventually
from tests.unbreakable.serving import Server, serving
from wire.message import Message

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # it waits: let others work meanwhile

HEARTBEAT = 4.0
SLACK = 1.5  # seconds for asking and for a busy machine, on top of one and a half heartbeats
HELD = ("sse", "forever_frame", "web_socket", "plugin_socket", "long_polling")

# Subscribes to everything as an honest client, answers pings, and never closes anything.
PEER = """
import select, socket, sys
sys.path.insert(0, sys.argv[1])
from tests.support.raw import get, upgrade
from wire.web_socket_frames import Opcode, encode_frame
host, port, plugin_port = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
query = "channel=gone&name=ana"
first = {
    "sse": get(f"/sse?{query}"), "forever_frame": get(f"/forever_frame?{query}"),
    "web_socket": upgrade(f"/web_socket?{query}", port),
    "plugin_socket": b'{"channel":"gone","name":"ana"}' + bytes(1),
    "long_polling": get(f"/long_polling?{query}"),
}
socks = {}
for slug, data in first.items():
    sock = socket.create_connection((host, plugin_port if slug == "plugin_socket" else port), 10)
    sock.sendall(data)
    sock.recv(65536)
    socks[sock] = slug
    if slug == "long_polling":
        sock.sendall(get("/long_polling?channel=mute&timeout=120&after=" + sys.argv[5]))
print("ready", flush=True)
pong = encode_frame(Opcode.PONG, b"", mask=b"abcd")
while True:
    for sock in select.select(list(socks), [], [])[0]:
        data = sock.recv(65536)
        if not data:
            del socks[sock]
        elif socks[sock] == "web_socket" and bytes((0x89, 0)) in data:
            sock.sendall(pong)
"""

# Subscribes and never reads again, with as small a window as there is.
STUCK = """
import socket, sys, time
sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
sock.connect((sys.argv[2], int(sys.argv[3])))
sock.sendall(b"GET /sse?channel=gone HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
sock.recv(300)
print("ready", flush=True)
time.sleep(1000)
"""


class Far:
    """Another place, at the end of a cable that can be pulled."""

    def __init__(self) -> None:
        self.name = f"duplex{os.getpid()}"
        number = os.getpid() % 60 * 4
        self.near, self.far = f"10.213.77.{number + 1}", f"10.213.77.{number + 2}"
        self.child: subprocess.Popen[str] | None = None
        self._cable = f"dx{os.getpid()}"
        _ip("netns", "add", self.name)
        try:
            _ip("link", "add", f"{self._cable}a", "type", "veth", "peer", "name", f"{self._cable}b")
            _ip("link", "set", f"{self._cable}b", "netns", self.name)
            _ip("addr", "add", f"{self.near}/30", "dev", f"{self._cable}a")
            _ip("link", "set", f"{self._cable}a", "up")
            self._there("addr", "add", f"{self.far}/30", "dev", f"{self._cable}b")
            self._there("link", "set", f"{self._cable}b", "up")
        except BaseException:
            self.close()
            raise

    def _there(self, *words: str) -> None:
        _ip("-n", self.name, *words)

    def start(self, program: str, *arguments: str) -> None:
        """Run a peer there until all its connections stand."""
        command = ["ip", "netns", "exec", self.name, sys.executable, "-c", program, str(ROOT)]
        self.child = subprocess.Popen(
            [*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == "ready\n"

    def pull_the_cable(self) -> None:
        self._there("link", "set", f"{self._cable}b", "down")

    def close(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            assert self.child.stdout is not None
            self.child.stdout.close()
        with contextlib.suppress(subprocess.CalledProcessError):
            _ip("link", "del", f"{self._cable}a")
        _ip("netns", "del", self.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def far() -> Iterator[Far]:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a silent peer needs Linux, root and ip (`apt install iproute2`)")
    try:
        place = Far()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"network namespaces are not allowed here: {error.stderr.decode().strip()}")
    yield place
    place.close()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_silent_peer_is_found_on_every_technique(tmp_path: Path, far: Far, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    arguments = ("--host", far.near, "--heartbeat", str(HEARTBEAT), "--loop", loop)
    with serving(tmp_path, *arguments) as server:
        cursor = json.loads(server.ask("/polling?channel=mute").body)["cursor"]
        far.start(PEER, server.host, str(server.port), str(server.plugin_port), cursor)

        def still_open() -> set[str]:
            rows = server.stats()["techniques"]
            return {slug for slug in HELD if rows[slug]["open"]}

        assert still_open() == set(HELD)
        eventually(lambda: server.stats()["techniques"]["long_polling"]["held"], "the held poll")
        witness = clients.open("sse", server.url, "gone")
        time.sleep(1.2 * HEARTBEAT)  # one beat and check: nobody who answers is cut off
        assert still_open() == set(HELD) | {"sse"}
        far.pull_the_cable()
        pulled = time.monotonic()
        found: dict[str, float] = {}
        rest = set(HELD)
        while rest and time.monotonic() < pulled + 4 * HEARTBEAT:
            rows = server.stats()["techniques"]
            for slug in list(rest):
                if rows[slug]["open"] == (slug == "sse"):  # the witness stays
                    found[slug] = time.monotonic() - pulled
                    rest.remove(slug)
            time.sleep(0.1)
        print(found)
        assert not rest
        assert max(found.values()) < 1.5 * HEARTBEAT + SLACK, found
        left = {str(notice.body) for notice in notices(witness) if notice.presence == "left"}
        assert left >= {"sse", "forever_frame", "web_socket", "plugin_socket"}
        witness.close()


def test_a_slow_reader_that_dies_is_found_too(tmp_path: Path, far: Far) -> None:
    """Its window was closed, so it owes no acknowledgement, only answers to probes."""
    with serving(tmp_path, "--host", far.near, "--heartbeat", "2") as server:
        far.start(STUCK, server.host, str(server.port))
        for _ in range(30):
            server.publish("gone", "x" * 10_000)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            assert server.stats()["techniques"]["sse"]["open"] == 1
            time.sleep(0.1)
        far.pull_the_cable()
        eventually(lambda: not server.stats()["techniques"]["sse"]["open"], "it to be found")


def notices(client: Client) -> Iterator[Message]:
    while (item := client.receive(timeout=2)) is not None:
        if isinstance(item, Message) and item.presence:
            yield item


def test_a_websocket_that_does_not_answer_pings_is_found(tmp_path: Path) -> None:
    with serving(tmp_path, "--heartbeat", "0.5") as server:
        talk = RawSocket(server.port, upgrade("/web_socket?channel=mute&name=ana", server.port))
        talk.hear(b"\r\n\r\n")
        assert talk.rest().endswith(b"\x89\0")  # one ping, and the end
        talk.close()


SLOW: dict[str, Callable[[int], bytes]] = {
    "sse": lambda port: get("/sse?channel=slow"),
    "forever_frame": lambda port: get("/forever_frame?channel=slow"),
    "web_socket": lambda port: upgrade("/web_socket?channel=slow", port),
    "plugin_socket": lambda port: b'{"channel":"slow"}\0',
}


def test_a_closed_window_is_not_taken_for_death(tmp_path: Path) -> None:
    """Through more than four heartbeats their kernels answer for them, and only for that."""
    with serving(tmp_path, "--heartbeat", "1") as server:
        talks = {}
        for slug, opening in SLOW.items():
            port = server.plugin_port if slug == "plugin_socket" else server.port
            talk = talks[slug] = RawSocket(port, opening(server.port), buffer=4096)
            talk.hear(b"\0" if slug == "plugin_socket" else b"\r\n\r\n")
        for _ in range(60):
            server.publish("slow", "x" * 10_000)
        until = time.monotonic() + 4.5
        while time.monotonic() < until:
            rows = server.stats()["techniques"]
            assert {slug: rows[slug]["open"] for slug in SLOW} == dict.fromkeys(SLOW, 1)
            time.sleep(0.1)
        server.publish("slow", "the last")
        for talk in talks.values():
            talk.hear(b"the last")
            assert talk.heard.count(b'"id":') == 61
            talk.close()


# Presence: each technique tells in its own way that somebody left.


def wait_for_notice(witness: Client, presence: str, slug: str) -> None:
    for item in itertools.islice(iter(witness), 50):
        if (item.presence, item.body, item.sender) == (presence, slug, "ana"):
            return
    pytest.fail(f"nobody said that ana {presence} by {slug}")


@pytest.mark.parametrize("slug", HELD[:4])
def test_a_closed_connection_is_reported_as_left(server: Server, slug: str) -> None:
    channel = f"presence-{slug}"
    witness = clients.open("sse", server.url, channel)
    more = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
    with clients.open(slug, server.url, channel, name="ana", **more):
        wait_for_notice(witness, "joined", slug)
    wait_for_notice(witness, "left", slug)
    witness.close()


@pytest.mark.parametrize("slug", ["polling", "long_polling", "page_reload", "frame_reload"])
def test_a_client_that_asks_no_more_is_reported_as_left(tmp_path: Path, slug: str) -> None:
    with serving(tmp_path, "--heartbeat", "0.5") as server:
        witness = clients.open("sse", server.url, "silence")
        server.ask(f"/{slug}?channel=silence&name=ana&timeout=0")
        wait_for_notice(witness, "joined", slug)
        wait_for_notice(witness, "left", slug)
        witness.close()


def test_a_held_poll_is_no_silence(tmp_path: Path) -> None:
    with serving(tmp_path, "--heartbeat", "0.5") as server:
        cursor = json.loads(server.ask("/polling?channel=other").body)["cursor"]
        with RawSocket(
            server.port, get(f"/long_polling?channel=other&after={cursor}&name=ana")
        ) as talk:
            witness = clients.open("sse", server.url, "other", after=f"{cursor[:-1]}0")
            wait_for_notice(witness, "joined", "long_polling")
            # The join itself is a message, which answers the poll; the next one is held.
            cursor = json.loads(talk.answer().body)["cursor"]
            talk.send(get(f"/long_polling?channel=other&after={cursor}&name=ana&timeout=3"))
            assert talk.answer().status == 204
            assert witness.receive(timeout=0.1) is None
            witness.close()


async def test_names_already_known_are_counted_past_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "_MOST", 1)
    service = make_service(Settings(heartbeat=0.1))
    channel = service.channel("full")

    def said() -> list[str]:
        return [json.loads(entry)["presence"] for _, entry in channel.log.read(0, 2**20)]

    service.presence.enter(channel, "ana", "sse")
    service.presence.enter(channel, "ana", "sse")
    service.presence.enter(channel, "bob", "sse")  # one too many
    service.presence.leave(channel, "ana", "sse")
    assert said() == ["joined"]
    service.presence.leave(channel, "bob", "sse")
    service.presence.leave(channel, "ana", "sse")
    assert said() == ["joined", "left"]
    service.presence.seen(channel, "ana", "polling")
    await asyncio.sleep(0.12)
    service.presence.seen(channel, "ana", "polling")
    await asyncio.sleep(0.06)  # silent for longer than allowed since the first, not the second
    service.presence.sweep()
    assert said() == ["joined", "left", "joined"]

"""The shelf's servers, each in its environment, and a server of one's own as the page tells it."""

import re
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from clients.foreign.finding import values
from clients.foreign.opening import foreign_class, open_foreign
from clients.foreign.peer_file import PeerFile, read_peer_file
from clients.foreign.two_way import ForeignSocket
from loadtests.measures.peer_line import PeerLine
from loadtests.trials.environments import prepare
from loadtests.trials.measuring import measure
from loadtests.trials.peers import SHELF, Peer, find_peer
from loadtests.trials.processes import ROOT, ProcessError
from loadtests.trials.versions import versions_of
from wire.message import Message

# Written for the purpose, with the library that the tests have.
CHAT = """
import asyncio, os
from aiohttp import web
people = set()
async def say(request):
    text = await request.text()
    for one in list(people):
        await one.send_str("say " + text)
    return web.Response()
async def chat(request):
    one = web.WebSocketResponse()
    await one.prepare(request)
    people.add(one)
    await one.send_str("welcome")
    async for _ in one: pass
    people.discard(one)
    return one
app = web.Application()
app.add_routes([web.post("/say", say), web.get("/chat", chat)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
"""


# One of each kind: Node, nginx; the page's example below is in Python.
MEASURED = {"ws": "web_socket", "nchan": "long_polling"}
TEXTS = 20


def made(name: str) -> PeerFile:
    """A server of the shelf with all that it needs, or a test less."""
    peer = find_peer(name)
    try:
        prepare(peer)
    except ProcessError as error:  # what the system lacks, or no network to make it by
        pytest.skip(str(error))
    return peer


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [path.name for path in sorted(SHELF.iterdir())])
def test_a_server_of_the_shelf_hands_on_all_in_order_by_each_technique(name: str) -> None:
    peer = made(name)
    with Peer(peer) as server, ExitStack() as stack:
        clients = {
            (slug, at): stack.enter_context(open_foreign(peer, slug, server.url, interval=0.2))
            for slug in peer.subscribe
            for at in range(2)
        }
        line = stack.enter_context(PeerLine(server.url, peer))
        for _ in range(TEXTS):
            line.publish("x" * 100, "test", time.monotonic_ns())
        for client in clients.values():
            came = [client.receive(10) for _ in range(TEXTS)]
            assert [one.id for one in came if isinstance(one, Message)] == list(range(1, TEXTS + 1))
        assert [who for who, client in clients.items() if client.receive(0) is not None] == []


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("name", "slug"), MEASURED.items())
def test_a_server_of_each_kind_is_measured(name: str, slug: str) -> None:
    made(name)
    run = measure(slug, server=name, users=5, seconds=1)
    assert run.audit.clean
    assert run.audit.received > 0


def test_the_page_lists_the_shelf() -> None:
    page = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")
    for peer in map(find_peer, sorted(path.name for path in SHELF.iterdir())):
        (row,) = re.findall(rf"^\| `{peer.folder.name}` \| .* \| (.*) \|$", page, re.MULTILINE)
        named = " ".join(f"`{slug}`" for slug in peer.subscribe)
        assert row == (named if peer.folder.name != "duplex" else "all that a file can say")


@pytest.mark.slow
@pytest.mark.usefixtures("forked_programs")
@pytest.mark.timeout(90)
def test_the_page_leads_to_figures_of_ones_own_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")
    example, _ = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "chat.toml").write_text(example.replace('"python3"', '"{python}"'), "utf-8")
    (tmp_path / "chat.py").write_text(CHAT, "utf-8")
    monkeypatch.chdir(tmp_path)
    run = measure("web_socket", server="chat.toml", users=5, seconds=1)
    assert run.audit.clean
    assert set(run.latency["variant"]) == {"foreign chat"}


def test_what_the_page_says_of_a_server_that_wants_more_is_right(tmp_path: Path) -> None:
    page = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")
    _, more = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (line,) = re.findall(r"`(client = \"chat.py:Chat\")`", page)
    (code,) = re.findall(r"```python\n(from clients.foreign.*?)```", page, re.DOTALL)
    path = tmp_path / "chat.toml"
    path.write_text(f'start = ["chat"]\n{more}{line}\n', "utf-8")
    (tmp_path / "chat.py").write_text(code, "utf-8")
    peer = read_peer_file(path)
    assert issubclass(foreign_class(peer, "web_socket"), ForeignSocket)  # type: ignore[arg-type]
    texts = re.findall(r"`(\{\"op\":\"say\".*?)`", page)
    assert [values(peer.subscribe["web_socket"].place, text) for text in texts] == [["hola"]]


def test_what_the_system_lacks_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    path = tmp_path / "peer.toml"
    path.write_text(
        'title = "Mine"\nstart = ["x"]\npublish.path = "/p"\nsubscribe.sse.path = "/s"\n'
        'needs.programs = { no-such-program = "sudo apt install it" }\n'
    )
    with pytest.raises(ProcessError, match=r"Mine needs no-such-program, .*: sudo apt install it"):
        prepare(read_peer_file(path))


def test_a_folder_that_can_be_made_is_not_lacking(tmp_path: Path) -> None:
    path = tmp_path / "peer.toml"
    text = 'start = ["x"]\npublish.path = "/p"\nsubscribe.sse.path = "/s"\n'
    path.write_text(f"{text}needs.files = {{ '{tmp_path}/new/' = \"make it\" }}\n")
    assert prepare(read_peer_file(path)) is None
    path.write_text(f"{text}needs.files = {{ '{tmp_path}/no/such/' = \"make it\" }}\n")
    with pytest.raises(ProcessError, match=r"needs .*/no/such/, which is not here: make it"):
        prepare(read_peer_file(path))


@pytest.mark.skipif(sys.platform == "win32", reason="a program here is a script of a shell")
def test_a_program_is_started_and_asked_where_debian_keeps_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by people on whose PATH that is not."""
    monkeypatch.setattr("loadtests.trials.processes._SYSTEM", str(tmp_path / "sbin"))
    (tmp_path / "sbin").mkdir()
    program = tmp_path / "sbin" / "served"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = -v ] && echo 1.2.3 && exit\n'
        f'exec "{sys.executable}" -m http.server --bind 127.0.0.1 "$1"\n'
    )
    program.chmod(0o755)
    path = tmp_path / "peer.toml"
    path.write_text(
        'start = ["served", "{port}"]\npublish.path = "/p"\nsubscribe.sse.path = "/s"\n'
        'needs.programs = { served = "" }\nversions.served = "served -v"\n'
    )
    peer = read_peer_file(path)
    with Peer(peer) as server:
        assert not server.ended
    assert versions_of(peer) == {"served": "1.2.3"}

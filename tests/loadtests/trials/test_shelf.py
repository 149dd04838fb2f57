"""The shelf's servers, each in its environment, and a server of one's own as the page tells it."""

import re
from pathlib import Path

import pytest

from clients.foreign.peer_file import read_peer_file
from loadtests.trials.environments import prepare
from loadtests.trials.measuring import measure
from loadtests.trials.peers import SHELF, find_peer
from loadtests.trials.processes import ROOT, ProcessError

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


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [path.name for path in sorted(SHELF.iterdir())])
def test_a_server_of_the_shelf_delivers_everything(name: str) -> None:
    try:
        prepare(find_peer(name))
    except ProcessError as error:  # what the system lacks, or no network to make it by
        pytest.skip(str(error))
    techniques = tuple(find_peer(name).subscribe)
    run = measure(techniques, server=name, users=5, seconds=1, poll_interval=0.2)
    assert set(run.latency["technique"]) == set(techniques)
    assert run.audit.clean
    assert run.audit.received > 0


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_the_page_leads_to_figures_of_ones_own_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "loadtests" / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "chat.toml").write_text(example.replace('"python3"', '"{python}"'), "utf-8")
    (tmp_path / "chat.py").write_text(CHAT, "utf-8")
    monkeypatch.chdir(tmp_path)
    run = measure("web_socket", server="chat.toml", users=5, seconds=1)
    assert run.audit.clean
    assert set(run.latency["variant"]) == {"foreign chat"}


def test_what_the_system_lacks_is_named_with_the_command_that_brings_it(tmp_path: Path) -> None:
    path = tmp_path / "peer.toml"
    path.write_text(
        'title = "Mine"\nstart = ["x"]\npublish.path = "/p"\nsubscribe.sse.path = "/s"\n'
        'needs.programs = { no-such-program = "sudo apt install it" }\n'
    )
    with pytest.raises(ProcessError, match=r"Mine needs no-such-program, .*: sudo apt install it"):
        prepare(read_peer_file(path))

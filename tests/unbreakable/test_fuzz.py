"""Random and mutated streams at each door: nothing is left behind, and nobody notices."""

import contextlib
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import clients
from tests.support.depth import amount, is_full
from tests.support.processes import ROOT
from tests.support.raw import RawSocket
from tests.support.waiting import eventually
from tests.unbreakable.fuzz import mutate, seeds
from tests.unbreakable.serving import Server, serving
from wire.message import Gap

pytestmark = pytest.mark.slow

DOORS = list(seeds(0))
# Streams thrown at each door; 10,000 each (100,000 in all) take a minute or two.
COUNT = int(amount("DUPLEX_FUZZ", usual=200, full=10_000))
SEED = int(amount("DUPLEX_SEED", usual=1, full=1))


class Witness:
    """Listens to a channel in a thread, and knows what it heard."""

    def __init__(self, server: Server, slug: str) -> None:
        self.client = clients.open(slug, server.url, "audit", reconnects=0)
        self.numbers: list[int] = []
        self.faults: list[object] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            while True:
                item = self.client.receive(timeout=60)
                if item is None or isinstance(item, Gap) or item.body == "end":
                    self.faults += [] if item and not isinstance(item, Gap) else [item]
                    return
                self.numbers.append(int(str(item.body)))
        except Exception as error:
            self.faults.append(error)

    def end(self) -> None:
        self._thread.join(60)
        self.client.close()


@contextlib.contextmanager
def audit(server: Server) -> Iterator[None]:
    """Publish numbers all the while; every witness must hear each once, in order."""
    witnesses = [Witness(server, slug) for slug in ("sse", "web_socket", "long_polling")]
    over = threading.Event()
    sent: list[int] = []

    def publish() -> None:
        while not over.wait(0.02):
            server.publish("audit", str(len(sent)))
            sent.append(len(sent))

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        yield
    finally:
        over.set()
        publisher.join(60)
        server.publish("audit", "end")
        for witness in witnesses:
            witness.end()
    assert sent
    for witness in witnesses:
        assert witness.faults == []
        assert witness.numbers == sent


def throw(server: Server, count: int, seed: int, *doors: str) -> None:
    """Throw streams from a process of its own, so that the witnesses keep their time."""
    numbers = map(str, (server.port, server.plugin_port, count, seed))
    command = [sys.executable, "-m", "tests.unbreakable.fuzz", *numbers, *doors]
    subprocess.run(command, cwd=ROOT, check=True, timeout=3000)


def is_back(server: Server, descriptors: int) -> Callable[[], bool]:
    def check() -> bool:
        rows = server.stats()["techniques"].values()
        return server.descriptors() <= descriptors and not any(row["open"] for row in rows)

    return check


@pytest.mark.attack("stop the server, fill its log", "on")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_hostile_streams_leave_nothing_behind_and_nobody_notices(tmp_path: Path, loop: str) -> None:
    count = COUNT if loop == "auto" else max(COUNT // 5, 1)
    # Whoever sent its last word and hung up is found at a heartbeat.
    with serving(tmp_path, "--deflate", "--loop", loop, "--heartbeat", "2") as server:
        # Warm up: interpreters grow with what they meet first.
        throw(server, max(count // 10, 40), SEED, *DOORS)
        server.ask("/clock")
        eventually(is_back(server, server.descriptors()), "the connections to end", 60)
        descriptors, memory = server.descriptors(), server.resident_bytes()
        with audit(server):
            for doors in [(door,) for door in DOORS] if is_full() else [DOORS]:
                throw(server, count, SEED + 1, *doors)
                assert not server.said(), f"{doors}: {server.said()}"
        eventually(is_back(server, descriptors), "the connections to end", 60)
        grown = server.resident_bytes() - memory
        assert grown < 32 * 2**20, f"grown by {grown / 2**20:.1f} MiB"


def test_some_hostile_streams_at_each_door(server: Server) -> None:
    """The same in small, for every run of the tests; the seed is fixed."""
    rng = random.Random(20)
    for choices in seeds(server.port).values():
        for _ in range(30):
            seed = rng.choice(choices)
            port = server.plugin_port if seed.is_plugin else server.port
            with RawSocket(port) as talk, contextlib.suppress(ConnectionError):
                talk.send(mutate(rng, seed.opening + seed.rest, choices))
                talk.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    talk.socket.recv(1000)
    eventually(lambda: server.ask("/clock").status == 200, "the server to go on")

"""What all workers tell together, and who is at any of them."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from servers.app import Running
from tests.servers.asking import Link, ask, publish
from tests.servers.shared.conftest import servers_of
from tests.support.engines import Valkey
from tests.support.waiting import until, until_told


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    board = pytest.importorskip("servers.shared.board")
    monkeypatch.setattr(board, "_PERIOD_S", 0.05)
    monkeypatch.setattr(board, "_DEAD_S", 0.3)


async def told(server: Running) -> dict:  # type: ignore[type-arg]
    found: dict = (await ask(server, "GET /stats")).json  # type: ignore[type-arg]
    return found


async def notices(server: Running, channel: str) -> list[str]:
    """Return what was announced, in the order of the history."""
    answer = await ask(server, f"GET /polling?channel={channel}&after=abc-0")
    return [f"{m['sender']} {m['presence']}" for m in answer.json["messages"] if "presence" in m]


async def test_counts_are_of_all_workers_and_stay_when_one_is_gone(
    own_engine: Valkey, channel: str
) -> None:
    async with AsyncExitStack() as stack:
        (one,) = await servers_of(own_engine.url, stack, 1)
        async with AsyncExitStack() as others:
            (other,) = await servers_of(own_engine.url, others, 1)
            await publish(other, channel, "hola")
            for _ in range(3):
                await ask(other, f"GET /polling?channel={channel}&after=abc-0")
            async with Link(other.port) as link:
                link.ask(f"GET /sse?channel={channel}")
                await link.head()

                async def are_heard() -> bool:
                    stats = await told(one)
                    rows = stats["techniques"]
                    return (
                        len(stats["workers"]) == 2
                        and rows["polling"]["deliveries"] == 3
                        and rows["sse"]["held"] == 1
                        and stats["channels"][channel]["subscribers"] == 1
                    )

                await until_told(are_heard, "both are counted")
                metrics = (await ask(one, "GET /metrics")).body
                assert b'duplex_held{technique="sse"} 1' in metrics

        async def is_gone() -> bool:
            stats = await told(one)
            kept = stats["techniques"]["polling"]["deliveries"] == 3
            return len(stats["workers"]) == 1 and kept

        await until_told(is_gone, "one is gone, and what it had counted is not")
        stats = await told(one)
        assert stats["techniques"]["sse"]["held"] == 0
        assert stats["process"]["pid"] == stats["workers"][0]["pid"]


async def test_a_name_joins_and_leaves_once_wherever_it_connects(
    own_engine: Valkey, channel: str
) -> None:
    async with AsyncExitStack() as stack:
        one, other = await servers_of(own_engine.url, stack)
        async with Link(one.port) as first:
            first.ask(f"GET /sse?channel={channel}&name=ana")
            await first.head()
            async with Link(other.port) as second:
                second.ask(f"GET /sse?channel={channel}&name=ana")
                await second.head()
                await until_said(other, channel, ["ana joined"])
            await until(lambda: not other.service.ledger.rows["sse"].open, "it is closed")
            await asyncio.sleep(0.1)
            assert await notices(one, channel) == ["ana joined"]
        await until_said(other, channel, ["ana joined", "ana left"])


async def until_said(server: Running, channel: str, said: list[str]) -> None:
    async def is_said() -> bool:
        return await notices(server, channel) == said

    await until_told(is_said, f"{said}")


async def test_the_people_of_a_worker_that_was_killed_leave(
    own_engine: Valkey, channel: str
) -> None:
    """But not those who came elsewhere meanwhile."""
    async with AsyncExitStack() as stack:
        one, other = await servers_of(own_engine.url, stack)
        dead = json.dumps([channel, "eva", "sse"])
        moved = json.dumps([channel, "ana", "sse"])
        async with Link(one.port) as link:
            link.ask(f"GET /sse?channel={channel}&name=ana")
            await link.head()
            await until_said(other, channel, ["ana joined"])
            # What a worker leaves behind that ends without a word.
            own_engine.say("ZADD", "duplex:workers", 1, "gone")
            for who in (dead, moved):
                own_engine.say("SADD", "duplex:of:gone", who)
                own_engine.say("SADD", f"duplex:here:{who}", "gone")
            await until_said(other, channel, ["ana joined", "eva left"])
            assert own_engine.say("KEYS", "duplex:of:gone") == []

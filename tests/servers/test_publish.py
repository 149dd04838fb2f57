import gzip

import pytest

from servers.app import Running, running
from servers.front import bodies
from servers.front.problems import Problem
from servers.publish import publish_body, publish_fields
from servers.service import Settings, make_service
from tests.servers.asking import Link, ask
from tests.servers.standing_in import newest

TEXT = "Content-Type: text/plain"


async def test_the_size_is_that_of_the_body_in_bytes() -> None:
    service = make_service(Settings(most_message=10))
    channel = service.channel("lobby")
    for body in ("ř" * 5, b"x" * 10, "\ud83d" * 3, ""):
        publish_body(service, None, channel, body, "ana")
    assert channel.log.last == 4
    for body in ("ř" * 5 + "x", b"x" * 11, "\ud83d" * 4):
        with pytest.raises(Problem, match="10 bytes"):
            publish_body(service, None, channel, body, "ana")
    assert channel.log.last == 4


async def test_what_is_published_counts_for_its_technique() -> None:
    service = make_service(Settings())
    channel = service.channel("lobby")
    publish_fields(service, "web_socket", channel, {"text": "x"})
    publish_fields(service, None, channel, {"text": "x"})
    assert service.row("web_socket").publishes == 1


async def test_the_sender_in_the_body_is_nearer_than_the_one_around_it() -> None:
    service = make_service(Settings())
    channel = service.channel("lobby")
    publish_fields(service, None, channel, {"text": "x"}, "ana")
    assert newest(channel).sender == "ana"
    fields = {"text": "x", "sender": "eva"}
    publish_fields(service, None, channel, fields, "ana")
    assert newest(channel).sender == "eva"


async def test_who_may_publish_can_be_restricted() -> None:
    service = make_service(Settings())

    def allow(channel: str, size: int) -> None:
        if (channel, size) != ("lobby", 3):
            raise Problem(429, "slowly")

    service.allow = allow
    channel = service.channel("lobby")
    publish_body(service, None, channel, "abc", "")
    with pytest.raises(Problem, match="slowly"):
        publish_body(service, None, channel, "abcd", "")
    assert channel.log.last == 1


async def test_a_body_that_does_not_come_is_given_up(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_BODY_SECONDS", 0.05)
    async with Link(here.port) as link:
        link.send(b"POST /publish HTTP/1.1\r\nHost: here\r\nContent-Type: text/plain\r\n")
        link.send(b"Content-Length: 10\r\n\r\nhalf")
        (await link.answer()).check_problem(408, "within")
    assert here.service.channel("lobby").log.last == 0


@pytest.mark.slow
async def test_a_length_that_is_too_large_is_refused_before_the_body_comes() -> None:
    async with running(Settings(most_message=10)) as server, Link(server.port) as link:
        link.send(b"POST /publish HTTP/1.1\r\nHost: here\r\nContent-Type: text/plain\r\n")
        link.send(b"Content-Length: 1000000000\r\n\r\n")
        (await link.answer()).check_problem(413, "10 bytes")


async def test_the_answer_tells_id_and_cursor(here: Running) -> None:
    for number in (1, 2):
        answer = await ask(here, "POST /publish?channel=x", TEXT, body=b"hola")
        assert answer.status == 201
        channel = here.service.channel("x")
        assert answer.json == {"id": number, "cursor": channel.cursor(number)}


async def test_a_body_in_an_unknown_coding_is_refused_and_not_published(here: Running) -> None:
    kind = "Content-Type: application/octet-stream"
    for coding in ("br", "x-gzip", "gzip, br"):
        answer = await ask(here, "POST /publish", kind, f"Content-Encoding: {coding}", body=b"x")
        answer.check_problem(415, coding, "gzip or deflate")
        assert answer.head.fields["accept-encoding"] == "gzip, deflate"
    async with Link(here.port) as link:
        link.ask("POST /publish", kind, "Transfer-Encoding: gzip, chunked")
        link.send(b"1\r\nx\r\n0\r\n\r\n")
        (await link.answer()).check_problem(501, "chunked")
    assert here.service.channel("lobby").log.last == 0
    for coding, body in [("GZIP", gzip.compress(b"x")), ("identity", b"x")]:
        answer = await ask(here, "POST /publish", kind, f"Content-Encoding: {coding}", body=body)
        assert answer.status == 201

from servers.app import Running
from tests.servers.asking import Link, ask
from tests.servers.standing_in import newest
from tests.support.waiting import until


async def test_the_exact_bytes_of_a_stream(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /fetch_stream?channel=x")
        assert (
            await link.until(b"\r\n\r\n")
            == (
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                f"Cache-Control: no-store\r\nDuplex-Cursor: {channel.cursor()}\r\n"
                "X-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n"
            ).encode()
        )
        assert await link.exactly(6) == b"1\r\n\n\r\n"  # before there is anything to say
        channel.publish("hola\n", "ana", sent_ns=7)
        line = (
            f'{{"id":1,"sender":"ana","sent_ns":7,"published_ns":{newest(channel).published_ns},'
            '"text":"hola\\n"}\n'
        )
        assert await link.until(b"}\n\r\n") == f"{len(line):x}\r\n{line}\r\n".encode()


async def test_a_gap_is_a_line(here: Running) -> None:
    cursor = here.service.channel("x").cursor(0)
    async with Link(here.port) as link:
        link.ask("GET /fetch_stream?channel=x&after=other-1")
        said = await link.until(b"}\n")
        assert said.endswith(f'\n{{"gap":true,"cursor":"{cursor}"}}\n'.encode())


async def test_an_http_1_0_client_reads_lines_until_the_end(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.send(b"GET /fetch_stream?channel=x HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"Connection: close" in await link.until(b"\r\n\r\n")
        channel.publish("hola")
        said = await link.until(b"}\n")
        assert said.startswith(b'\n{"id":1')


async def test_a_question_is_answered_by_what_follows(here: Running) -> None:
    channel = here.service.channel("x")
    channel.publish("before")
    async with Link(here.port) as link:
        link.ask(
            "POST /fetch_stream?channel=x&sender=ana", "Content-Type: text/plain", body=b"who?"
        )
        head = await link.head()
        assert head.fields["duplex-cursor"] == channel.cursor(2)
        assert newest(channel).body == "who?"
        assert newest(channel).sender == "ana"
        channel.publish("me")
        said = await link.until(b"}\n")
        assert b'"text":"me"' in said
        assert b"who?" not in said
        assert here.service.row("fetch_stream").publishes == 1
    await until(lambda: not channel.readers, "it is gone")


async def test_a_question_with_a_cursor_is_answered_by_all_behind_it(here: Running) -> None:
    channel = here.service.channel("x")
    channel.publish("before")
    async with Link(here.port) as link:
        link.ask(
            f"POST /fetch_stream?channel=x&after={channel.cursor(0)}",
            "Content-Type: text/plain",
            body=b"who?",
        )
        said = await link.until(b'"text":"who?"}\n')
        assert b'"text":"before"' in said


async def test_what_is_refused_is_not_published(here: Running) -> None:
    answer = await ask(
        here, "POST /fetch_stream?channel=x", "Content-Type: text/html", body=b"hola"
    )
    answer.check_problem(415, "text/plain")
    (await ask(here, "GET /fetch_stream?after=wrong")).check_problem(400, "epoch-id")
    answer = await ask(
        here, "POST /fetch_stream?channel=x&after=wrong", "Content-Type: text/plain", body=b"hola"
    )
    answer.check_problem(400, "epoch-id")
    assert here.service.channel("x").log.last == 0
    assert here.service.row("fetch_stream").open == 0

from servers.app import Running
from tests.servers.asking import Link, ask
from tests.servers.standing_in import newest
from tests.support.waiting import until


async def test_the_exact_bytes_of_a_stream(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=x")
        assert (
            await link.until(b"\r\n\r\n")
            == (
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                f"Duplex-Cursor: {channel.cursor()}\r\nX-Accel-Buffering: no\r\n"
                "Transfer-Encoding: chunked\r\n\r\n"
            ).encode()
        )
        assert await link.until(b"\n\n\r\n") == b"d\r\nretry: 2000\n\n\r\n"
        channel.publish("hola", "ana", sent_ns=7)
        event = (
            f'id: {channel.cursor()}\ndata: {{"id":1,"sender":"ana","sent_ns":7,'
            f'"published_ns":{newest(channel).published_ns},"text":"hola"}}\n\n'
        )
        assert await link.until(b"\n\n\r\n") == f"{len(event):x}\r\n{event}\r\n".encode()


async def test_a_gap_is_an_event_of_its_own(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=x&after=other-1")
        cursor = channel.cursor(0)
        said = await link.until(b'"}\n\n')
        assert said.endswith(
            f'event: gap\nid: {cursor}\ndata: {{"gap":true,"cursor":"{cursor}"}}\n\n'.encode()
        ) or said.endswith(
            f'id: {cursor}\nevent: gap\ndata: {{"gap":true,"cursor":"{cursor}"}}\n\n'.encode()
        )


async def test_last_event_id_is_the_newer_word(here: Running) -> None:
    channel = here.service.channel("x")
    for text in ("one", "two"):
        channel.publish(text)
    async with Link(here.port) as link:
        link.ask(
            f"GET /sse?channel=x&after={channel.cursor(0)}", f"Last-Event-ID: {channel.cursor(1)}"
        )
        assert (await link.head()).fields["duplex-cursor"] == channel.cursor(1)


async def test_a_stream_is_one_subscriber(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /sse?channel=x")
        await link.head()
        ((key, reader),) = channel.readers.items()
        assert reader.size == 1
        assert "sse" in str(key)
    await until(lambda: not channel.readers, "it is gone")


async def test_a_wrong_cursor_is_a_problem_and_no_stream(here: Running) -> None:
    (await ask(here, "GET /sse?after=wrong")).check_problem(400, "epoch-id")
    assert here.service.row("sse").open == 0

from servers.app import Running
from tests.servers.asking import Link
from tests.servers.standing_in import newest


async def test_the_exact_bytes_of_a_frame(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.ask("GET /forever_frame?channel=x")
        head = await link.head()
        assert head.fields["content-type"] == "text/html; charset=utf-8"
        assert head.fields["duplex-cursor"] == channel.cursor()
        size = int(await link.until(b"\r\n"), 16)
        assert (await link.exactly(size + 2)).startswith(b"<!doctype html>")
        channel.publish("</script>", "ana", sent_ns=7)
        call = (
            '<script>parent.receive({"id":1,"sender":"ana","sent_ns":7,'
            f'"published_ns":{newest(channel).published_ns},"text":"\\u003c/script>"}})</script>'
        )
        size = int(await link.until(b"\r\n"), 16)
        script = await link.exactly(size + 2)
        assert script.decode().strip() == call


async def test_over_http_1_0_there_are_no_chunks(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as link:
        link.send(b"GET /forever_frame?channel=x HTTP/1.0\r\n\r\n")
        head = await link.head()
        assert "transfer-encoding" not in head.fields
        assert (await link.exactly(15)) == b"<!doctype html>"
        channel.publish("hola")
        assert b"\r\n" not in await link.until(b"</script>")


async def test_a_gap_is_a_call_like_any_other(here: Running) -> None:
    async with Link(here.port) as link:
        link.ask("GET /forever_frame?channel=x&after=other-1")
        await link.until(b'parent.receive({"gap":true,"cursor":"')


async def test_old_and_new_clients_share_messages_but_no_framing(here: Running) -> None:
    channel = here.service.channel("x")
    async with Link(here.port) as new, Link(here.port) as old:
        new.ask("GET /forever_frame?channel=x")
        old.send(b"GET /forever_frame?channel=x HTTP/1.0\r\n\r\n")
        for link in (new, old):
            await link.head()
        assert len(channel.readers) == 2
        channel.publish("hola")
        for link in (new, old):
            await link.until(b'"text":"hola"')

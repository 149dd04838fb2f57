from servers.app import Running
from tests.servers.asking import Link, ask
from tests.servers.standing_in import newest


async def test_the_exact_bytes_of_an_answer(here: Running) -> None:
    channel = here.service.channel("x")
    before = channel.cursor()
    channel.publish("hola", "ana", sent_ns=7)
    body = (
        f'{{"messages":[{{"id":1,"sender":"ana","sent_ns":7,"published_ns":{newest(channel).published_ns},'
        f'"text":"hola"}}],"cursor":"{channel.cursor()}","gap":false}}'
    )
    async with Link(here.port) as link:
        link.ask(f"GET /polling?channel=x&after={before}")
        head = (
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        assert await link.exactly(len(head + body)) == (head + body).encode()


async def test_it_never_waits(here: Running) -> None:
    cursor = here.service.channel("x").cursor()
    answer = await ask(here, f"GET /polling?channel=x&after={cursor}&timeout=25")
    assert (answer.status, answer.body) == (204, b"")
    assert here.service.row("polling").held == 0

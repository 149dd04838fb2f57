"""Another keeper of the history: its news, its refusals, and its losses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

import clients
from clients.client import Client
from servers import publish as module
from servers.app import Running, running
from servers.kinds import two_way
from servers.service import Settings
from tests.late_servers import Keeper
from tests.servers.asking import Answer, Link, ask, publish
from tests.support.specification import check
from tests.support.waiting import PATIENCE_S, until
from wire.json_lines import encode_line
from wire.message import Gap, Message
from wire.techniques import SLUGS
from wire.web_socket_frames import Frame, FrameDecoder, Opcode, encode_frame

TEXT = "Content-Type: text/plain"
JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
POSTS = {
    "text": ("POST /publish?channel=x", TEXT, b"hola"),
    "bytes": ("POST /publish?channel=x", "Content-Type: application/octet-stream", b"\xff"),
    "json": ("POST /publish?channel=x", JSON, b'{"text":"hola"}'),
    "page's form": ("POST /page_reload", FORM, b"channel=x&text=hola"),
    "frame's form": ("POST /frame_reload", FORM, b"channel=x&text=hola"),
}
OPENING = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
async def two(keeper: Keeper) -> AsyncIterator[tuple[Running, Running]]:
    """Run two servers that share one keeper."""
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(running(Settings(log_messages=10), logs=keeper))
            for _ in range(2)
        ]
        yield one, other


def open_client(slug: str, server: Running) -> Client:
    options = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
    if slug in ("page_reload", "frame_reload", "polling"):
        options["interval"] = 0.02  # type: ignore[assignment]
    return clients.open(slug, server.url, "x", **options)


async def receive(client: Client) -> Message | Gap | None:
    return await asyncio.to_thread(client.receive, PATIENCE_S)


@pytest.mark.slow
def test_the_specification_holds_with_another_log() -> None:
    """On servers that do not keep the history themselves."""
    check("--servers", "tests.late_servers")


@pytest.mark.parametrize("slug", SLUGS)
async def test_what_is_published_at_one_server_comes_from_the_other(
    two: tuple[Running, Running], slug: str
) -> None:
    one, other = two
    client = await asyncio.to_thread(open_client, slug, other)
    try:
        answers = await publish(one, "x", "hola", "adiós")
        assert [answer["id"] for answer in answers] == [1, 2]
        for answer in answers:
            message = await receive(client)
            assert isinstance(message, Message)
            assert message.id == answer["id"]
        # A place in the history is the same place at both.
        assert client.cursor == answers[-1]["cursor"]
        assert client.last_gap is None
    finally:
        await asyncio.to_thread(client.close)


@pytest.mark.parametrize("slug", SLUGS)
async def test_whoever_listens_is_told_of_the_gap_when_the_keeper_has_lost_all(
    two: tuple[Running, Running], keeper: Keeper, slug: str
) -> None:
    one, _ = two
    client = await asyncio.to_thread(open_client, slug, one)
    try:
        (before,) = await publish(one, "x", "lost")
        assert isinstance(await receive(client), Message)
        keeper.lose_all()
        assert isinstance(await receive(client), Gap)
        (after,) = await publish(one, "x", "of another life")
        message = await receive(client)
        assert isinstance(message, Message)
        assert (message.id, message.body) == (1, "of another life")
        assert client.cursor == after["cursor"] != before["cursor"]
    finally:
        await asyncio.to_thread(client.close)


@pytest.fixture(params=["refuses", "is silent"])
def trouble(
    request: pytest.FixtureRequest, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Let the keeper take no message; return words that tell of it."""
    if request.param == "refuses":
        keeper.refuses = True
        return ["not published", "the keeper is away"]
    keeper.is_silent = True
    monkeypatch.setattr(module, "_LOG_SECONDS", 0.02)
    return ["did not answer", "may come, or not"]


def check_refusal(answer: Answer, words: list[str]) -> None:
    answer.check_problem(503, *words)
    assert answer.head.fields["retry-after"] == "1"


@pytest.mark.parametrize("kind", POSTS)
async def test_a_post_that_the_log_does_not_keep_is_answered_so(
    two: tuple[Running, Running], trouble: list[str], kind: str
) -> None:
    line, fields, body = POSTS[kind]
    check_refusal(await ask(two[0], line, fields, body=body), trouble)
    assert two[0].service.row("page_reload").publishes == 0


def check_in_band(said: bytes, words: list[str]) -> None:
    problem = json.loads(said)["problem"]
    assert (problem["status"], problem["retry_after"]) == (503, 1)
    for word in words:
        assert word in problem["detail"]


@pytest.mark.parametrize(
    ("query", "opcode", "sent"),
    [
        ("", Opcode.TEXT, b"hola"),
        ("", Opcode.BINARY, b"\xff"),
        ("&envelope=json", Opcode.TEXT, b'{"text":"hola"}'),
    ],
)
async def test_a_websocket_is_told_of_a_message_that_the_log_does_not_keep_and_stays(
    two: tuple[Running, Running],
    keeper: Keeper,
    trouble: list[str],
    query: str,
    opcode: Opcode,
    sent: bytes,
) -> None:
    async with Link(two[0].port) as link:
        link.ask(f"GET /web_socket?channel=x{query}", *OPENING)
        await link.head()
        decoder = FrameDecoder(masked=False, limit=2**20)
        link.send(encode_frame(opcode, sent, mask=b"mask"))
        frames: list[Frame] = []
        while not frames:
            frames = decoder.decode(await link.reader.read(65536))
        check_in_band(frames[0].payload, trouble)
        assert two[0].service.row("web_socket").publishes == 0
        keeper.refuses = keeper.is_silent = False
        link.send(encode_frame(opcode, sent, mask=b"mask"))
        await until(lambda: two[0].service.row("web_socket").publishes == 1, "it is published")


async def test_a_plugin_is_told_of_a_message_that_the_log_does_not_keep_and_stays(
    two: tuple[Running, Running], keeper: Keeper, trouble: list[str]
) -> None:
    async with Link(two[0].plugin_port) as link:
        link.send(encode_line(b'{"channel":"x"}'))
        await link.until(b"\0")
        link.send(encode_line(b'{"text":"hola"}'))
        check_in_band((await link.until(b"\0"))[:-1], trouble)
        keeper.refuses = keeper.is_silent = False
        link.send(encode_line(b'{"text":"hola"}'))
        assert json.loads((await link.until(b"\0"))[:-1])["id"] == 1


async def test_whoever_left_before_the_log_refused_is_told_nothing(
    two: tuple[Running, Running], keeper: Keeper
) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    keeper.refuses = True
    row = two[0].service.row("plugin_socket")
    async with Link(two[0].plugin_port) as link:
        link.send(encode_line(b'{"channel":"x","name":"ana"}'))  # whose coming is not kept, either
        await link.until(b"\0")
        link.send(encode_line(b'{"text":"hola"}'))
        await until(lambda: row.bytes_up > 40, "the message")
    await until(lambda: row.open == 0, "it is gone")
    (await ask(two[0], "POST /publish?channel=x", TEXT, body=b"x")).check_problem(503)
    assert errors == []


async def test_a_client_that_sends_ahead_of_a_silent_log_is_not_read_for_a_while(
    two: tuple[Running, Running], keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(two_way, "_MOST_ON_THEIR_WAY", 3)
    keeper.is_silent = True
    monkeypatch.setattr(module, "_LOG_SECONDS", 0.2)
    async with Link(two[0].plugin_port) as link:
        link.send(encode_line(b'{"channel":"x"}'))
        await link.until(b"\0")
        (held,) = two[0].service.liveness.held
        link.send(encode_line(b'{"text":"hola"}') * 3)
        await until(lambda: not held.transport.is_reading(), "it is read no more")
        for _ in range(3):
            assert b'"status":503' in await link.until(b"\0")
        await until(held.transport.is_reading, "it is read again")
        keeper.is_silent = False
        link.send(encode_line(b'{"text":"hola"}'))
        assert b'"id":1' in await link.until(b"\0")

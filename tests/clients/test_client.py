"""What every client does alike, against a real server."""

import threading
import time
from collections.abc import Callable

import pytest

import clients
from clients.client import Client
from clients.errors import ClosedError, ConnectionLostError, RefusedError, UnreachableError
from tests.support.processes import ServerProcess
from wire.message import Gap, Message
from wire.techniques import SLUGS

from .conftest import Proxy

Connect = Callable[..., Client]
WAIT_S = 15.0
pytestmark = pytest.mark.parametrize("slug", SLUGS)


def take(client: Client, count: int) -> list[Message]:
    """Receive ``count`` messages, through as many short timeouts as it takes."""
    messages: list[Message] = []
    deadline = time.monotonic() + WAIT_S
    while len(messages) < count and time.monotonic() < deadline:
        item = client.receive(0.2)
        if isinstance(item, Message):
            messages.append(item)
    return messages


def test_sends_and_receives_text_and_bytes(connect: Connect, slug: str) -> None:
    client = connect(slug)
    client.send("hola ñ 🎈 <b>&\"'\n", sender="ana", sent_ns=5)
    client.send(b"\0\1\xff")
    first, second = take(client, 2)
    assert (first.id, first.sender, first.sent_ns) == (1, "ana", 5)
    assert first.body == "hola ñ 🎈 <b>&\"'\n"
    assert second.body == b"\0\1\xff"
    assert client.receive(0.1) is None


def test_made_is_subscribed(connect: Connect, slug: str) -> None:
    client, sender = connect(slug), connect("sse")
    sender.send("at once")
    assert [message.body for message in take(client, 1)] == ["at once"]


def test_cursor_is_behind_what_was_handed_out(connect: Connect, slug: str) -> None:
    sender, client = connect("sse"), connect(slug)
    for number in range(5):
        sender.send(f"{number}")
    taken = take(client, 2)
    again = connect(slug, after=client.cursor)
    assert [message.body for message in taken + take(again, 3)] == ["0", "1", "2", "3", "4"]


def test_receive_many_hands_out_the_rest(connect: Connect, slug: str) -> None:
    sender = connect("sse")
    start = sender.cursor
    for number in range(5):
        sender.send(f"{number}")
    client = connect(slug, after=start)
    bodies = [take(client, 1)[0].body]
    while len(bodies) < 5 and (items := client.receive_many(WAIT_S)):
        bodies += [item.body for item in items if isinstance(item, Message)]
    assert bodies == ["0", "1", "2", "3", "4"]
    last = client.receive_many(0.0)
    assert not last
    assert client.cursor == f"{(start or '').split('-')[0]}-5"
    assert 0 < client.arrived_ns <= time.monotonic_ns()


def test_iterates_until_closed_by_another_thread(connect: Connect, slug: str) -> None:
    client, sender = connect(slug), connect("sse")
    seen: list[object] = []

    def watch() -> None:
        seen.extend(message.body for message in client)
        seen.append("ended")

    thread = threading.Thread(target=watch)
    thread.start()
    sender.send("one")
    deadline = time.monotonic() + WAIT_S
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    client.close()
    thread.join(WAIT_S)
    assert seen == ["one", "ended"]
    with pytest.raises(ClosedError):
        client.receive(0.1)
    client.close()


def test_one_thread_sends_while_one_receives(connect: Connect, slug: str) -> None:
    client = connect(slug)
    thread = threading.Thread(target=lambda: [client.send(f"{n}") for n in range(50)])
    thread.start()
    assert [message.body for message in take(client, 50)] == [f"{n}" for n in range(50)]
    thread.join(WAIT_S)


def test_timeouts_in_mid_message_lose_nothing(connect: Connect, slug: str) -> None:
    client, sender = connect(slug), connect("sse")
    bodies = ["é" * 300_000, "small", "x" * 700_000]
    thread = threading.Thread(target=lambda: [sender.send(body) for body in bodies])
    thread.start()
    received: list[object] = []
    deadline = time.monotonic() + WAIT_S
    while len(received) < 3 and time.monotonic() < deadline:
        item = client.receive(0.0005)
        if item is not None:
            assert isinstance(item, Message)
            received.append(item.body)
    thread.join(WAIT_S)
    assert received == bodies


def test_a_cut_connection_resumes(
    connect: Connect, server: ServerProcess, make_proxy: Callable[[int], Proxy], slug: str
) -> None:
    proxy = make_proxy(server.port_of(slug))
    client, sender = connect(slug, dial=proxy.dial), connect("web_socket")
    sender.send("before")
    assert [message.body for message in take(client, 1)] == ["before"]
    before = client.connections
    proxy.cut()
    for number in range(3):
        sender.send(f"meanwhile {number}")
    assert [message.id for message in take(client, 3)] == [2, 3, 4]
    assert client.connections > before
    assert client.last_gap is None


def test_gives_up_with_a_clear_error(
    connect: Connect, server: ServerProcess, make_proxy: Callable[[int], Proxy], slug: str
) -> None:
    proxy = make_proxy(server.port_of(slug))
    client = connect(slug, dial=proxy.dial, reconnects=1)
    proxy.refuses = True
    proxy.cut()
    with pytest.raises(ConnectionLostError, match="gave up after 1 reconnect"):
        client.receive(WAIT_S)
    proxy.refuses = False
    connect("sse").send("later")
    assert take(client, 1)[0].body == "later"


def test_a_gap_is_surfaced(connect: Connect, slug: str) -> None:
    sender = connect("sse")
    sender.send("kept")
    client = connect(slug, after="0other-7")
    item = client.receive(WAIT_S)
    assert isinstance(item, Gap)
    assert client.last_gap == item
    assert client.cursor == item.cursor
    assert [message.body for message in take(client, 1)] == ["kept"]


def test_a_refusal_says_what_is_accepted(
    connect: Connect, server: ServerProcess, slug: str
) -> None:
    options = {"plugin_port": server.plugin_port} if slug == "plugin_socket" else {}
    with pytest.raises(RefusedError, match="1 to 64") as caught:
        clients.open(slug, server.url, "not a channel", **options)
    assert caught.value.status == 400
    assert caught.value.title


def test_nobody_listens(slug: str, make_proxy: Callable[[int], Proxy]) -> None:
    proxy = make_proxy(1)
    proxy.close()  # now nobody listens on its port
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{proxy.port}") as caught:
        clients.open(slug, "http://127.0.0.1:1", dial=proxy.dial)
    assert caught.value.port == proxy.port


def test_presence_is_told_with_a_name(connect: Connect, slug: str) -> None:
    watcher = connect("sse")
    connect(slug, name="bo")
    (notice,) = take(watcher, 1)
    assert (notice.presence, notice.sender, notice.body) == ("joined", "bo", slug)


def test_counts_agree_with_the_kernel(connect: Connect, slug: str) -> None:
    client = connect(slug)
    client.send("hola")
    assert take(client, 1)
    client.close()
    kernel = client.tcp_info()
    if kernel is None:
        pytest.skip("the kernel tells its counts only on Linux")
    assert kernel.bytes_sent == client.bytes_up
    # A FIN of the peer is counted as a byte, once for each connection.
    assert 0 <= kernel.bytes_received - client.bytes_down <= client.connections
    assert kernel.segs_in > 0
    assert client.connect_s > 0

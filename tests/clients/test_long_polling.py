import time
from collections.abc import Callable

from clients.client import Client
from clients.long_polling import LongPollingClient
from tests.support.processes import ServerProcess
from wire.message import Message


def test_holds_again_when_nothing_came(server: ServerProcess, channel: str) -> None:
    with LongPollingClient(server.url, channel, hold_s=0.05) as client:
        while client.requests < 5:
            assert client.receive(0.02) is None
        client.send("at last")
        item = client.receive(10)
        assert item is not None
        assert client.cursor is not None
        assert client.cursor.endswith("-1")


def test_one_connection_for_all_polls_or_one_for_each(server: ServerProcess, channel: str) -> None:
    with (
        LongPollingClient(server.url, channel) as kept,
        LongPollingClient(server.url, channel, keep_alive=False) as single,
    ):
        for number in range(3):
            kept.send(f"{number}")
            assert kept.receive(10) is not None
            assert single.receive(10) is not None
        assert kept.connections == 2
        assert single.connections >= 4
        totals = single.tcp_info()
        assert totals is None or totals.bytes_sent == single.bytes_up


def test_the_naive_one_loses_what_comes_between_two_requests(
    server: ServerProcess, connect: Callable[..., Client], channel: str
) -> None:
    sender = connect("web_socket")
    with LongPollingClient(server.url, channel, naive=True) as client:
        got: list[object] = []
        deadline = time.monotonic() + 10
        number = 0
        while not got and time.monotonic() < deadline:  # until one falls into a held request
            number += 1
            sender.send(f"{number}")
            got += client.receive_many(0.2)
        assert got
        sender.send("lost")  # no request is held now
        assert sender.receive(10) is not None
        while (item := sender.receive(0.2)) is not None:
            last = item
        assert isinstance(last, Message)
        assert last.body == "lost"
        assert client.receive(0.2) is None
        sender.send("held")
        caught = client.receive(10)
        assert isinstance(caught, Message)
        assert caught.body == "held"

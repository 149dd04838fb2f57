from collections.abc import Callable

import pytest

from clients.client import Client
from clients.errors import RefusedError
from wire.message import Message


@pytest.mark.parametrize("slug", ["page_reload", "frame_reload"])
def test_a_form_is_answered_by_a_page_not_a_receipt(
    connect: Callable[..., Client], slug: str
) -> None:
    client = connect(slug)
    before = client.requests
    assert client.send("hola & adiós", sender="ana", sent_ns=7) is None
    assert client.requests == before + 2  # POST, then GET of where it redirects to
    item = client.receive(10)
    assert isinstance(item, Message)
    assert (item.id, item.body, item.sender, item.sent_ns) == (1, "hola & adiós", "ana", 7)
    assert client.receive(0.2) is None  # the sender did not become present


@pytest.mark.parametrize("slug", ["page_reload", "frame_reload"])
def test_more_than_a_page_shows(connect: Callable[..., Client], slug: str) -> None:
    client, sender = connect(slug), connect("sse")
    for number in range(60):
        sender.send(f"{number}")
    got: list[object] = []
    while len(got) < 60 and (items := client.receive_many(10)):
        got += [item.body for item in items if isinstance(item, Message)]
    assert got == [f"{number}" for number in range(60)]


def test_a_frame_is_smaller_than_its_page(connect: Callable[..., Client]) -> None:
    sizes = {}
    for slug in ("page_reload", "frame_reload"):
        client = connect(slug)
        down, requests = client.bytes_down, client.requests
        while client.requests < requests + 3:
            client.receive(0.05)
        sizes[slug] = (client.bytes_down - down) / (client.requests - requests)
    assert sizes["frame_reload"] < sizes["page_reload"]


def test_a_refused_form_is_said(connect: Callable[..., Client]) -> None:
    with pytest.raises(RefusedError) as caught:
        connect("page_reload").send("x", sent_ns=-(10**30))
    assert caught.value.status == 400

from collections.abc import Callable

import pytest

import clients
from clients.client import Client
from clients.errors import RefusedError, UnexpectedAnswerError
from clients.frame_reload import FrameReloadClient
from tests.clients.conftest import Script
from wire.message import Message

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LOGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<h1>Log in\n"


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


def asking(served: Script, slug: str, prefix: str = "") -> Client:
    """Open a client that says nothing by itself once it is open."""
    return clients.open(slug, served.url + prefix, after="e-0", interval=1000.0)


def redirection(status: str, to: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("slug", ["page_reload", "frame_reload"])
@pytest.mark.parametrize(
    "answer",
    [
        LOGIN,
        redirection("302 Found", "/login"),
        redirection("303 See Other", "/login"),
        redirection("307 Temporary Redirect", "/login"),
        redirection("302 Found", "/{slug}"),
        redirection("303 See Other", "/{slug}s"),
        redirection("303 See Other", "http://127.0.0.1:1/{slug}"),
        redirection("303 See Other", "//elsewhere.example/{slug}"),
        redirection("303 See Other", "http://[/{slug}"),
        redirection("303 See Other", ""),
        b"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_a_form_is_sent_only_where_it_is_answered_by_the_technique_s_own_page(
    script: Callable[..., Script], slug: str, answer: bytes
) -> None:
    opening: list[list[object]] = [[PAGE, ..., PAGE]] if slug == "frame_reload" else []
    served = script(*opening, [answer.replace(b"{slug}", slug.encode())])
    with asking(served, slug) as client, pytest.raises(UnexpectedAnswerError, match=f"/{slug}"):
        client.send("hola")


@pytest.mark.parametrize("to", ["/page_reload?a=b", "page_reload", "{url}/page_reload"])
@pytest.mark.parametrize("prefix", ["", "/behind/a/proxy"])
def test_a_redirection_may_be_written_in_many_ways(
    script: Callable[..., Script], to: str, prefix: str
) -> None:
    said: list[object] = [b"", ..., PAGE]
    served = script(said)  # whose address is known only now
    said[0] = redirection("303 See Other", to.replace("{url}", served.url + prefix))
    with asking(served, "page_reload", prefix) as client:
        assert client.send("hola") is None
    assert b"GET " in served.heard[1]


@pytest.mark.parametrize("answer", [LOGIN, redirection("303 See Other", "/login")])
def test_a_message_is_published_only_where_it_was_created(
    script: Callable[..., Script], answer: bytes
) -> None:
    with asking(script([answer]), "polling") as client, pytest.raises(UnexpectedAnswerError):
        client.send("hola")


def test_a_page_for_logging_in_is_no_frame(script: Callable[..., Script]) -> None:
    login = script([redirection("302 Found", "/login")])
    with pytest.raises(RefusedError, match="302"):
        FrameReloadClient(login.url)

"""What holds for every address: no caching, clear refusals, old clients, the ledger's doors."""

import json
import re
import time

import pytest

from tests.conformance.steps import (
    HTTP,
    HTTP_STREAMS,
    POLLS,
    POSTED,
    RELOADS,
    REQUESTED,
    Desk,
    Starting,
    check_problem,
    ids,
    join,
    raw_to,
    relay_to,
    subscribers,
    take,
    take_messages,
)
from tests.support.processes import ServerAddress
from tests.support.waiting import eventually
from wire.techniques import BY_SLUG

PLAIN = ["/stats", "/metrics", "/clock"]
ADDRESSES = [
    *(f"/{slug}" for slug in REQUESTED),
    "/frame_reload/frames",
    "/frame_reload/form",
    "/web_socket/echo",
    *PLAIN,
]


# Caches


@pytest.mark.words
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_may_be_stored(address: str, server: ServerAddress) -> None:
    """A proxy that gives a poll's old answer to the next who asks shows people yesterday's talk."""
    with raw_to(server) as raw:
        raw.get(address)
        assert raw.head().fields["cache-control"] == "no-store"


@pytest.mark.words
@pytest.mark.parametrize("address", [*ADDRESSES, "/publish", "/", "/nothing/here?at=all"])
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "POST"])
def test_what_is_not_accepted_is_a_problem_that_may_not_be_stored(
    method: str, address: str, desk: Desk
) -> None:
    """Who tries a wrong method or address should learn the right one, and never from a cache."""
    if method == "POST" and address[1:] in (*RELOADS, *POSTED):
        pytest.skip("this is how messages go up")
    status, fields, body = desk.ask(method, address)
    if method == "HEAD" and address in PLAIN:
        assert (status, body, fields["cache-control"]) == (200, b"", "no-store")
        return
    unknown = address == "/" or address.startswith("/nothing")
    assert status == (404 if unknown else 405)
    assert fields["cache-control"] == "no-store"
    assert fields["content-type"].startswith("application/problem+json")
    if method == "HEAD":
        assert body == b""
    else:
        check_problem(status, fields, body, "/polling" if unknown else method)
    if not unknown:
        assert fields["allow"]


@pytest.mark.words
@pytest.mark.parametrize("address", [*ADDRESSES, "/nothing"])
def test_a_head_too_long_is_told_which_part_and_not_what_it_held(
    address: str, server: ServerAddress
) -> None:
    """Cookies of all programs on a host come along; a refusal must not show them to anybody."""
    for status, target, field in (
        (431, address, "Cookie: s3cret=" + "x" * 17_000),
        (414, f"{address}?s3cret=" + "x" * 9_000, "Accept: */*"),
        (0, f"{address}?a=" + "x" * 8_000, "Cookie: a=" + "x" * 15_000),
    ):
        for first in ([], ["/polling"]):  # on a new connection, and on one that was kept
            with raw_to(server) as raw:
                for path in first:
                    raw.get(path)
                    raw.answer()
                raw.get(target, field)
                head = raw.head()
                assert head.status == status or (not status and head.status not in (414, 431))
                if status:
                    body = raw.exactly(head.length or 0)
                    check_problem(status, dict(head.fields), body, "bytes")
                    assert b"s3cret" not in body


def test_204_and_303_may_not_be_stored_either(desk: Desk, channel: str) -> None:
    """ "Nothing new" out of a cache is the worst of all answers: the talk seems to have ended."""
    cursor = desk.cursor(channel)
    for slug in POLLS:
        status, fields, _ = desk.ask("GET", f"/{slug}?channel={channel}&after={cursor}&timeout=0")
        assert (status, fields["cache-control"]) == (204, "no-store")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, fields, _ = desk.ask("POST", f"/page_reload?channel={channel}", b"text=x", form)
    assert (status, fields["cache-control"]) == (303, "no-store")


def test_what_is_no_http_is_refused_with_400(server: ServerAddress) -> None:
    """Whoever dials the wrong port deserves words and an end rather than silence."""
    with raw_to(server) as raw:
        raw.send(b"hola\r\n\r\n")
        head = raw.head()
        assert head.status == 400
        body = raw.exactly(head.length or 0)
        check_problem(400, dict(head.fields), body)


# Old clients


@pytest.mark.parametrize("slug", HTTP_STREAMS)
def test_http_1_0_clients_get_a_stream_without_chunks(
    slug: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Old proxies show chunk sizes as text to their readers: RFC 9112, 7.1 gives them none."""
    with raw_to(server) as raw:
        raw.get(f"/{slug}?channel={channel}", version="1.0")
        head = raw.head()
        assert "transfer-encoding" not in head.fields
        assert "content-length" not in head.fields
        assert head.fields["connection"] == "close"
        desk.publish(channel, "hola")
        said = raw.until(b'"text":"hola"}')
    assert not re.search(rb"^[0-9a-f]+\r\n", said, re.MULTILINE)


@pytest.mark.parametrize("slug", [*POLLS, *RELOADS])
def test_http_1_0_clients_get_an_answer_and_the_end(
    slug: str, server: ServerAddress, channel: str
) -> None:
    """A client of HTTP/1.0 waits for the end of the connection, for ever if it does not come."""
    with raw_to(server) as raw:
        raw.get(f"/{slug}?channel={channel}", version="1.0")
        assert raw.head().length is not None
        assert raw.rest()  # which ends


# Connections


def test_each_technique_keeps_its_connections(
    technique: str, server: ServerAddress, channel: str
) -> None:
    """Each new connection costs a round trip far away and a port at home.

    One to receive; HTTP techniques need a second to send, where the first is occupied.
    """
    with relay_to(server, technique) as relay:
        with join(technique, server, channel, through=relay) as client:
            for n in range(5):
                client.send(f"message {n}")
                take_messages(client, 1)
            assert client.connections == (2 if technique in HTTP else 1)
        with join(technique, server, channel, through=relay) as quiet:
            assert quiet.receive(0.1) is None
            assert quiet.connections == 1


@pytest.mark.parametrize("slug", [*POLLS, *RELOADS])
def test_a_connection_is_kept_for_the_next_request_of_any_kind(slug: str, desk: Desk) -> None:
    """A browser sends whatever comes next on a kept connection, and loses it where it is not
    taken.
    """
    for address in (f"/{slug}", "/clock", f"/{slug}", "/stats", f"/{slug}"):
        assert desk.ask("GET", address)[0] == 200
        sock = desk._connection.sock
        assert sock is not None
        assert desk._connection.sock is sock


@pytest.mark.parametrize("slug", POLLS)
def test_pipelined_polls_are_answered_in_their_order(
    slug: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A client that asks ahead tells answers apart by their order alone (RFC 9112, 9.3.2)."""
    epoch = desk.cursor(channel).partition("-")[0]
    desk.publish_all(channel, (f"message {n}" for n in range(1, 6)))
    with raw_to(server) as raw:
        raw.get(f"/{slug}?channel={channel}&after={epoch}-0")
        head = raw.head()
        raw.exactly(head.length or 0)
        asked = f"GET /{slug}?channel={channel}&after={epoch}-%d HTTP/1.1\r\nHost: x\r\n\r\n"
        raw.send("".join(asked % n for n in range(5)).encode())
        for n in range(5):
            head = raw.head()
            batch = json.loads(raw.exactly(head.length or 0))
            assert [message["id"] for message in batch["messages"]] == list(range(n + 1, 6))


# Waiting


def test_all_who_wait_in_a_long_poll_get_one_identical_answer(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Fifty who wait at one place are to hear the same, and the server is to say it once."""
    cursor = desk.cursor(channel)
    raws = [raw_to(server) for _ in range(50)]
    try:
        for raw in raws:
            raw.get(f"/long_polling?channel={channel}&after={cursor}")
        eventually(lambda: subscribers(server, channel) == 50, "all are waiting")
        desk.publish(channel, "hola")
        answers = {raw.until(b'"gap":false}') for raw in raws}
        assert len(answers) == 1
        assert b'"text":"hola"' in answers.pop()
    finally:
        for raw in raws:
            raw.close()


def test_a_long_poll_ends_with_204_when_its_time_is_over(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Proxies cut requests that take too long; who asks for a short wait gets "nothing" and no
    error.
    """
    cursor = desk.cursor(channel)
    begun = time.monotonic()
    status, _, body = desk.ask("GET", f"/long_polling?channel={channel}&after={cursor}&timeout=0.2")
    assert (status, body) == (204, b"")
    assert time.monotonic() - begun >= 0.2


def test_without_a_cursor_polls_answer_at_once_with_the_cursor_of_now(
    desk: Desk, channel: str
) -> None:
    """A page that has just been opened needs a place to begin, at once, even where nothing
    happens.
    """
    cursor = desk.publish(channel, "hola")["cursor"]
    for slug in POLLS:
        answer = json.loads(desk.ask("GET", f"/{slug}?channel={channel}")[2])
        assert answer == {"messages": [], "cursor": cursor, "gap": False}


def test_naive_long_polling_loses_what_comes_between_two_requests(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """The lesson of 2005: who waits without a cursor misses what is said while asking again."""
    with join("long_polling", server, channel, naive=True) as naive:
        eventually(lambda: subscribers(server, channel), "it waits")
        desk.publish(channel, "heard")
        assert ids(take(naive, 1)) == [1]
        desk.publish(channel, "lost")
        assert naive.receive(0.1) is None
        desk.publish(channel, "heard again")
        assert ids(take(naive, 1)) == [3]


# What each technique says first


@pytest.mark.parametrize("slug", HTTP_STREAMS)
def test_a_stream_s_head_names_type_and_cursor(
    slug: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A stream that breaks before its first message must be resumable all the same."""
    with raw_to(server) as raw:
        raw.get(f"/{slug}?channel={channel}")
        head = raw.head()
        # What browsers read by themselves they know by its type.
        known = {
            "script_stream": "text/html",
            "event_stream": "text/event-stream",
            "line_stream": "application/x-ndjson",
        }
        assert head.fields["content-type"].startswith(known.get(BY_SLUG[slug].codec or "", ""))
        assert head.fields["duplex-cursor"] == desk.cursor(channel)
        assert head.is_chunked


def test_an_event_stream_resumes_by_last_event_id_even_if_the_address_is_older(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A browser comes back to the old address with a new Last-Event-ID; the old one repeats
    messages.
    """
    first, second = (desk.publish(channel, text)["cursor"] for text in ("one", "two"))
    desk.publish(channel, "three")
    with raw_to(server) as raw:
        raw.get(f"/sse?channel={channel}&after={first}", f"Last-Event-ID: {second}")
        said = raw.until(b'"text":"three"}\n\n')
    assert said.count(b"data: ") == 1


def test_a_forever_frame_may_begin_with_padding(server: ServerAddress) -> None:
    """Browsers of the time showed nothing before the first kilobyte; the story needs the means."""
    with raw_to(server) as raw:
        raw.get("/forever_frame?padding=2000")
        raw.head()
        size = int(raw.until(b"\r\n"), 16)
        assert size >= 2000
        assert raw.exactly(size).startswith(b"<!doctype html>")


def test_a_fetched_stream_begins_with_a_byte_at_once(server: ServerAddress, channel: str) -> None:
    """Firefox hands an answer to the script only with its first byte: a quiet channel would seem
    to be a server that does not answer.
    """
    with raw_to(server) as raw:
        raw.get(f"/fetch_stream?channel={channel}")
        raw.head()
        assert raw.exactly(6) == b"1\r\n\n\r\n"


@pytest.mark.slow
def test_held_connections_get_signs_of_life(starting: Starting, channel: str) -> None:
    """Routers forget silent connections within minutes; who waits in a quiet room would be cut
    off.
    """
    with starting("--heartbeat", "0.2") as server:
        for slug in HTTP_STREAMS:
            is_event = BY_SLUG[slug].codec == "event_stream"
            line = b":\n\n" if is_event else b"1\r\n\n\r\n"
            with raw_to(server) as raw:
                raw.get(f"/{slug}?channel={channel}")
                raw.until(line)
                raw.until(line)
        with raw_to(server, "plugin_socket") as raw:
            raw.send(b"{}\0")
            raw.until(b"\0")
            assert raw.until(b"\0") == b"\0"

"""What is published comes to every subscriber, once, in order and unchanged."""

import time
from collections.abc import Iterator

import pytest

from servers.service import Settings
from tests.conformance.steps import Desk, Starting, ids, join, raw_to, take, take_messages
from tests.support.processes import ServerAddress, ServerProcess
from tests.support.waiting import eventually
from wire.techniques import SLUGS

TEXTS = [
    "",
    " ",
    "hola, ¿qué tal? čau",
    "Привет · שלום · 你好 · नमस्ते · 👩‍👩‍👧‍👦 · e\u0301",
    "line\nline\r\nline\rline\u2028line\u2029line\x85line\x0bline\x0cline",
    "</script><script>alert(1)</script><!-- </main></li> --> ]]>",
    "\0 a NUL, \x1a, \x7f, \ufeff, \ufffd, \uffff and \U0010ffff",
    "data: not an event\n\nid: 7\nevent: gap\n\n",
    '{"text":"JSON in JSON","base64":"aGk=","gap":true} \\ \\u0041 %41 + & &amp; &#65; "\'',
]


def test_messages_come_in_order_and_once(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A chat that swaps two lines or repeats one tells another story than was written."""
    with join(technique, server, channel) as client:
        desk.publish_all(channel, (f"message {n}" for n in range(1, 201)))
        messages = take_messages(client, 200)
        desk.publish(channel, "the end")
        (end,) = take_messages(client, 1)
    assert [message.id for message in messages] == list(range(1, 201))
    assert [message.body for message in messages] == [f"message {n}" for n in range(1, 201)]
    assert (end.id, end.body) == (201, "the end")


def test_what_was_published_before_is_not_received(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Who enters a room has not asked for its past: without a cursor one hears what comes from now
    on.
    """
    desk.publish_all(channel, ["long", "ago"])
    with join(technique, server, channel) as client:
        desk.publish(channel, "now")
        assert ids(take(client, 1)) == [3]


def test_channels_do_not_mix(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """What is said in one room must not be heard in another, be its name as like as `blue` and
    `BLUE`.
    """
    names = [f"{channel}.{kind}" for kind in ("red", "green", "BLUE", "blue")]
    readers = [join(technique, server, name) for name in names]
    try:
        for n in range(20):
            for name in names:
                desk.publish(name, f"{n} of {name}")
        for name, reader in zip(names, readers, strict=True):
            messages = take_messages(reader, 20)
            assert ids(messages) == list(range(1, 21))
            assert [message.body for message in messages] == [f"{n} of {name}" for n in range(20)]
            assert reader.receive(0.05) is None
    finally:
        for reader in readers:
            reader.close()


@pytest.mark.slow
def test_each_of_100_subscribers_gets_all_of_20_messages(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A server that is right for one reader may forget the last of a hundred: each one counts."""
    readers = [join(technique, server, channel) for _ in range(100)]
    try:
        desk.publish_all(channel, (f"message {n}" for n in range(20)))
        for reader in readers:
            messages = take_messages(reader, 20)
            assert ids(messages) == list(range(1, 21))
            assert [message.body for message in messages] == [f"message {n}" for n in range(20)]
    finally:
        for reader in readers:
            reader.close()


def test_any_text_comes_unchanged(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """People write in every script and paste any code; a technique's own delimiters are text to
    them.
    """
    with join(technique, server, channel) as client:
        desk.publish_all(channel, TEXTS)
        assert [message.body for message in take_messages(client, len(TEXTS))] == TEXTS


def test_any_sender_comes_unchanged(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A name is as free as a text, and stands in the same pages, scripts and lines."""
    with join(technique, server, channel) as client:
        for text in TEXTS:
            desk.publish(channel, "hola", sender=text[:100])
        senders = [message.sender for message in take_messages(client, len(TEXTS))]
    assert senders == [text[:100] for text in TEXTS]


def test_a_message_of_one_mebibyte_comes_whole(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A photo or a long paste is larger than every buffer on its way, and what follows must come
    too.
    """
    body = "Žluťoučký kůň 🐎 " * (2**20 // 26)
    body += "." * (2**20 - len(body.encode()))
    with join(technique, server, channel) as client:
        desk.publish_all(channel, [body, "after it"])
        large, after = take_messages(client, 2)
    assert large.body == body
    assert after.body == "after it"


@pytest.mark.parametrize(
    "body",
    [b"", bytes(range(256)), b"\xff" * 1000, b"{}\n\0\r\n\r\n", bytes(2**20)],
    ids=["empty", "every byte", "no UTF-8", "delimiters", "1 MiB"],
)
def test_bytes_come_unchanged(
    technique: str, server: ServerAddress, desk: Desk, channel: str, body: bytes
) -> None:
    """Who sends a picture wants the same bytes back, as bytes, even where the transport carries
    text only.
    """
    with join(technique, server, channel) as client:
        desk.publish(channel, body)
        (message,) = take_messages(client, 1)
    assert message.body == body
    assert isinstance(message.body, bytes)


def test_bytes_come_in_binary_frames_where_asked_for(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Base64 costs who sends pictures a third more; a WebSocket can do without, if the client
    asks.
    """
    body = bytes(range(256)) * 400
    with (
        join("web_socket", server, channel, binary_frames=True) as frames,
        join("web_socket", server, channel) as texts,
    ):
        desk.publish_all(channel, ["text", body, "text again"])
        in_frames, in_texts = take_messages(frames, 3), take_messages(texts, 3)
        assert in_frames == in_texts
        assert in_frames[1].body == body
        # base64 needs four bytes for three.
        assert texts.bytes_down - frames.bytes_down > len(body) // 4


@pytest.mark.usefixtures("one_clock")
def test_sender_and_times_come_along(
    technique: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Latency is measured from these times: one that the server rounded or stamped anew would be a
    lie.
    """
    with join(technique, server, channel) as client:
        before = time.monotonic_ns()
        desk.publish(channel, "planned", sender="ana", sent_ns=12345)
        desk.publish(channel, "not planned")
        after = time.monotonic_ns()
        planned, unplanned = take_messages(client, 2)
    assert (planned.sender, planned.sent_ns) == ("ana", 12345)
    assert before < planned.published_ns < after
    assert unplanned.sender == ""
    assert before < unplanned.sent_ns <= unplanned.published_ns < after


def test_the_same_message_crosses_every_technique(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """The comparison is fair only if all techniques carry one and the same message."""
    readers = [join(slug, server, channel) for slug in SLUGS if slug not in server.without]
    try:
        desk.publish(channel, "the same for all", sender="ana")
        received = {take_messages(reader, 1)[0] for reader in readers}
        assert len(received) == 1
    finally:
        for reader in readers:
            reader.close()


@pytest.fixture(scope="module")
def quick(starting: Starting) -> Iterator[ServerProcess]:
    """Run a server for which a client that does not ask for 0.6 s is gone."""
    with starting("--heartbeat", "0.4") as server:
        yield server


@pytest.mark.slow
def test_a_named_client_is_announced_when_it_comes_and_goes(
    technique: str, quick: ServerProcess, channel: str
) -> None:
    """In a room one sees who is there; a pollster who leaves says nothing, and is missed
    nevertheless.
    """
    with join("sse", quick, channel) as witness:
        with join(technique, quick, channel, name="ana"):
            (joined,) = take_messages(witness, 1)
        (left,) = take_messages(witness, 1)
    assert (joined.sender, joined.presence, joined.body) == ("ana", "joined", technique)
    assert (left.sender, left.presence, left.body) == ("ana", "left", technique)


def test_what_a_client_sends_comes_to_all(
    technique: str, server: ServerAddress, channel: str
) -> None:
    """Who speaks wants to be heard by all, and to see the own words in their place among the
    others'.
    """
    with join(technique, server, channel) as ana, join(technique, server, channel) as eva:
        for body in ("hola", "¿qué tal? 👋", b"\x00\xff" * 100):
            ana.send(body, sender="ana", sent_ns=77)
            for client in (ana, eva):
                (message,) = take_messages(client, 1)
                assert message.body == body
                assert (message.sender, message.sent_ns) == ("ana", 77)


def test_a_client_may_send_a_mebibyte(technique: str, server: ServerAddress, channel: str) -> None:
    """A limit that the way down does not have must not wait on the way up."""
    body = "ř" * 2**19
    assert len(body.encode()) == 2**20 <= Settings().most_message
    with join(technique, server, channel) as client:
        client.send(body)
        (message,) = take_messages(client, 1)
    assert message.body == body


def test_a_client_that_leaves_in_mid_message_publishes_nothing(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Half a sentence from a phone in a tunnel is not what its owner meant to say to everybody."""
    with raw_to(server) as raw:
        raw.send(
            f"POST /publish?channel={channel} HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: text/plain\r\nContent-Length: 10\r\n\r\nhalf".encode()
        )
    with raw_to(server, "plugin_socket") as raw:
        raw.send(b'{"channel":"%b"}\0{"text":"ha' % channel.encode())
        raw.until(b"\0")
    with join("web_socket", server, channel, envelope=False) as client:
        client._socket._link.send(b"\x81\x8a\0\0\0\0half", 1)  # type: ignore[attr-defined]
    eventually(
        lambda: server.stats()["channels"][channel]["subscribers"] == 0, "all three are gone"
    )
    assert desk.publish(channel, "whole")["id"] == 1

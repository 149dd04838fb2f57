"""The ways up: what is accepted comes to all, whatever form it has."""

import base64
import gzip
import json
import zlib
from urllib.parse import urlencode

import pytest

from tests.conformance.steps import (
    BYTES,
    FORM,
    JSON,
    RELOADS,
    TEXT,
    Desk,
    check_problem,
    join,
    raw_to,
    socket_to,
    take_messages,
)
from tests.support.processes import ServerAddress


@pytest.mark.parametrize("slug", RELOADS)
def test_a_form_publishes_and_redirects(
    slug: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """In 1995 this was all one had; reloading the page afterwards must not send it once more."""
    fields = {
        "channel": channel,
        "sender": "aña & co",
        "text": "¿qué? 50% + 1 = \r\n2",
        "sent_ns": 9,
    }
    with join("sse", server, channel) as witness:
        status, head, _ = desk.ask("POST", f"/{slug}", urlencode(fields).encode(), FORM)
        (message,) = take_messages(witness, 1)
    assert status == 303
    assert head["location"].startswith(f"/{slug}")
    assert f"channel={channel}" in head["location"]
    assert desk.ask("GET", head["location"])[0] == 200
    assert (message.sender, message.body, message.sent_ns) == (
        fields["sender"],
        fields["text"],
        fields["sent_ns"],
    )


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        (TEXT, "¿qué?\n\0".encode(), "¿qué?\n\0"),
        ({"Content-Type": "text/plain"}, "¿qué?".encode(), "¿qué?"),
        (BYTES, b"\xff\x00", b"\xff\x00"),
        (BYTES, b"", b""),
        (JSON, json.dumps({"text": "¿qué?"}).encode(), "¿qué?"),
        (JSON, '{"text": "¿qué?", "base64": "aGk="}'.encode(), b"hi"),
        (JSON, b'{"base64":"/wA="}', b"\xff\x00"),
        (JSON, b'{"text":"\\ud83d\\ude00 \\u0000"}', "😀 \0"),
        (JSON, b'{"text":"half a pair: \\ud83d"}', "half a pair: \ud83d"),
    ],
)
def test_a_post_publishes(
    fields: dict[str, str],
    body: bytes,
    expected: str | bytes,
    server: ServerAddress,
    desk: Desk,
    channel: str,
) -> None:
    """Scripts, sensors and forms each have a media type of their own; what they meant must come
    out.
    """
    with join("sse", server, channel) as witness:
        status, head, answer = desk.ask("POST", f"/publish?channel={channel}", body, fields)
        (message,) = take_messages(witness, 1)
        assert status == 201
        assert head["content-type"].startswith("application/json")
        assert json.loads(answer) == {"id": 1, "cursor": witness.cursor}
    assert message.body == expected


def test_a_json_post_names_sender_and_time(server: ServerAddress, desk: Desk, channel: str) -> None:
    """A load generator speaks for many people and plans ahead: it says who speaks, and when it was
    due.
    """
    body = json.dumps({"text": "hola", "sender": "ana", "sent_ns": 2**63 - 1}).encode()
    with join("sse", server, channel) as witness:
        desk.ask("POST", f"/publish?channel={channel}", body, JSON)
        (message,) = take_messages(witness, 1)
    assert (message.sender, message.sent_ns) == ("ana", 2**63 - 1)


def test_a_question_is_published_and_answered_by_what_follows(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """One request brings the question up and the answer down, and whoever listens hears both."""
    desk.publish(channel, "before")
    with join("fetch_stream", server, channel) as witness:
        with raw_to(server, "fetch_stream") as raw:
            head = (
                f"POST /fetch_stream?channel={channel}&sender=ana HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            )
            head += "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
            raw.send(head.encode() + b"who?")
            cursor = raw.head().fields["duplex-cursor"]
            desk.publish(channel, "me")
            said = raw.until(b'"text":"me"}\n')
        assert b"who?" not in said
        question, answer = take_messages(witness, 2)
        assert (question.sender, question.body, answer.body) == ("ana", "who?", "me")
    with join("fetch_stream", server, channel, after=cursor) as later:
        assert take_messages(later, 1) == [answer]


def test_a_post_in_chunks_publishes(server: ServerAddress, desk: Desk, channel: str) -> None:
    """A program that pipes into `curl -T -` does not know its length before it ends."""
    with raw_to(server) as raw, join("sse", server, channel) as witness:
        raw.send(
            f"POST /publish?channel={channel} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            "Transfer-Encoding: chunked\r\n\r\n3\r\nho\xc3\r\n2\r\n\xa1a\r\n0\r\n\r\n".encode(
                "latin-1"
            )
        )
        assert raw.head().status == 201
        assert take_messages(witness, 1)[0].body == "hoáa"


@pytest.mark.parametrize("address", ["/publish", *(f"/{slug}" for slug in RELOADS)])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_coded_post_publishes_whole_or_not_at_all(
    address: str, coding: str, server: ServerAddress, desk: Desk, channel: str
) -> None:
    """A line that breaks in the middle of a compressed body must not publish half a sentence."""
    plain = b"hello hello hello" if address == "/publish" else b"text=hello+hello+hello"
    body = gzip.compress(plain) if coding == "gzip" else zlib.compress(plain)
    fields = (TEXT if address == "/publish" else FORM) | {"Content-Encoding": coding}
    target = f"{address}?channel={channel}"
    for wrong in (b"", body[:10], body[:15], body[:-1], body + b"x"):
        check_problem(*desk.ask("POST", target, wrong, fields), "coding")
    with join("polling", server, channel) as client:
        assert desk.ask("POST", target, body, fields)[0] in (201, 303)
        (message,) = take_messages(client, 1)
    assert (message.id, message.body) == (1, "hello hello hello")


def test_web_socket_frames_publish_text_and_bytes(server: ServerAddress, channel: str) -> None:
    """A page says `socket.send(text)` or sends a blob, once it has said its name; nothing more is
    needed.
    """
    with join("sse", server, channel) as witness, socket_to(server, channel, "&name=ana") as ana:
        ana.send("¿qué?")
        ana.send(b"\xff\x00")
        ana.send(["in ", "three ", "frames"])
        # That ana has joined is told, too, and may come a little later than what ana says.
        messages = [one for one in take_messages(witness, 4) if not one.presence]
    assert [message.body for message in messages] == ["¿qué?", b"\xff\x00", "in three frames"]
    assert {message.sender for message in messages} == {"ana"}


def test_web_socket_envelopes_name_sender_and_time(server: ServerAddress, channel: str) -> None:
    """A gateway speaks for many people on one socket, so each message must be able to say whose it
    is.
    """
    with socket_to(server, channel, "&envelope=json") as ana, join("sse", server, channel) as all_:
        ana.send('{"text":"hola","sender":"ana","sent_ns":7}')
        ana.send(json.dumps({"base64": base64.b64encode(b"\xff").decode()}))
        first, second = take_messages(all_, 2)
    assert (first.body, first.sender, first.sent_ns) == ("hola", "ana", 7)
    assert second.body == b"\xff"


def test_without_envelopes_a_text_frame_is_its_text_even_if_it_is_json(
    server: ServerAddress, channel: str
) -> None:
    """Programmers paste JSON into chats; a server that understands it unasked changes what they
    said.
    """
    with socket_to(server, channel) as ana, join("sse", server, channel) as witness:
        ana.send('{"text":"hola"}')
        assert take_messages(witness, 1)[0].body == '{"text":"hola"}'


def test_plugin_lines_publish_however_they_are_cut(server: ServerAddress, channel: str) -> None:
    """TCP has no messages: who takes what one read brings for one message loses the other half."""
    said = (
        '\0\0{"text":"¿qué?","sender":"ana","sent_ns":7}\0{"base64":"/wA="}\0\0{"text":""}\0'
    ).encode()
    with raw_to(server, "plugin_socket") as raw, join("sse", server, channel) as witness:
        raw.send(f'{{"channel":"{channel}"}}\0'.encode())
        raw.until(b"\0")
        for at in range(len(said)):
            raw.send(said[at : at + 1])
        messages = take_messages(witness, 3)
    assert [message.body for message in messages] == ["¿qué?", b"\xff\x00", ""]
    assert (messages[0].sender, messages[0].sent_ns) == ("ana", 7)

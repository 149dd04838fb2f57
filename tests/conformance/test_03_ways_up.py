"""The ways up: what is accepted comes to all, what is not is refused with what would be.

A refusal does nothing half: no message, no subscriber; and the server goes on.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection

from tests.conformance.steps import (
    FRAMED,
    POSTED,
    RELOADS,
    REQUESTED,
    TWO_WAY,
    Desk,
    Starting,
    check_problem,
    join,
    raw_to,
    take_messages,
    websockets_to,
)
from tests.support.processes import ServerAddress, ServerProcess

MOST = 10_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def narrow(starting: Starting) -> Iterator[ServerProcess]:
    """Run a server that takes messages of up to 10,000 bytes."""
    with starting("--max-message", str(MOST)) as server:
        yield server


@pytest.fixture
def narrow_desk(narrow: ServerProcess) -> Iterator[Desk]:
    """Stand at the narrow server."""
    desk = Desk(narrow)
    yield desk
    desk.close()


def socket_to(server: ServerAddress, channel: str, more: str = "") -> ClientConnection:
    """Open a WebSocket by a client that is not ours."""
    target = f"/web_socket?channel={channel}{more}"
    return websockets_to(server, target, compression=None, max_size=None)


# What is accepted


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
    with socket_to(server, channel, "&name=ana") as ana, join("sse", server, channel) as witness:
        ana.send("¿qué?")
        ana.send(b"\xff\x00")
        ana.send(["in ", "three ", "frames"])
        messages = take_messages(witness, 3)
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


# What is too large


@pytest.mark.parametrize(
    ("target", "fields", "most", "over"),
    [
        ("/publish", TEXT, b"x" * MOST, b"x" * (MOST + 1)),
        ("/publish", TEXT, "ř".encode() * (MOST // 2), "ř".encode() * (MOST // 2 + 1)),
        ("/publish", BYTES, bytes(MOST), bytes(MOST + 1)),
        (
            "/publish",
            JSON,
            b'{"text":"%b"}' % (b"x" * MOST),
            b'{"text":"%b"}' % (b"x" * (MOST + 1)),
        ),
        (
            "/publish",
            JSON,
            b'{"base64":"%b"}' % base64.b64encode(bytes(MOST)),
            b'{"base64":"%b"}' % base64.b64encode(bytes(MOST + 1)),
        ),
        ("/publish", JSON, b'{"text":"%b"}' % (b"\\u0000" * MOST), b"{" + b" " * (8 * MOST)),
        ("/page_reload", FORM, b"text=" + b"x" * MOST, b"text=" + b"x" * (MOST + 1)),
        ("/frame_reload", FORM, b"text=" + b"%41" * MOST, b"text=" + b"%41" * (MOST + 2000)),
    ],
    ids=["text", "UTF-8", "bytes", "JSON", "base64", "escapes", "form", "percent"],
)
def test_too_large_is_413_and_the_most_that_is_accepted_is_accepted(
    target: str, fields: dict[str, str], most: bytes, over: bytes, narrow_desk: Desk, channel: str
) -> None:
    """One user's film must not fill the memory of all; who is just below the bound must not be
    refused.
    """
    target += f"?channel={channel}"
    status, _, _ = narrow_desk.ask("POST", target, most, fields)
    assert status in (201, 303)
    check_problem(413, *narrow_desk.ask("POST", target, over, fields)[1:], f"{MOST} bytes")
    assert narrow_desk.publish(channel, "the next")["id"] == 2


def test_too_large_in_chunks_is_413(narrow: ServerProcess, channel: str) -> None:
    """A body that does not say its length could go on for ever; it is stopped at the same bound."""
    chunk = b"1000\r\n%b\r\n" % bytes(0x1000)
    with raw_to(narrow) as raw:
        raw.send(
            b"POST /publish?channel=%b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (channel.encode(), chunk * 3)
        )
        head = raw.head()
        assert head.status == 413
        assert head.fields["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["text", "bytes", "in frames"])
def test_too_large_closes_a_web_socket_with_1009(
    kind: str, narrow: ServerProcess, narrow_desk: Desk, channel: str
) -> None:
    """A page that is cut off without a code only sees "lost", comes back, and sends the same
    again.
    """
    over: dict[str, str | bytes | list[str]] = {
        "text": "x" * (MOST + 1),
        "bytes": bytes(MOST + 1),
        "in frames": ["x" * (MOST // 4)] * 5,
    }
    with socket_to(narrow, channel) as ana:
        ana.send("x" * MOST)
        ana.recv()
        with suppress(ConnectionClosedError):  # perhaps while the rest is being sent
            ana.send(over[kind])
            ana.recv()
        assert ana.close_code == 1009
    assert narrow_desk.publish(channel, "the next")["id"] == 2


def test_an_envelope_holds_as_much_as_any_message_and_no_more(
    narrow: ServerProcess, channel: str
) -> None:
    """Escapes and base64 are the envelope's cost: who sends the same message must meet the same
    bound.
    """
    with socket_to(narrow, channel, "&envelope=json") as ana:
        for fields in ({"text": "\0" * MOST}, {"base64": base64.b64encode(bytes(MOST)).decode()}):
            ana.send(json.dumps(fields))
            assert "id" in json.loads(ana.recv())
        ana.send(json.dumps({"text": "x" * (MOST + 1)}))
        with pytest.raises(ConnectionClosedError, match=f"{MOST} bytes"):
            ana.recv()
        assert ana.close_code == 1009


def test_too_large_is_told_to_a_plugin_which_may_go_on(
    narrow: ServerProcess, narrow_desk: Desk, channel: str
) -> None:
    """One picture too large is no reason to lose the connection, and with it the place in the
    talk.
    """
    with raw_to(narrow, "plugin_socket") as raw:
        raw.send(f'{{"channel":"{channel}"}}\0'.encode())
        raw.until(b"\0")
        raw.send(b'{"text":"%b"}\0' % (b"x" * (MOST + 1)))
        problem = json.loads(raw.until(b"\0")[:-1])["problem"]
        assert problem["status"] == 413
        assert f"{MOST} bytes" in problem["detail"]
        raw.send(b'{"text":"the next"}\0')
        assert json.loads(raw.until(b"\0")[:-1])["id"] == 1


def test_a_plugin_line_without_an_end_ends_the_connection(
    narrow: ServerProcess, channel: str
) -> None:
    """Who never ends a line would fill memory with one connection; nothing after it can be
    understood.
    """
    with raw_to(narrow, "plugin_socket") as raw:
        raw.send(f'{{"channel":"{channel}"}}\0'.encode())
        raw.until(b"\0")
        raw.send(b'{"text":"' + b"x" * (8 * MOST))
        assert json.loads(raw.until(b"\0")[:-1])["problem"]["status"] == 413
        assert raw.rest() == b""


# What is wrong


@pytest.mark.words
@pytest.mark.parametrize(
    ("fields", "body", "status", "says"),
    [
        (JSON, b'{"text":', 400, "not JSON"),
        (JSON, b"", 400, "not JSON"),
        (JSON, b"[]", 400, "JSON object"),
        (JSON, b"[" * 9000, 400, "JSON"),
        (JSON, b'{"sender":"ana"}', 400, '"text" or "base64"'),
        (JSON, b'{"text":7}', 400, "must be str"),
        (JSON, b'{"base64":"?"}', 400, "base64"),
        (JSON, b'{"text":"hola","sender":7}', 400, "up to 100 characters"),
        (JSON, b'{"text":"hola","sent_ns":"7"}', 400, "whole number"),
        (JSON, b'{"text":"hola","sent_ns":-7}', 400, "0 to 2^63 - 1"),
        (JSON, b'{"text":"hola","sent_ns":NaN}', 400, "whole number"),
        (JSON, b'{"text":"\xff"}', 400, "UTF-8"),
        (JSON, b"\xff\xfe{\x00}\x00", 400, "UTF-8"),
        (TEXT, b"hola \xff", 400, "not UTF-8 at byte 5"),
        (TEXT, b"\xed\xa0\x80", 400, "application/octet-stream"),
        (FORM, b"text=hola", 415, "text/plain, application/json or application/octet-stream"),
        ({"Content-Type": "text/html"}, b"hola", 415, "application/json"),
    ],
)
@pytest.mark.parametrize("door", POSTED)
def test_a_wrong_post_is_told_what_is_accepted(
    door: str, fields: dict[str, str], body: bytes, status: int, says: str, desk: Desk, channel: str
) -> None:
    """A developer reads the answer, not our code: it says what was wrong, and nothing half is
    done.
    """
    answer = desk.ask("POST", f"/{door}?channel={channel}", body, fields)
    assert answer[0] == status
    check_problem(*answer, says)
    assert desk.publish(channel, "the next")["id"] == 1


@pytest.mark.words
@pytest.mark.parametrize("slug", RELOADS)
@pytest.mark.parametrize(
    ("fields", "body", "status", "says"),
    [
        (FORM, b"sender=ana", 400, "text"),
        (FORM, b"text=%ff", 400, "UTF-8"),
        (FORM, b"text=\xff", 400, "UTF-8"),
        (FORM, b"text=hola&channel=a%20b", 400, "A-Z a-z 0-9"),
        (FORM, b"text=hola&sent_ns=soon", 400, "whole number"),
        (FORM, b"text=hola&sent_ns=-7", 400, "whole number"),
        (FORM, "text=hola&sent_ns=²".encode(), 400, "whole number"),
        (FORM, b"text=hola&sent_ns=%b" % (b"7" * 5000), 400, "whole number"),
        (FORM, b"text=hola&sender=" + b"x" * 101, 400, "up to 100 characters"),
        (TEXT, b"hola", 415, "application/x-www-form-urlencoded"),
    ],
)
def test_a_wrong_form_is_told_what_is_accepted(
    slug: str, fields: dict[str, str], body: bytes, status: int, says: str, desk: Desk, channel: str
) -> None:
    """A browser shows the answer to a person, who should be able to mend what was typed."""
    answer = desk.ask("POST", f"/{slug}?channel={channel}", body, fields)
    assert answer[0] == status
    check_problem(*answer, says)
    assert desk.publish(channel, "the next")["id"] == 1


@pytest.mark.words
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("channel=", "1 to 64 of the characters A-Z a-z 0-9 _ . -"),
        ("channel=a%2Fb", "1 to 64 of the characters"),
        ("channel=%C5%99", "1 to 64 of the characters"),
        (f"channel={'x' * 65}", "1 to 64 of the characters"),
        ("channel=%ff", "UTF-8"),
    ],
)
@pytest.mark.parametrize("slug", [*REQUESTED, "publish"])
def test_a_wrong_channel_is_told_what_is_accepted(
    slug: str, query: str, says: str, desk: Desk
) -> None:
    """A room called `a/b` would otherwise be another room than its owner believes."""
    if slug == "publish":
        answer = desk.ask("POST", f"/publish?{query}", b"hola", TEXT)
    else:
        answer = desk.ask("GET", f"/{slug}?{query}", None, upgrade_if(slug))
    assert answer[0] == 400
    check_problem(*answer, says)


@pytest.mark.words
@pytest.mark.parametrize("cursor", ["7", "-7", "e-", "E-7", "e-7-7x", "e-%00", "e" * 33 + "-1"])
@pytest.mark.parametrize("slug", REQUESTED)
def test_a_wrong_cursor_is_told_what_is_accepted(slug: str, cursor: str, desk: Desk) -> None:
    """A client that mangles its cursor would begin from now, and lose messages without a word."""
    for name in ("after", "lastEventId"):
        answer = desk.ask("GET", f"/{slug}?{name}={cursor}", None, upgrade_if(slug))
        assert answer[0] == 400
        check_problem(*answer, "epoch-id")


@pytest.mark.words
def test_a_wrong_last_event_id_is_told_what_is_accepted(desk: Desk) -> None:
    """The same mistake in the header that browsers send by themselves."""
    check_problem(*desk.ask("GET", "/sse", None, {"Last-Event-ID": "yesterday"}), "epoch-id")


def upgrade_if(slug: str) -> dict[str, str]:
    if slug not in FRAMED:
        return {}
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
    }


@pytest.mark.words
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"channel":"a b"}', "1 to 64 of the characters"),
        (b'{"channel":["lobby"]}', "1 to 64 of the characters"),
        (b'{"cursor":"7"}', "epoch-id"),
        (b'{"name":7}', "up to 100 characters"),
        (b"GET / HTTP/1.1\r\n\r\n", "not JSON"),
        (b'{"channel":"\xff"}', "UTF-8"),
        (b"[]", "JSON object"),
    ],
)
def test_a_wrong_first_line_is_told_and_ends_the_connection(
    line: bytes, says: str, server: ServerAddress
) -> None:
    """Without a channel no line that follows has a meaning; who opened the port by mistake learns
    why.
    """
    with raw_to(server, "plugin_socket") as raw:
        raw.send(line + b"\0")
        problem = json.loads(raw.until(b"\0")[:-1])["problem"]
        assert problem["status"] == 400
        assert says in problem["detail"]
        assert raw.rest() == b""


@pytest.mark.words
@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"text":', "not JSON"),
        (b'{"sender":"ana"}', '"text" or "base64"'),
        (b'{"text":"hola","sent_ns":-1}', "0 to 2^63 - 1"),
    ],
)
@pytest.mark.parametrize("slug", TWO_WAY)
def test_a_wrong_line_or_envelope_is_told_and_the_socket_goes_on(
    slug: str, line: bytes, says: str, server: ServerAddress, channel: str
) -> None:
    """One wrong message of a gateway must not silence all the people that it speaks for."""
    if slug in FRAMED:
        with socket_to(server, channel, "&envelope=json") as ana:
            ana.send(line.decode())
            problem = json.loads(ana.recv())["problem"]
            ana.send('{"text":"the next"}')
            after = json.loads(ana.recv())
    else:
        with raw_to(server, slug) as raw:
            raw.send(f'{{"channel":"{channel}"}}\0'.encode())
            raw.until(b"\0")
            raw.send(line + b"\0")
            problem = json.loads(raw.until(b"\0")[:-1])["problem"]
            raw.send(b'{"text":"the next"}\0')
            after = json.loads(raw.until(b"\0")[:-1])
    assert problem["status"] == 400
    assert says in problem["detail"]
    assert (after["id"], after["text"]) == (1, "the next")


def test_a_text_frame_that_is_no_utf_8_closes_with_1007(
    server: ServerAddress, desk: Desk, channel: str
) -> None:
    """Broken text would reach every other reader's page; RFC 6455, 8.1 wants it to end with its
    sender.
    """
    with socket_to(server, channel) as ana:
        ana.send(b"hola \xff", text=True)
        with pytest.raises(ConnectionClosedError):
            ana.recv()
        assert ana.close_code == 1007
    assert desk.publish(channel, "the next")["id"] == 1

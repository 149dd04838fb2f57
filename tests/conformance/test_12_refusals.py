"""What is too large or wrong is refused, and told what would be accepted.

A refusal does nothing half: no message, no subscriber; and the server goes on.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosedError

from tests.conformance.steps import (
    BYTES,
    FORM,
    FRAMED,
    JSON,
    MOST,
    POSTED,
    RELOADS,
    REQUESTED,
    TEXT,
    TWO_WAY,
    Desk,
    check_problem,
    raw_to,
    socket_to,
)
from tests.support.processes import ServerAddress, ServerProcess


@pytest.fixture
def narrow_desk(optioned: ServerProcess) -> Iterator[Desk]:
    """Stand at the server that takes messages of up to 10,000 bytes."""
    desk = Desk(optioned)
    yield desk
    desk.close()


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


def test_too_large_in_chunks_is_413(optioned: ServerProcess, channel: str) -> None:
    """A body that does not say its length could go on for ever; it is stopped at the same bound."""
    chunk = b"1000\r\n%b\r\n" % bytes(0x1000)
    with raw_to(optioned) as raw:
        raw.send(
            b"POST /publish?channel=%b HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % (channel.encode(), chunk * 3)
        )
        head = raw.head()
        assert head.status == 413
        assert head.fields["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", ["text", "bytes", "in frames"])
def test_too_large_closes_a_web_socket_with_1009(
    kind: str, optioned: ServerProcess, narrow_desk: Desk, channel: str
) -> None:
    """A page that is cut off without a code only sees "lost", comes back, and sends the same
    again.
    """
    over: dict[str, str | bytes | list[str]] = {
        "text": "x" * (MOST + 1),
        "bytes": bytes(MOST + 1),
        "in frames": ["x" * (MOST // 4)] * 5,
    }
    with socket_to(optioned, channel) as ana:
        ana.send("x" * MOST)
        ana.recv()
        with suppress(ConnectionClosedError):  # perhaps while the rest is being sent
            ana.send(over[kind])
            ana.recv()
        assert ana.close_code == 1009
    assert narrow_desk.publish(channel, "the next")["id"] == 2


def test_an_envelope_holds_as_much_as_any_message_and_no_more(
    optioned: ServerProcess, channel: str
) -> None:
    """Escapes and base64 are the envelope's cost: who sends the same message must meet the same
    bound.
    """
    with socket_to(optioned, channel, "&envelope=json") as ana:
        for fields in ({"text": "\0" * MOST}, {"base64": base64.b64encode(bytes(MOST)).decode()}):
            ana.send(json.dumps(fields))
            assert "id" in json.loads(ana.recv())
        ana.send(json.dumps({"text": "x" * (MOST + 1)}))
        with pytest.raises(ConnectionClosedError, match=f"{MOST} bytes"):
            ana.recv()
        assert ana.close_code == 1009


def test_too_large_is_told_to_a_plugin_which_may_go_on(
    optioned: ServerProcess, narrow_desk: Desk, channel: str
) -> None:
    """One picture too large is no reason to lose the connection, and with it the place in the
    talk.
    """
    with raw_to(optioned, "plugin_socket") as raw:
        raw.send(f'{{"channel":"{channel}"}}\0'.encode())
        raw.until(b"\0")
        raw.send(b'{"text":"%b"}\0' % (b"x" * (MOST + 1)))
        problem = json.loads(raw.until(b"\0")[:-1])["problem"]
        assert problem["status"] == 413
        assert f"{MOST} bytes" in problem["detail"]
        raw.send(b'{"text":"the next"}\0')
        assert json.loads(raw.until(b"\0")[:-1])["id"] == 1


def test_a_plugin_line_without_an_end_ends_the_connection(
    optioned: ServerProcess, channel: str
) -> None:
    """Who never ends a line would fill memory with one connection; nothing after it can be
    understood.
    """
    with raw_to(optioned, "plugin_socket") as raw:
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

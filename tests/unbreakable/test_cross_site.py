"""Other people's pages: what they may not do, and what they can do when the check is off."""

import itertools
import json
from collections.abc import Iterator, Sequence

import pytest

from tests.support.depth import is_full
from tests.support.raw import Answer, RawSocket, get, upgrade
from tests.unbreakable.serving import Server, serving

pytestmark = pytest.mark.slow

EVIL = "https://evil.example"
FRIEND = "https://friend.example"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve with the check switched off."""
    with serving(tmp_path_factory.mktemp("open"), "--allow-origin", "*") as running:
        yield running


@pytest.fixture(scope="module")
def choosy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve pages of one other site."""
    with serving(tmp_path_factory.mktemp("choosy"), "--allow-origin", FRIEND) as running:
        yield running


def attack(server: Server, door: str, *fields: str) -> Answer:
    """Do at ``door`` what a page elsewhere would make a browser do, and return the answer."""
    post = None
    if door == "publish":
        post = ("/publish?channel=prey", "text/plain", b"forged")
    elif door == "question":
        post = ("/fetch_stream?channel=prey&after=00000000-0", "text/plain", b"forged")
    elif door.startswith("form of "):
        post = (f"/{door.removeprefix('form of ')}", FORM, b"text=forged&channel=prey")
    if post is not None:
        path, kind, body = post
        data = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: {kind}\r\n"
        data += "".join(f"{field}\r\n" for field in fields) + f"Content-Length: {len(body)}\r\n\r\n"
        request = data.encode() + body
    elif door == "web_socket":
        request = upgrade("/web_socket?channel=prey&after=00000000-0", server.port, *fields)
    else:
        request = get(f"/{door}?channel=prey&after=00000000-0", *fields)
        request = request.replace(b"Host: 127.0.0.1\r", b"Host: 127.0.0.1:%d\r" % server.port)
    with RawSocket(server.port, request) as talk:
        head, _, _ = talk.hear(b"\r\n\r\n").partition(b"\r\n\r\n")
        status = int(head.split()[1])
        lines = dict(
            line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]
        )
        if status < 300:
            # What the attacker is after: something of the channel arrives, or is published.
            talk.hear(lambda heard: len(heard) > len(head) + 4)
        elif "content-length" in lines:
            talk.hear(lambda heard: len(heard) == len(head) + 4 + int(lines["content-length"]))
        return Answer(status, lines, talk.heard[len(head) + 4 :])


DOORS = [
    "web_socket",
    "publish",
    "question",
    "form of page_reload",
    "form of frame_reload",
    "sse",
    "fetch_stream",
    "polling",
    "long_polling",
    "forever_frame",
    "page_reload",
    "frame_reload",
    "stats",
]
READS = [
    door for door in DOORS if door not in ("publish", "question") and not door.startswith("form")
]
SUCCESS = (101, 200, 201, 303)
ORIGINS = [
    *["null", "http://127.0.0.1", "http://127.0.0.1.evil.example", "file://", "", "http://"],
    *["x", "foo://127.0.0.1:{port}", "file://127.0.0.1:{port}", "127.0.0.1:{port}"],
]
KINDS = ["iframe", "frame", "script", "image", "embed", "empty"]


def pairs(doors: Sequence[str], ways: Sequence[str]) -> list[tuple[str, str]]:
    """Return each door with two of the ways in turn, as one guard judges them all alike.

    At the full depth each door comes with each way.
    """
    if is_full():
        return list(itertools.product(doors, ways))
    found = zip(sorted([*doors, *doors], key=doors.index), itertools.cycle(ways), strict=False)
    return list(found)


def succeeds(server: Server, door: str, *fields: str) -> bool:
    """Whether ``door`` gave what was asked for; it must be that, or a plain refusal."""
    server.publish("prey", "a secret")
    published = server.stats()["channels"]["prey"]["messages"]
    answer = attack(server, door, *fields)
    now = server.stats()["channels"]["prey"]["messages"]
    if answer.status == 403:
        assert answer.fields["content-type"] == "application/problem+json"
        assert "--allow-origin" in json.loads(answer.body)["detail"] or "Sec-Fetch" in str(fields)
        assert b"a secret" not in answer.body
        assert now == published
        return False
    assert answer.status in SUCCESS, answer
    writes = door not in READS
    assert now == published + writes
    if not writes and door != "stats":
        assert b"secret" in answer.body or b"gap" in answer.body
    return True


@pytest.mark.attack("publish, read, open sockets", "off", "on")
@pytest.mark.parametrize("door", DOORS)
def test_the_attack_succeeds_with_the_check_off_and_fails_with_it_on(
    server: Server, open_server: Server, door: str
) -> None:
    assert succeeds(open_server, door, f"Origin: {EVIL}")
    assert not succeeds(server, door, f"Origin: {EVIL}")


@pytest.mark.parametrize(("door", "origin"), pairs(DOORS, ORIGINS))
@pytest.mark.attack("publish, read, open sockets", "off", "on")
def test_an_origin_that_only_looks_right_is_refused(
    server: Server, open_server: Server, door: str, origin: str
) -> None:
    for there, gets_in in [(open_server, True), (server, False)]:
        assert succeeds(there, door, f"Origin: {origin.format(port=there.port)}") is gets_in


@pytest.mark.parametrize("door", DOORS)
def test_own_pages_and_programs_are_let_in(server: Server, door: str) -> None:
    assert succeeds(server, door)
    assert succeeds(server, door, f"Origin: http://127.0.0.1:{server.port}")
    assert succeeds(server, door, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Dest: empty")


@pytest.mark.parametrize("door", DOORS)
def test_pages_of_an_allowed_origin_are_let_in_and_no_others(choosy: Server, door: str) -> None:
    assert succeeds(choosy, door, f"Origin: {FRIEND}")
    assert not succeeds(choosy, door, f"Origin: {EVIL}")
    assert not succeeds(choosy, door, f"Origin: {FRIEND}.evil.example")
    assert not succeeds(choosy, door, f"Origin: {FRIEND}:8443")


@pytest.mark.parametrize("door", ["sse", "fetch_stream", "polling"])
def test_only_an_allowed_page_is_told_that_it_may_read(choosy: Server, door: str) -> None:
    answer = attack(choosy, door, f"Origin: {FRIEND}")
    assert answer.fields["access-control-allow-origin"] == FRIEND
    assert "access-control-allow-origin" not in attack(choosy, door, f"Origin: {EVIL}").fields
    assert "access-control-allow-origin" not in attack(choosy, door).fields


@pytest.mark.parametrize(
    ("door", "kind"), pairs([door for door in READS if door != "web_socket"], KINDS)
)
@pytest.mark.attack("publish, read, open sockets", "off", "on")
def test_what_another_site_embeds_is_refused(
    server: Server, choosy: Server, open_server: Server, door: str, kind: str
) -> None:
    """A frame, a script or an image is fetched without ``Origin``: one that is let in is none."""
    fields = ("Sec-Fetch-Site: cross-site", f"Sec-Fetch-Dest: {kind}")
    assert not succeeds(server, door, *fields)
    assert not succeeds(choosy, door, *fields)
    assert not succeeds(server, door, "Sec-Fetch-Site: same-site", f"Sec-Fetch-Dest: {kind}")
    assert succeeds(open_server, door, *fields)


@pytest.mark.parametrize("path", ["/page_reload", "/frame_reload", "/frame_reload/frames"])
def test_old_browsers_too_are_told_not_to_frame_pages(server: Server, path: str) -> None:
    assert "frame-ancestors 'self'" in server.ask(path).fields["content-security-policy"]


@pytest.mark.parametrize("slug", ["polling", "long_polling"])
def test_the_second_request_of_a_connection_is_checked_as_the_first(
    server: Server, open_server: Server, slug: str
) -> None:
    """A page elsewhere shares the browser's pool of connections with the right one."""
    for there, status in [(server, 403), (open_server, 200)]:
        for field in [f"Origin: {EVIL}", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: script"]:
            with RawSocket(there.port, get(f"/{slug}?channel=prey")) as talk:
                assert talk.answer().status == 200
                talk.send(get(f"/{slug}?channel=prey&after=00000000-0", field))
                assert talk.answer().status == status


@pytest.mark.parametrize("path", ["/publish", "/polling", "/sse"])
def test_a_preflight_is_granted_to_whom_the_request_would_be(choosy: Server, path: str) -> None:
    for origin, status in [(FRIEND, 204), (EVIL, 403)]:
        answer = choosy.ask(path, "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
        assert answer.status == status

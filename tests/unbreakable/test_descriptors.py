"""At the limit of open files: newcomers are told to come back, and who is there is served on."""

import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.raw import RawSocket, get, upgrade
from tests.support.waiting import eventually
from tests.unbreakable.serving import Server, serving

pytestmark = pytest.mark.slow

pytest.importorskip("resource", reason="this system limits no open files")
FILES = 160
OPENINGS = [get("/sse?channel=full"), get("/forever_frame?channel=full"), b'{"channel":"full"}\0']


@pytest.fixture(params=["uvloop", "asyncio"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Serve with few descriptors, on either loop."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    with serving(tmp_path, "--loop", request.param, files=FILES) as server:
        yield server


def fill(server: Server) -> list[RawSocket]:
    """Subscribe until there is no more room."""
    held: list[RawSocket] = []
    kinds = [*OPENINGS, upgrade("/web_socket?channel=full", server.port)]
    for number in range(FILES):
        opening = kinds[number % len(kinds)]
        talk = RawSocket(server.plugin_port if opening.endswith(b"\0") else server.port, opening)
        # The end of a head, or the plugin socket's first line or refusal.
        if b"503" in talk.hear(lambda heard: b"\r\n\r\n" in heard or heard.endswith(b"\0")):
            talk.close()
            return held
        held.append(talk)
    raise AssertionError("there was room for all")


def test_newcomers_are_told_to_come_back_and_all_others_served_on(small: Server) -> None:
    poll = RawSocket(small.port, get("/polling?channel=full"))
    publisher = RawSocket(small.port)
    cursor = json.loads(poll.answer().body)["cursor"]
    publisher.send(get("/clock"))
    assert publisher.answer().status == 200
    held = fill(small)
    assert len(held) > FILES // 3
    for _ in range(3):
        answer = small.ask("/sse?channel=full")
        assert (answer.status, answer.fields["retry-after"]) == (503, "5")
        assert answer.fields["content-type"] == "application/problem+json"
    with RawSocket(small.plugin_port, b'{"channel":"full"}\0') as talk:
        assert json.loads(talk.hear(b"\0")[:-1])["problem"]["status"] == 503
    text = b"there is room for what one has to say"
    publisher.send(
        b"POST /publish?channel=full HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(text), text)
    )
    assert publisher.answer().status == 201
    for talk in held:
        talk.hear(text)
    poll.send(get(f"/polling?channel=full&after={cursor}"))
    assert text in poll.answer().body
    for talk in held[:10]:
        talk.close()
    eventually(lambda: small.ask("/clock").status == 200, "room for a newcomer")
    for talk in [poll, publisher, *held]:
        talk.close()


def test_a_crowd_that_arrives_at_once_breaks_nothing(small: Server) -> None:
    """Far more than there are descriptors wait to be accepted before the server runs again."""
    kept = RawSocket(small.port, get("/sse?channel=full"))
    kept.hear(b"retry")
    small.child.send_signal(signal.SIGSTOP)
    crowd = []
    try:
        for number in range(600):
            talk = socket.socket()
            talk.setblocking(False)
            talk.connect_ex(("127.0.0.1", small.port))
            crowd.append(talk)
            if number % 2:
                with contextlib.suppress(OSError):
                    talk.send(get("/clock"))
    finally:
        small.child.send_signal(signal.SIGCONT)
    eventually(lambda: small.descriptors() > FILES // 3, "the crowd to be let in")
    answers = {b"": 0, b"HTTP/1.1 200": 0, b"HTTP/1.1 503": 0}
    for talk in crowd:
        talk.settimeout(30)
        heard = b""
        with contextlib.suppress(OSError), talk:
            talk.send(get("/clock"))
            heard = talk.recv(12)
        answers[heard] += 1
    assert answers[b"HTTP/1.1 200"]
    assert answers[b"HTTP/1.1 503"]
    eventually(lambda: _answers(small), "the server to have room again")
    small.publish("full", "still here")
    kept.hear(b"still here")
    kept.close()


def _answers(server: Server) -> bool:
    with contextlib.suppress(OSError):
        return server.ask("/clock").status == 200
    return False

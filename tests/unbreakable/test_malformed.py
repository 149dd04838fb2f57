"""The relay's door and the lecture's page answer what is no request, and print nothing.

aiohttp by itself answers some of it in its own words, some by 500, and prints a traceback of each.
"""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.support.processes import Started
from tests.support.waiting import PATIENCE_S
from tests.unbreakable.undefended import without
from wire.ready_line import ReadyLine, decode_ready_lines

pytestmark = pytest.mark.slow

MALFORMED = {
    b"GET /state HTTP/1.1\r\nHost: 127.0.0.1:1\r\nHost: b\r\n\r\n": b"400",
    b"GET /state HTTP/1.1\r\nHost: 127.0.0.1:1\r\nCookie: %s\r\n\r\n" % (b"x" * 17_000): b"431",
    b"\0\r\n\r\n": b"400",
}
GARBAGE = (
    "POST {} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nDuplex-Key: {}\r\nConnection: close\r\n"
    "Content-Encoding: {}\r\nContent-Length: 7\r\n\r\ngarbage"
)


def attack(command: list[str], name: str, path: str, log: Path) -> dict[bytes, bytes]:
    """Start it, send it nonsense and return its answers; what it says to its end is in ``log``."""
    with log.open("wb") as errors:
        started = Started(*command, errors=errors)
    try:
        found: list[ReadyLine] = []
        while not found:
            said = started.line()
            assert said
            with contextlib.suppress(ValueError):
                found = decode_ready_lines(said, name)
        address, _, key = found[0].url.partition("#key=")
        port = int(address.rstrip("/").rpartition(":")[2])
        garbage = [GARBAGE.format(path, key, coding).encode() for coding in ("gzip", "deflate")]
        return {request: answer_to(request, port) for request in [*MALFORMED, *garbage]}
    finally:
        started.stop()


def answer_to(request: bytes, port: int) -> bytes:
    """Return all that is said to it, until the end."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_S) as talk,
        contextlib.suppress(ConnectionError),
    ):
        talk.sendall(request)
        while chunk := talk.recv(65536):
            answer += chunk
    return answer


@pytest.mark.attack("stop the server, fill its log", "off", "on")
@pytest.mark.parametrize(
    ("module", "words", "name", "path"),
    [
        ("servers.relay", "--to 127.0.0.1:1 --control-port 0", "control", "/link"),
        ("servers", "--lecture --port 0 --no-open", "lecture", "/lecture/fits"),
    ],
    ids=["door", "lecture"],
)
def test_what_is_no_request_is_a_problem_and_no_words_on_the_terminal(
    module: str, words: str, name: str, path: str, tmp_path: Path
) -> None:
    start = ["-m", module, *words.split()]
    log = tmp_path / "log"
    answers = attack(start, name, path, log)
    assert log.read_bytes() == b""
    for request, answer in answers.items():
        assert answer[:9] in (b"HTTP/1.1 ", b"HTTP/1.0 ")
        assert answer[9:12] == MALFORMED.get(request, b"400")
        assert b"application/problem+json" in answer

    answers = attack([*without("problems"), *start], name, path, log)
    assert b"Traceback" in log.read_bytes()
    assert {answer[9:12] for answer in answers.values()} >= {b"500"}
    assert not all(b"application/problem+json" in answer for answer in answers.values())

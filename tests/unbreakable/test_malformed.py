"""The relay's door and the lecture's page answer what is no request, and print nothing.

aiohttp by itself answers some of it in its own words, some by 500, and prints a traceback of each.
"""

import asyncio
import contextlib
import sys

import pytest

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


async def attack(command: list[str], name: str, path: str) -> tuple[dict[bytes, bytes], bytes]:
    """Start it and send it nonsense; return its answers, and what it said until its end."""
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=pipe, stderr=pipe
    )
    assert started.stdout is not None
    answers: dict[bytes, bytes] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            found: list[ReadyLine] = []
            while not found:
                said = (await started.stdout.readline()).decode()
                assert said
                with contextlib.suppress(ValueError):
                    found = decode_ready_lines(said, name)
            address, _, key = found[0].url.partition("#key=")
            port = int(address.rstrip("/").rpartition(":")[2])
            garbage = [GARBAGE.format(path, key, coding).encode() for coding in ("gzip", "deflate")]
            for request in [*MALFORMED, *garbage]:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                answers[request] = b""
                with contextlib.suppress(ConnectionError):
                    answers[request] = await reader.read()
                writer.close()
    finally:
        started.terminate()
        _, errors = await started.communicate()
    return answers, errors


@pytest.mark.attack("stop the server, fill its log", "off", "on")
@pytest.mark.parametrize(
    ("module", "words", "name", "path"),
    [
        ("servers.relay", "--to 127.0.0.1:1 --control-port 0", "control", "/link"),
        ("servers", "--lecture --port 0 --no-open", "lecture", "/lecture/fits"),
    ],
    ids=["door", "lecture"],
)
async def test_what_is_no_request_is_a_problem_and_no_words_on_the_terminal(
    module: str, words: str, name: str, path: str
) -> None:
    start = ["-m", module, *words.split()]
    answers, errors = await attack(start, name, path)
    assert errors == b""
    for request, answer in answers.items():
        assert answer[:9] in (b"HTTP/1.1 ", b"HTTP/1.0 ")
        assert answer[9:12] == MALFORMED.get(request, b"400")
        assert b"application/problem+json" in answer

    answers, errors = await attack([*without("problems"), *start], name, path)
    assert b"Traceback" in errors
    assert {answer[9:12] for answer in answers.values()} >= {b"500"}
    assert not all(b"application/problem+json" in answer for answer in answers.values())

"""The relay's door and the lecture's page answer what is no request, and print nothing."""

import asyncio
import contextlib
import sys

import pytest

from tests.support.waiting import PATIENCE_S
from wire.ready_line import ReadyLine, decode_ready_lines

MALFORMED = {
    b"GET /state HTTP/1.1\r\nHost: 127.0.0.1:1\r\nHost: b\r\n\r\n": b"400",
    b"GET /state HTTP/1.1\r\nHost: 127.0.0.1:1\r\nCookie: %s\r\n\r\n" % (b"x" * 17_000): b"431",
    b"\0\r\n\r\n": b"400",
}


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["servers.relay", "--to", "127.0.0.1:1", "--control-port", "0"], "control"),
        (["servers", "--lecture", "--port", "0", "--no-open"], "lecture"),
    ],
    ids=["door", "lecture"],
)
async def test_what_is_no_request_is_a_problem_and_no_words_on_the_terminal(
    command: list[str], name: str
) -> None:
    pipe = asyncio.subprocess.PIPE
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, stdout=pipe, stderr=pipe
    )
    assert started.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            found: list[ReadyLine] = []
            while not found:
                said = (await started.stdout.readline()).decode()
                assert said
                with contextlib.suppress(ValueError):
                    found = decode_ready_lines(said, name)
            port = int(found[0].url.partition("#")[0].rstrip("/").rpartition(":")[2])
            for request, status in MALFORMED.items():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                answer = await reader.read()
                assert answer[:9] in (b"HTTP/1.1 ", b"HTTP/1.0 ")
                assert answer[9:12] == status
                assert b"application/problem+json" in answer
                writer.close()
    finally:
        started.terminate()
        _, errors = await started.communicate()
    assert errors == b""

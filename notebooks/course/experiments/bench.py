"""``python -m notebooks.course.experiments.bench FILE`` serves a reader's own channel.

FILE has a class ``Channel`` with ``say(message)`` and ``ask(after, seconds)``. Around it stands as
much of a long-polling server as our clients need: POST /publish and GET /long_polling. Cursors are
how many messages a client has seen.
"""

import asyncio
import runpy
import sys
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from wire.batch import encode_batch
from wire.cursor import Cursor, parse_cursor
from wire.http_head import encode_response
from wire.message import Message, dump_json, encode_message
from wire.ready_line import ReadyLine, encode_ready_line

_EPOCH: Final = "bench"
_JSON: Final = ("Content-Type", "application/json")


class _Bench:
    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._said = 0
        self._turn = asyncio.Lock()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        try:
            while head := await _head(reader):
                first, *lines = head.decode("latin-1").split("\r\n")
                fields = {name.lower(): value.strip() for name, _, value in map(_parted, lines)}
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                method, target, _ = first.split(" ", 2)
                writer.write(await self._answer(method, target, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, method: str, target: str, body: bytes) -> bytes:
        asked = {name: one[0] for name, one in parse_qs(urlsplit(target).query).items()}
        if method == "POST":
            return await self._publish(asked, body)
        if "after" not in asked:
            return self._batch([], self._said)
        after = parse_cursor(asked["after"]).id
        found = list(await self._channel.ask(after, float(asked.get("timeout", 25))))
        if not found:
            return encode_response("204 No Content", [])
        return self._batch(found, after + len(found))

    async def _publish(self, asked: dict[str, str], body: bytes) -> bytes:
        async with self._turn:  # so that they are said in the order of their numbers
            self._said += 1
            number, now = self._said, time.monotonic_ns()
            sent = int(asked.get("sent_ns", now))
            await self._channel.say(
                encode_message(Message(number, asked.get("sender", ""), sent, now, body.decode()))
            )
        said = dump_json({"id": number, "cursor": str(Cursor(_EPOCH, number))})
        return _response("201 Created", said)

    def _batch(self, messages: list[bytes], seen: int) -> bytes:
        body = encode_batch(messages, str(Cursor(_EPOCH, seen)))
        return _response("200 OK", body)


def _response(status: str, body: bytes) -> bytes:
    return encode_response(status, [_JSON, ("Content-Length", str(len(body)))], body)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


async def _serve(channel: Any) -> None:
    server = await asyncio.start_server(_Bench(channel).connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(encode_ready_line(ReadyLine("bench", f"http://127.0.0.1:{port}")), flush=True)
    await server.serve_forever()


def main(arguments: Sequence[str]) -> None:
    """Serve until the process is ended."""
    made = runpy.run_path(arguments[0])["Channel"]
    asyncio.run(_serve(made()))


if __name__ == "__main__":
    main(sys.argv[1:])

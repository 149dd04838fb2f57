"""A faulty way to a server: plants faults into event streams, so that the audit proves itself.

A small TCP proxy for ``calibrate`` and the tests. It hands everything on, except that of each event
stream (``GET /sse``) it drops, doubles, or swaps with its successor every event whose id is a
multiple of ``--every``; of several faults it plants one after the other::

    python -m servers.relay.faulty --to 127.0.0.1:8000 --fault swap --every 1000
"""

import argparse
import asyncio
import contextlib
import re
from collections.abc import Sequence

from wire import http_head
from wire.chunked import ChunkedDecoder, encode_chunk
from wire.ready_line import ReadyLine, encode_ready_line

FAULTS = ("drop", "double", "swap")
_EVENT_END = b"\n\n"
_ID = re.compile(rb"^id: [0-9a-z]+-([0-9]+)$", re.MULTILINE)


class EventSpoiler:
    """Plants faults into the events of one stream, each kind in its turn."""

    def __init__(self, faults: Sequence[str], every: int) -> None:
        self._faults = faults
        self._every = every
        self._rest = b""
        self._held = b""  # an event that its successor will overtake

    def spoil(self, data: bytes) -> bytes:
        """Return what goes on in place of ``data``: whole events only."""
        *events, self._rest = (self._rest + data).split(_EVENT_END)
        return b"".join(self._spoil(event + _EVENT_END) for event in events)

    def _spoil(self, event: bytes) -> bytes:
        held, self._held = self._held, b""
        match = _ID.search(event)
        if match is None or int(match[1]) % self._every:
            return event + held
        fault = self._faults[(int(match[1]) // self._every - 1) % len(self._faults)]
        if fault == "swap":
            self._held = event
            return held
        return event * 2 if fault == "double" else b""


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _pump_spoiled(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, spoiler: EventSpoiler
) -> None:
    """Hand a chunked answer on, with its events spoiled."""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(await reader.readuntil(http_head.END))
        chunks = ChunkedDecoder()
        while data := await reader.read(65536):
            writer.write(encode_chunk(spoiler.spoil(b"".join(chunks.decode(data)))))
            await writer.drain()
    writer.close()


async def serve(host: str, port: int, faults: Sequence[str], every: int) -> None:
    """Proxy to ``host:port`` from a free port, which is printed, until cancelled."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_server = await asyncio.open_connection(host, port)
        try:
            head = await reader.readuntil(http_head.END)
            to_server.write(head)
            down = (
                _pump_spoiled(there, writer, EventSpoiler(faults, every))
                if head.startswith(b"GET /sse")
                else _pump(there, writer)
            )
            await asyncio.gather(_pump(reader, to_server), down)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            to_server.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(encode_ready_line(ReadyLine("faulty", url)), flush=True)
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the proxy."""
    parser = argparse.ArgumentParser(
        prog="python -m servers.relay.faulty",
        description="A way to a server that spoils one event in so many.",
    )
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="the server")
    parser.add_argument(
        "--fault", choices=FAULTS, nargs="+", required=True, help="what happens to the event"
    )
    parser.add_argument(
        "--every", type=int, default=1000, metavar="N", help="spoil each Nth (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    host, _, port = options.to.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        parser.error(f"{options.to!r} is not HOST:PORT, such as 127.0.0.1:8000")
    if options.every < 1:
        parser.error(f"--every must be 1 or more, not {options.every}")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(host, int(port), options.fault, options.every))


if __name__ == "__main__":
    main()

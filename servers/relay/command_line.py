"""The relay as a process: its command line, its control address and its capture file."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from aiohttp import web

from servers.front.handover import Listener
from servers.front.ledger import Ledger
from servers.front.listening import listen
from servers.relay.capture import Capture
from servers.relay.control import control_app
from servers.relay.loop import new_loop
from servers.relay.relay import Link, Relay
from wire.ready_line import ReadyLine, encode_ready_line

_MOST_AT_DOOR: Final = 100  # connections


class _File:
    """A capture's file. Unbuffered, so that it can be looked at while the relay runs.

    When it takes no more (a full disk), what passes is relayed all the same, and a word is said.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file, self._broken = path, path.open("wb", buffering=0), False

    def write(self, data: bytes) -> None:
        """Take bytes of the file."""
        try:
            if not self._broken:
                self._file.write(data)
        except OSError as error:
            self._broken = True
            print(f"{self._path} ends here: {error}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def _target(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535, or 0 for any free")
    return int(text)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m servers.relay",
        description="A TCP relay on 127.0.0.1 that plays the network in front of a server.",
    )
    add = parser.add_argument
    add(
        "--to",
        type=_target,
        action="append",
        required=True,
        metavar="HOST:PORT",
        help="the server; may be given several times: one relay each",
    )
    add("--port", type=_port, action="append", help="listen here (default: any free port)")
    add(
        "--delay-ms", type=float, default=0.0, help="one-way delay, each way (default: %(default)g)"
    )
    add(
        "--jitter-ms",
        type=float,
        default=0.0,
        help="up to so much more delay, by chance; order stays (default: %(default)g)",
    )
    add("--bandwidth", type=float, metavar="BYTES_PER_S", help="limit, each way (default: none)")
    for way in ("up", "down"):
        told = f"to the {'server' if way == 'up' else 'client'}"
        add(f"--{way}-delay-ms", type=float, help=f"delay {told} alone (default: --delay-ms)")
        add(
            f"--{way}-bandwidth",
            type=float,
            metavar="BYTES_PER_S",
            help=f"limit {told} alone (default: --bandwidth)",
        )
    add(
        "--control-port",
        type=_port,
        help="serve the control address (JSON) on this port of 127.0.0.1 (default: none)",
    )
    add(
        "--pcap",
        type=Path,
        metavar="FILE",
        help="write what passes as packets, for Wireshark (pcapng); it grows while the relay runs",
    )
    found = parser.parse_args(argv)
    found.port = found.port or [0] * len(found.to)
    if len(found.port) != len(found.to):
        parser.error("give --port once for each --to, or not at all")
    try:
        found.link = Link(
            delay_s=found.delay_ms / 1000,
            jitter_s=found.jitter_ms / 1000,
            up_delay_s=_seconds(found.up_delay_ms),
            down_delay_s=_seconds(found.down_delay_ms),
            bytes_per_s=found.bandwidth,
            up_bytes_per_s=found.up_bandwidth,
            down_bytes_per_s=found.down_bandwidth,
        )
    except ValueError as error:
        parser.error(str(error))
    return found


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    if sys.platform != "win32":  # there Ctrl-C arrives as KeyboardInterrupt
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        relays, capture = [], None
        if arguments.pcap is not None:
            file = _File(arguments.pcap)
            stack.callback(file.close)
            capture = Capture(file)
            stack.callback(capture.write)
        for (host, to_port), port in zip(arguments.to, arguments.port, strict=True):
            relay = Relay(host, to_port, port=port, link=arguments.link, capture=capture)
            relays.append(await stack.enter_async_context(relay))
            line = ReadyLine("relay", f"http://127.0.0.1:{relay.port}", to=f"{host}:{to_port}")
            print(encode_ready_line(line), flush=True)
        if arguments.control_port is not None:
            runner = web.AppRunner(control_app(relays), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            assert runner.server is not None
            door = Listener(runner.server, Ledger(), _MOST_AT_DOOR)
            server = await listen(door, "127.0.0.1", arguments.control_port)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            line = ReadyLine("control", f"http://127.0.0.1:{port}")
            print(encode_ready_line(line), flush=True)
        await stop.wait()


def main(argv: Sequence[str] | None = None) -> None:
    """Run relays until SIGTERM or Ctrl-C."""
    arguments = _arguments(argv)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_run(arguments))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        is_file = arguments.pcap is not None and error.filename is not None
        sys.exit(f"the relay cannot {'write its capture' if is_file else 'listen'}: {error}")

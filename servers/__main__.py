"""Start the servers: ``python -m servers --port 8000 --techniques sse web_socket``."""

import argparse
import asyncio
import contextlib
import gc
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import cast

from servers.app import most_sockets, running
from servers.front.guard import read_origin
from servers.front.hosts import ANY, split_host
from servers.front.sparing import log_sparingly
from servers.relay.loop import new_loop
from servers.service import Logs, Settings, memory_logs
from wire.ready_line import ReadyLine, encode_ready_line
from wire.techniques import SLUGS, known, listing

_LONGEST_HEARTBEAT = 32767  # seconds, as TCP's own keep-alive knows no longer ones
_LAST_PORT = 65535
_MOST = 2**31 - 1  # what the kernel takes as a size
# What only servers take that are started without the lecture.
_NOT_THE_LECTURES = (
    *("techniques", "heartbeat", "allow_origin", "log_messages", "log_bytes", "max_message"),
    *("send_buffer", "deflate", "loop"),
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog=os.environ.pop("DUPLEX_COMMAND", "python -m servers"),
        description="Serve the techniques, all or some, on one port.",
        epilog=listing(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    default = Settings()
    add(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: %(default)s, loopback only)",
    )
    add(
        "--port",
        type=_port,
        default=8000,
        help="port of the pages; 0 takes a free one (default: %(default)s)",
    )
    add("--plugin-port", type=_port, help="port of the plugin socket (default: port + 1)")
    add(
        "--techniques",
        nargs="+",
        type=known,
        default=SLUGS,
        metavar="SLUG",
        help=f"which to serve, see below (default: all: {' '.join(SLUGS)})",
    )
    add(
        "--heartbeat",
        type=_heartbeat,
        default=default.heartbeat,
        metavar="S",
        help="seconds between signs of life on what is held (default: %(default)g)",
    )
    add(
        "--allow-origin",
        type=_origins,
        action="extend",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin in (or of several: A,B); * lets all in (default: none)",
    )
    add(
        "--allow-host",
        type=_host,
        action="append",
        default=[],
        metavar="NAME",
        help="be asked by this name too, such as lab_pc or duplex.example; * for any "
        "(addresses, localhost, --host and this machine's name always are)",
    )
    add(
        "--log-messages",
        type=_count,
        default=default.log_messages,
        metavar="N",
        help="messages of history per channel (default: %(default)s)",
    )
    add(
        "--log-bytes",
        type=_count,
        default=default.log_bytes,
        metavar="B",
        help="bytes of history per channel (default: %(default)s)",
    )
    add(
        "--max-message",
        type=_count,
        default=default.most_message,
        metavar="B",
        help="bytes that a message may have (default: %(default)s)",
    )
    add(
        "--send-buffer",
        type=_count,
        default=default.send_buffer,
        metavar="B",
        help="kernel send buffer of a connection (default: %(default)s)",
    )
    add("--deflate", action="store_true", help="allow permessage-deflate on WebSockets")
    add(
        "--loop",
        choices=("auto", "uvloop", "asyncio"),
        default="auto",
        help="event loop; auto takes uvloop where it exists (default: %(default)s)",
    )
    add(
        "--lecture",
        action="store_true",
        help="serve the lecture page too (takes --host, --port, --plugin-port, --allow-host)",
    )
    add(
        "--open",
        action=argparse.BooleanOptionalAction,
        help="open the lecture page in a browser (default: on a terminal)",
    )
    options = parser.parse_args(arguments)
    if options.lecture:
        parser.set_defaults(**dict.fromkeys(_NOT_THE_LECTURES))
        given = vars(parser.parse_args(arguments))
        names = [f"--{name.replace('_', '-')}" for name in _NOT_THE_LECTURES if given[name]]
        if names:
            parser.error(
                f"{', '.join(names)}: not for the lecture, which shows every technique under equal "
                "terms; servers alone take it, inside .venv: python -m servers"
            )
    return options


def _origins(text: str) -> list[str]:
    try:
        return [read_origin(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _host(text: str) -> str:
    if text != ANY and split_host(text) != text.lower().removesuffix("."):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a host, such as lab_pc or duplex.example (no port), nor *"
        )
    return text


def _heartbeat(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.1 <= (seconds := float(text)) <= _LONGEST_HEARTBEAT:
            return seconds
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number of seconds from 0.1 to {_LONGEST_HEARTBEAT}"
    )


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 <= (port := int(text)) <= _LAST_PORT:
            return port
    raise argparse.ArgumentTypeError(f"{text!r} is no port: one is from 0 to {_LAST_PORT}")


def _count(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 0 < (number := int(text)) <= _MOST:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {_MOST}")


def settings_of(options: argparse.Namespace) -> Settings:
    """Make settings of parsed options."""
    return Settings(
        techniques=tuple(slug for slug in SLUGS if slug in options.techniques),
        allowed_origins=frozenset(options.allow_origin),
        allowed_hosts=frozenset({*options.allow_host, options.host}),
        heartbeat=options.heartbeat,
        most_message=options.max_message,
        log_messages=options.log_messages,
        log_bytes=options.log_bytes,
        send_buffer=options.send_buffer,
        most_sockets=most_sockets(),
        deflate=options.deflate,
    )


@contextlib.contextmanager
def _until_told_to_end() -> Iterator[asyncio.Event]:
    """Give the event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        for name in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(name, stop.set)
                # uvloop would leave it to a loop that is closed.
                stack.callback(loop.remove_signal_handler, name)
        yield stop


async def serve(options: argparse.Namespace, logs: Logs = memory_logs) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    port = options.port
    plugin_port = options.plugin_port
    if plugin_port is None:
        plugin_port = port + 1 if port else 0
    settings = settings_of(options)
    here = running(settings, options.host, port, plugin_port, logs=logs)
    with _until_told_to_end() as stop:
        async with here as server:
            plugin = f"{server.host}:{server.plugin_port}" if server.plugin_port else ""
            print(encode_ready_line(ReadyLine("servers", server.url, plugin)), flush=True)
            # What exists now lives on; collecting it again and again would only cost pauses.
            gc.freeze()
            await stop.wait()


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes event loops; ``None`` stands for asyncio's own.

    Raises :class:`SystemExit` where uvloop is asked for and missing.
    """
    if name != "asyncio" and importlib.util.find_spec("uvloop"):
        return cast(
            "Callable[[], asyncio.AbstractEventLoop]", import_module("uvloop").new_event_loop
        )
    if name == "uvloop":
        raise SystemExit("uvloop is not installed here; --loop asyncio needs nothing")
    return None


def _open_standard_streams() -> None:
    """Open what is closed: a socket that took such a number would make libuv abort."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def main(arguments: list[str] | None = None, logs: Logs = memory_logs) -> int:
    """Run the command, with the history kept by ``logs``; return the exit status."""
    _open_standard_streams()
    log_sparingly()
    options = parse_arguments(arguments)
    try:
        if options.lecture:
            # Timers of the network that it plays must be right, so not uvloop.
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(import_module("servers.lecture.lecture").lecture(options))
            return 0
        factory = loop_factory(options.loop)
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve(options, logs))
    except OSError as error:
        print(
            f"cannot listen: {error.strerror or error}; choose another address "
            "with --host, --port and --plugin-port (port 0 takes a free one)",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

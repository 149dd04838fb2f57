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

from servers.app import running
from servers.command_line import MEMORY, parse_arguments, settings_of
from servers.front.certificates import CertificateError
from servers.front.sparing import log_sparingly
from servers.front.tls import own_context, server_context
from servers.relay.loop import new_loop
from servers.service import Logs, memory_logs
from servers.supervisor import end_with_supervisor, engine_of, supervise
from wire.ready_line import ReadyLine, encode_ready_line


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
    """Serve until SIGTERM or Ctrl-C, with the history where it is asked for, else in ``logs``."""
    port = options.port
    plugin_port = options.plugin_port
    if plugin_port is None:
        plugin_port = port + 1 if port else 0
    settings = settings_of(options)
    secured, trust = None, ""
    if options.cert:
        secured = server_context(options.cert, options.key)
    elif options.tls:
        secured, authority = own_context(options.host, options.allow_host)
        trust = str(authority)
    with _until_told_to_end() as stop:
        if options.is_worker:
            end_with_supervisor(stop)
        async with contextlib.AsyncExitStack() as stack:
            join = None
            if options.log != MEMORY:
                board = import_module("servers.shared.board")
                logs, join = await board.enter(stack, options.log)
            at = (options.host, port, plugin_port)
            here = running(settings, *at, logs=logs, secured=secured, join=join)
            server = await stack.enter_async_context(here)
            plugin = f"{server.host}:{server.plugin_port}" if server.plugin_port else ""
            line = ReadyLine("servers", server.url, plugin, trust=trust)
            print(encode_ready_line(line), flush=True)
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
        if options.workers > 1:
            words = sys.argv[1:] if arguments is None else arguments
            return supervise(options, words)
        if options.lecture:
            # Timers of the network that it plays must be right, so not uvloop.
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(import_module("servers.lecture.lecture").lecture(options))
            return 0
        factory = loop_factory(options.loop)
        with contextlib.ExitStack() as stack:
            options.log = stack.enter_context(engine_of(options.log))
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(serve(options, logs))
    except CertificateError as error:
        print(f"no TLS: {error}", file=sys.stderr)
        return 1
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

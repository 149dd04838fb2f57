"""Several workers on the same ports: started, watched, restarted, drained and ended.

Each worker is ``python -m servers`` itself, with sockets of its own on ports that all share; the
kernel deals out among them who connects. The supervisor holds the ports without listening: it
learns them where a free one is asked for, keeps them between the lives of a worker, and finds out
whether somebody else is there, which sockets that are shared would not.

SIGTERM and Ctrl-C end all, SIGHUP has one worker after the other end well and begin anew. Workers
and an embedded engine end with the supervisor, however that ends: their input does.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module

from servers.command_line import EMBEDDED
from servers.front.listening import bound_socket
from wire.techniques import OWN_PORT

_LOG = logging.getLogger("servers")
_DRAIN_S = 10.0  # for a worker to end well
_LIVED_S = 1.0  # whoever ended before is not started again at once
_REST_S = 1.0


@contextlib.contextmanager
def engine_of(log: str) -> Iterator[str]:
    """Start an engine where none is named; give where the history is then."""
    if log == EMBEDDED:
        with import_module("servers.shared.embedded").embedded() as address:
            yield address
    else:
        yield log


def end_with_supervisor(stop: asyncio.Event) -> None:
    """Set ``stop`` when the supervisor is gone."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            stop.set()

    loop.add_reader(0, look)


def hold(host: str, port: int) -> socket.socket:
    """Bind a port that workers share, unless anybody listens there.

    Raises :class:`OSError` that names the address.
    """
    if port:
        bound_socket(host, port).close()
    held = bound_socket(host, port, is_shared=True)
    # Another supervisor that comes before the workers listen is refused, too.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return held


def supervise(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Run ``options.workers`` workers until told to end; return the exit status.

    ``words`` is the command line. Raises :class:`OSError` where a port is taken.
    """
    plugin_port = options.plugin_port
    if plugin_port is None:
        plugin_port = options.port + 1 if options.port else 0
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(hold(options.host, options.port)).getsockname()[1]
        if OWN_PORT.intersection(options.techniques):
            held = stack.enter_context(hold(options.host, plugin_port))
            plugin_port = held.getsockname()[1]
        log = stack.enter_context(engine_of(options.log))
        ports = ("--port", str(port), "--plugin-port", str(plugin_port))
        # Not on the command line, where everybody could read its password.
        environment = {**os.environ, "DUPLEX_WORKER": "1", "DUPLEX_LOG": log}
        command = [sys.executable, "-m", "servers", *_without_log(words), *ports, "--workers", "1"]
        return asyncio.run(Supervisor(command, environment, options.workers).run())


def _without_log(words: Sequence[str]) -> Iterator[str]:
    is_value = False
    for word in words:
        if not is_value and word != "--log" and not word.startswith("--log="):
            yield word
        is_value = word == "--log"


class Supervisor:
    """Keeps ``count`` processes of one command alive."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], count: int) -> None:
        self._command = command
        self._environment = environment
        self._count = count
        self._children: dict[int, asyncio.subprocess.Process] = {}  # by their place
        self._ready = [asyncio.Event() for _ in range(count)]
        self._line = ""  # by which they tell that they are ready
        self._has_begun = self._is_ending = False
        self._ended_well: set[int] = set()  # process ids of whom we told to end
        self._failed = asyncio.Event()

    async def run(self) -> int:
        """Start all, tell when they are ready, and keep them until told to end."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        renewing: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(
            signal.SIGHUP, lambda: renewing.add(loop.create_task(self._renew()))
        )
        keepers: list[asyncio.Task[None]] = []
        for place in range(self._count):  # the first may have to make what the others find
            keepers.append(loop.create_task(self._keep(place)))
            if not await self._first_of(stop, self._failed, self._ready[place]):
                break
        if not (stop.is_set() or self._failed.is_set()):
            self._has_begun = True
            print(self._line, flush=True)
            await self._first_of(stop, self._failed)
        self._is_ending = True
        for task in renewing:
            task.cancel()
        await asyncio.gather(*map(self._end, list(self._children.values())))
        await asyncio.gather(*keepers, *renewing, return_exceptions=True)
        return 1 if self._failed.is_set() else 0

    async def _first_of(self, *events: asyncio.Event) -> bool:
        """Wait for one of them; tell whether it was the last."""
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return events[-1].is_set() and not any(event.is_set() for event in events[:-1])

    async def _keep(self, place: int) -> None:
        """Have one worker live, again and again."""
        while not self._is_ending:
            began = time.monotonic()
            child = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the supervisor
            )
            self._children[place] = child
            if self._is_ending:
                await self._end(child)
            assert child.stdout is not None
            if line := await child.stdout.readline():
                self._line = line.decode().rstrip()
                self._ready[place].set()
            status = await child.wait()
            if not line and not self._has_begun:  # it has told why
                self._failed.set()
                return
            if self._is_ending or child.pid in self._ended_well:
                self._ended_well.discard(child.pid)
                continue
            _LOG.warning("worker %d ended with status %d; another one starts", child.pid, status)
            if time.monotonic() - began < _LIVED_S:
                await asyncio.sleep(_REST_S)

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            try:
                await asyncio.wait_for(child.wait(), _DRAIN_S)
            except TimeoutError:
                child.kill()

    async def _renew(self) -> None:
        """Have one worker after the other end well, while the others serve."""
        for place, ready in enumerate(self._ready):
            child = self._children[place]
            ready.clear()
            self._ended_well.add(child.pid)
            await self._end(child)
            await ready.wait()

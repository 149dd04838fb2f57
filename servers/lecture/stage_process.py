"""The stage's processes: started, restarted on demand, and ended with the lecture.

There is one, or, to show what becomes of a server that is several, more workers on the same ports:
each with a memory of its own, or all with a common log.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Iterable
from importlib import import_module

import aiohttp

from servers.front.problems import Problem
from servers.lecture.stage import APART, KEY_FIELD, KEY_VARIABLE, LOG_VARIABLE
from wire.ready_line import decode_ready_lines

_READY_SECONDS = 20.0
_END_SECONDS = 5.0
# glibc: what is large goes back to the system as soon as it is free, and leaves no holes behind.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**18), "MALLOC_ARENA_MAX": "1"}


async def launched(words: list[str], environment: dict[str, str]) -> asyncio.subprocess.Process:
    """Start a stage with these words on its command line."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "servers.lecture.stage",
        *words,
        stdin=asyncio.subprocess.PIPE,  # its end tells the stage that the lecture has ended
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for the lecture, which then ends its stage
    )


class StageProcess:
    """Runs :mod:`servers.lecture.stage`, whose ports stay over restarts.

    ``port`` and ``plugin_port`` are for this machine, ``lines_port`` for what the room sends.
    """

    def __init__(
        self, page_port: int, port: int, plugin_port: int, hosts: Iterable[str] = ()
    ) -> None:
        self.port, self.plugin_port, self.lines_port = port, plugin_port, 0
        self.key = secrets.token_urlsafe(24)
        self.is_ready = False
        self._page_port = page_port
        self._hosts = sorted(hosts)
        self.workers, self.is_common = 1, False
        self._processes: list[asyncio.subprocess.Process] = []
        self._turn = asyncio.Lock()  # a start that is cancelled halfway may wait for ever
        self._is_over = False
        self._engine = contextlib.ExitStack()
        self._address = ""  # of the engine, which is started when it is wanted first

    def state(self) -> dict[str, object]:
        """Describe it to the page."""
        workers = {"count": self.workers, "common": self.is_common}
        return {"ready": self.is_ready, "workers": workers}

    async def start(self) -> None:
        """Start it and wait until it listens; raises :class:`OSError` where it cannot."""
        log = self._address if self.is_common else APART if self.workers > 1 else ""
        for _ in range(self.workers):
            await self._start_one(log)
        self.is_ready = True

    async def _start_one(self, log: str) -> None:
        ports = (self._page_port, self.port, self.plugin_port, self.lines_port)
        environment = {**os.environ, **_MEMORY, KEY_VARIABLE: self.key, LOG_VARIABLE: log}
        process = await launched([*map(str, ports), *self._hosts], environment)
        self._processes.append(process)
        if self._is_over:
            process.terminate()
        assert process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            said = await process.stdout.readline()
        lines = decode_ready_lines(said.decode(), "stage")
        if not lines:
            raise OSError("the techniques' server could not start, see above")
        self.port, self.plugin_port, self.lines_port = lines[0].ports

    async def arrange(self, workers: int, is_common: bool) -> None:
        """Have so many workers from the next start on, with a common log or each with its own.

        Raises :class:`~servers.front.problems.Problem` 501 where this system cannot.
        """
        if workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
            raise Problem(501, "no two servers can share a port here; Linux and macOS let them")
        if is_common and not self._address:
            self._address = await asyncio.to_thread(self._start_engine)
        self.workers, self.is_common = workers, is_common

    def _start_engine(self) -> str:
        engine = import_module("servers.shared.embedded").embedded()
        try:
            address: str = self._engine.enter_context(engine)
        except SystemExit as told:
            raise Problem(501, f"there is no common log: {told}") from None
        return address

    async def present(self, channel: str) -> list[list[str]]:
        """Ask who is on a channel: names and techniques; nobody while the stage is away."""
        url = f"http://127.0.0.1:{self.port}/stage/present"
        headers, timeout = {KEY_FIELD: self.key}, aiohttp.ClientTimeout(5)
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.get(url, params={"channel": channel}) as answer,
            ):
                people: list[list[str]] = await answer.json() if answer.status == 200 else []
                return people
        except (aiohttp.ClientError, TimeoutError):
            return []

    async def stop(self) -> None:
        """End it: gently, and if that takes too long, at once. Nothing starts any more."""
        self._is_over, self.is_ready = True, False
        for process in self._processes:
            if process.returncode is None:
                process.terminate()
        async with self._turn:
            try:
                async with asyncio.timeout(_END_SECONDS):
                    for process in self._processes:
                        await process.wait()
            except TimeoutError:
                await self._kill()
            await asyncio.to_thread(self._engine.close)

    async def restart(self) -> None:
        """End it as a crash would, without goodbyes, and start it anew on the same ports."""
        async with self._turn:
            if self._is_over:
                return
            self.is_ready = False
            await self._kill()
            await self.start()

    async def _kill(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
        while self._processes:
            await self._processes.pop().wait()

"""The stage's process: started, restarted on demand, and ended with the lecture."""

import asyncio
import os
import secrets
import sys
from collections.abc import Iterable

import aiohttp

from servers.lecture.stage import KEY_FIELD, KEY_VARIABLE
from wire.ready_line import decode_ready_lines

_READY_SECONDS = 20.0
_END_SECONDS = 5.0
# glibc: what is large goes back to the system as soon as it is free, and leaves no holes behind.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**18), "MALLOC_ARENA_MAX": "1"}


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
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it listens; raises :class:`OSError` where it cannot."""
        ports = (self._page_port, self.port, self.plugin_port, self.lines_port)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "servers.lecture.stage",
            *map(str, ports),
            *self._hosts,
            stdin=asyncio.subprocess.PIPE,  # its end tells the stage that the lecture has ended
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **_MEMORY, KEY_VARIABLE: self.key},
            start_new_session=True,  # Ctrl-C is for the lecture, which then ends its stage
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(_READY_SECONDS):
            said = await self._process.stdout.readline()
        lines = decode_ready_lines(said.decode(), "stage")
        if not lines:
            raise OSError("the techniques' server could not start, see above")
        self.port, self.plugin_port, self.lines_port = lines[0].ports
        self.is_ready = True

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
        """End it: gently, and if that takes too long, at once."""
        self.is_ready = False
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def restart(self) -> None:
        """End it as a crash would, without goodbyes, and start it anew on the same ports."""
        self.is_ready = False
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await self.start()

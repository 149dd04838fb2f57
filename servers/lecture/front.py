"""HTTP/2 for the limits lab: HAProxy before the lab's line, started when the lecturer asks for it.

It speaks TLS, as browsers speak HTTP/2 by nothing else, with a certificate of the project's own
authority (:mod:`servers.front.certificates`). The lab behind it stays as it is: HTTP/1.1.
"""

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from servers.front.certificates import AUTHORITY, FOLDER, CertificateError, server_names, signed_for
from servers.front.listening import bound_socket, own_host
from servers.front.problems import Problem

PROGRAM: Final = "haproxy"
_SYSTEM: Final = "/usr/sbin"  # where Debian keeps servers, on the PATH of root alone
_READY_SECONDS: Final = 10.0
_END_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 0.1
_WAITING: Final = 64
# It ends with us, however we end: then nothing holds its input open.
_KEPT: Final = '"$1" -db -f "$0" & read _; kill $!; wait'
_CONFIGURATION: Final = """
global
    maxconn {most}
defaults
    mode http
    option http-no-delay
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend front
    bind fd@{descriptor} ssl crt {certificate} alpn h2,http/1.1
    default_backend back
backend back
    server lab {line} maxconn {most}
"""
_MOST: Final = 150  # connections; on the line they count as this machine's own


class Front:
    """The front, at ``port`` once it stands, before the port ``line``; certified for ``names``."""

    def __init__(self, host: str, port: int, line: int, names: Iterable[str]) -> None:
        self.port = 0
        self._host, self._wanted, self._line = host, port, line
        self._names = list(names)
        self._stack = contextlib.AsyncExitStack()
        self._lock = asyncio.Lock()

    def state(self) -> dict[str, Any]:
        """Describe it to the page: where it stands, or what is missing."""
        missing = "" if self.port or program() else PROGRAM
        return {"front": {"port": self.port, "missing": missing}}

    async def order(self, order: dict[str, Any]) -> None:
        """Start it, unless it stands. Raises Problem 503, with what would help."""
        async with self._lock:
            if not self.port:
                try:
                    await self._start()
                except BaseException:
                    await self.stop()
                    raise

    async def _start(self) -> None:
        found = program()
        if found is None:
            raise Problem(503, f"{PROGRAM} is not installed here: apt install haproxy")
        try:
            listening = bound_socket(self._host, self._wanted)
            self._stack.callback(listening.close)
            listening.listen(_WAITING)
            certificate = self._stack.enter_context(
                signed_for(server_names(self._host, self._names))
            )
        except (CertificateError, OSError) as error:
            raise Problem(503, f"no HTTP/2: {error}") from None
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="duplex-front-")))
        configuration = folder / "haproxy.cfg"
        descriptor, here = listening.fileno(), own_host(self._host)
        line = f"{f'[{here}]' if ':' in here else here}:{self._line}"
        configuration.write_text(
            _CONFIGURATION.format(
                most=_MOST, descriptor=descriptor, certificate=certificate, line=line
            ),
            encoding="utf-8",
        )
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", _KEPT, str(configuration), found),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=(descriptor,),
            start_new_session=True,
        )
        self._stack.push_async_callback(_end, process)
        port = listening.getsockname()[1]
        listening.close()  # from now on only HAProxy's, so that nobody waits if it is not there
        await self._await_ready(port)
        self.port = port

    async def _await_ready(self, port: int) -> None:
        trusting = ssl.create_default_context(cafile=FOLDER / AUTHORITY)
        here = own_host(self._host)
        loop = asyncio.get_running_loop()
        end = loop.time() + _READY_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(end):
                    _, writer = await asyncio.open_connection(here, port, ssl=trusting)
            except (OSError, TimeoutError) as error:
                if loop.time() > end or isinstance(error, ConnectionRefusedError):
                    raise Problem(503, "HAProxy did not start; see the terminal") from None
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                writer.transport.abort()
                return

    async def stop(self) -> None:
        """End it."""
        self.port = 0
        await self._stack.aclose()


def program() -> str | None:
    """Return where HAProxy is, if it is here."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path=_SYSTEM)


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

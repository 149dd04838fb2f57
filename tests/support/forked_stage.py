"""``python -m servers``, whose lecture starts its stages as forks: all that one costs is imported.

Before it begins, the lecture leaves a copy of itself behind that is clean still: without threads,
loop or sockets. That copy becomes a stage whenever one is launched, and ends with the lecture. How
a stage starts in earnest is seen by tests/servers/lecture/test_stage_process.py, and where a
lecture is besieged.
"""

import asyncio
import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from typing import NoReturn

from servers.lecture import stage, stage_process

_MOST = 2**17  # bytes of an order


class _Stage:
    """What a lecture uses of :class:`asyncio.subprocess.Process`."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, stdin: int) -> None:
        self.stdout = stdout
        self.returncode: int | None = None
        self._stdin = stdin  # held open as long as it is to live
        self._ended = asyncio.Event()
        self._process = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._process, self._has_ended)

    def _has_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._process)
        os.close(self._process)
        os.close(self._stdin)
        self.returncode = 0  # nobody asks which
        self._ended.set()

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, number)

    async def wait(self) -> int:
        await self._ended.wait()
        return 0


class _Copy:
    """A process that is asked by a socket to become a stage, and does so in a fork of its own."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gc.freeze()
        if not os.fork():
            self._orders.close()
            _obey(theirs)
        theirs.close()

    async def launched(self, words: list[str], environment: dict[str, str]) -> _Stage:
        """Start a stage, as :func:`servers.lecture.stage_process.launched` does."""
        (stdin, to_it), (from_it, stdout) = os.pipe(), os.pipe()
        order = json.dumps([words, environment]).encode()
        socket.send_fds(self._orders, [order], [stdin, stdout])
        os.close(stdin)
        os.close(stdout)
        pid = int.from_bytes(self._orders.recv(4), "big")
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_it, "rb")
        )
        return _Stage(pid, reader, to_it)


def _obey(orders: socket.socket) -> NoReturn:
    """Fork for each order; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that none of them stays as a zombie
    while True:
        order, streams, _, _ = socket.recv_fds(orders, _MOST, 2)
        if not order:
            os._exit(0)
        words, environment = json.loads(order)
        if not (pid := os.fork()):
            _become(words, environment, streams)
        for stream in streams:
            os.close(stream)
        orders.sendall(pid.to_bytes(4, "big"))


def _become(words: list[str], environment: dict[str, str], streams: list[int]) -> NoReturn:
    """Be a stage with these words on its command line; never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[1:] = words
        stage.main()
        sys.stdout.flush()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main() -> None:
    """Be ``python -m servers`` with the words on the command line."""
    vars(stage_process)["launched"] = _Copy().launched
    runpy.run_module("servers", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

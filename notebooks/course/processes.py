"""Servers and relays as processes, for notebooks: started on free ports, always ended.

They run out of process so that what is measured and what measures do not share an interpreter,
and because the clients' room knows nothing of servers but their command lines.

``python -m notebooks.course.processes WORDS`` runs ``python -m WORDS`` until its own input ends: a
kernel that is killed closes that pipe, so nothing that it started outlives it, on any system.
"""

import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
START_S = 20.0
_END_S = 5.0


class Process:
    """``python -m`` some words, in the project's folder; a context manager."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "notebooks.course.processes", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def await_lines(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Wait for ``count`` lines that match and return the matches.

        Raises :class:`RuntimeError` with the process' last words if they do not come.
        """
        limit = time.monotonic() + START_S
        while True:
            said = self._said()
            found = list(re.finditer(pattern, said, re.MULTILINE))
            if len(found) >= count:
                return found
            if self._process.poll() is not None or time.monotonic() > limit:
                self.close()
                raise RuntimeError(f"python -m {' '.join(self._words)} did not start:\n{said}")
            time.sleep(0.02)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def close(self) -> None:
        """End the process, by force if it does not go; closing twice does nothing."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(2 * _END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Server(Process):
    """``python -m servers`` with all techniques; ``url`` and ``plugin_port`` say where."""

    def __init__(self, *flags: str) -> None:
        super().__init__(["servers", "--port", "0", "--plugin-port", "0", *flags])
        match = self.await_lines(r"^servers ready (http://\S+) plugin \S+:(\d+)")[0]
        self.url, self.plugin_port = match[1], int(match[2])
        self.port = int(self.url.rpartition(":")[2])


class Relay(Process):
    """A relay before both ports of a server; ``door`` is the address of its JSON door."""

    def __init__(self, server: Server, delay_ms: float) -> None:
        targets = [f"127.0.0.1:{port}" for port in (server.port, server.plugin_port)]
        words = [word for target in targets for word in ("--to", target)]
        words += ["--delay-ms", f"{delay_ms:g}", "--control-port", "0"]
        super().__init__(["servers.relay", *words])
        found = self.await_lines(r"^relay ready (http://\S+:(\d+)) -> ", 2)
        self.url, self.plugin_port = found[0][1], int(found[1][2])
        self.port = int(found[0][2])
        self.door = self.await_lines(r"^control ready (http://\S+)")[0][1]


def watch(words: Sequence[str]) -> int:
    """Run ``python -m`` these words until standard input ends; return the exit status."""
    child = subprocess.Popen([sys.executable, "-m", *words], stdin=subprocess.DEVNULL)

    def end() -> None:
        sys.stdin.buffer.read()
        child.terminate()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=end, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))

"""A server whose words are kept, and which may have few descriptors."""

import contextlib
import http.client
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.processes import ServerProcess
from tests.support.raw import Answer


class Server(ServerProcess):
    """``python -m servers`` on free ports; what it says on stderr goes to ``log``."""

    def __init__(
        self,
        log: Path,
        *arguments: str,
        files: int | None = None,
        port: int = 0,
        launcher: Sequence[str] = (),
    ) -> None:
        self.log = log
        limits = {} if files is None else {"NOFILE": files}
        with log.open("wb") as errors:
            super().__init__(*arguments, port=port, launcher=launcher, errors=errors, limits=limits)

    def said(self) -> str:
        """Return what the server wrote to stderr so far."""
        return self.log.read_text(errors="replace")

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        timeout: float = 10,
        **fields: str,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            heads = {name.replace("_", "-"): value for name, value in fields.items()}
            connection.request(method, path, body, heads)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def publish(self, channel: str, text: str) -> None:
        path = f"/publish?channel={channel}"
        answer = self.ask(path, "POST", text.encode(), Content_Type="text/plain")
        assert answer.status == 201, answer


@contextlib.contextmanager
def serving(
    folder: Path,
    *arguments: str,
    files: int | None = None,
    port: int = 0,
    launcher: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve; in the end the server must stop well and must have had nothing to complain about."""
    log = folder / f"stderr-{time.monotonic_ns()}"
    server = Server(log, *arguments, files=files, port=port, launcher=launcher)
    try:
        yield server
    except BaseException:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.stop()
        raise
    status, said = server.stop(), server.said()
    assert not said, said
    assert status == 0, status

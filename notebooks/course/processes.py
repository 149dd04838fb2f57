"""The processes of a lesson: its server, its relay and what measures them.

They run out of process so that what is measured and what measures do not share an interpreter,
and because the clients' room knows nothing of servers but their command lines. Each has a session
of its own, so that a reader who stops a cell stops what that cell measures and nothing else; each
ends with the notebook's kernel, however that comes.
"""

import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from loadtests.trials import processes
from notebooks.course.errors import LabError, Stopped
from notebooks.course.words import say
from wire.techniques import SLUGS

T = TypeVar("T")


class Server(processes.Server):
    """A server of all techniques, with more options as they stand on its command line."""

    def __init__(self, *flags: str) -> None:
        super().__init__(SLUGS, flags=flags, lifeline=True)


class Relay(processes.Relay):
    """A relay before both ports of a server, with a door for orders."""

    def __init__(self, server: Server, delay_ms: float, pcap: Path | None = None) -> None:
        super().__init__(server, delay_ms, has_door=True, lifeline=True, pcap=pcap)


def where(server: Server, relay: Relay | None = None) -> dict[str, Any]:
    """Say to an experiment where a server is, and the relay before it if there is one."""
    found = {"server_url": server.url, "url": server.url, "plugin_port": server.plugin_port}
    if relay is not None:
        found |= {"url": relay.url, "plugin_port": relay.plugin_port, "door": relay.door}
    return found


class Program(processes.Child):
    """Somebody else's server: what stands on the command line of ``python -m loadtests start``."""

    patience_s = 120.0  # at its first use it is installed

    def __init__(self, words: str) -> None:
        super().__init__(words, ["loadtests", "start", *words.split()], lifeline=True)
        (line,) = self.await_ready("peer")
        self.url = line.url


class Job(processes.Child):
    """One measurement, from its start to its end; its last line of output is what it found."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        super().__init__(name, words, lifeline=True)


def started(start: Callable[..., T], *asked: Any) -> T:
    """Start a process. Raises :class:`~notebooks.course.errors.LabError` where that fails."""
    try:
        return start(*asked)
    except processes.ProcessError as error:
        raise LabError(str(error)) from None
    except KeyboardInterrupt:
        raise Stopped(say("the start was ended; run the cell again")) from None


def describe_host() -> str:
    """Say in a few words on what was measured; no names."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"

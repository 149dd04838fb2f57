"""The load generator as a process: Locust on our locustfile, without its page."""

import os
import signal
import socket

from loadtests.plan.options import Settings
from loadtests.trials.processes import PINS, Child, Core, cores


class Locust(Child):
    """Headless Locust on our locustfile."""

    def __init__(
        self,
        user: str,
        host: str,
        users: int,
        settings: Settings,
        core: Core = None,
        spawn_rate: int | None = None,
        processes: int = 0,
    ) -> None:
        # Relative to the project, as Locust takes a comma in the path for the start of another.
        words = ["loadtests.load", "-f", "loadtests/locustfile.py", user, "--headless"]
        words += ["--host", host, "--users", str(users)]
        words += ["--spawn-rate", str(spawn_rate or max(users, 1))]
        if processes:
            port = str(free_port())
            words += ["--processes", str(processes), "--master-bind-host", "127.0.0.1"]
            words += ["--master-bind-port", port, "--master-port", port]
        words += ["--only-summary", "--exit-code-on-error", "0", "--loglevel", "WARNING"]
        words += ["--settings", settings.dump()]
        super().__init__("locust", words, core)
        if processes and core is not None and PINS:
            others = os.sched_getaffinity(0) - {cores()[0]}
            os.sched_setaffinity(self.pid, others or {core})

    def end(self) -> None:
        """End it at once: its result is written or not wanted, and its goodbyes take seconds."""
        if hasattr(os, "killpg"):
            self.signal(signal.SIGKILL)
        super().end()


def free_port() -> int:
    """Return a TCP port that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port

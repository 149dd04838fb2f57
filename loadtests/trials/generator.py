"""The load generator as a process: Locust on our locustfile, without its page."""

import contextlib
import os
import random
import signal
import socket

from loadtests.plan.options import Settings
from loadtests.trials.hosts import WAIT_S, Hosts
from loadtests.trials.processes import PINS, Child, Core, ProcessError, cores

_PORTS = range(20_000, 32_000)
_PORTS_TRIED = 100
_OTHER_FILES = 64  # that a process opens beside a connection for each user


class Locust(Child):
    """Headless Locust on our locustfile; its monotonic clock may differ by ``clock_s`` (Linux).

    ``trust`` is a file of certificates that its users trust; where its users are on other
    ``hosts``, it is the master.
    """

    def __init__(
        self,
        user: str,
        host: str,
        users: int,
        settings: Settings,
        core: Core = None,
        spawn_rate: int | None = None,
        processes: int = 0,
        clock_s: float = 0.0,
        trust: str | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        # Relative to the project, as Locust takes a comma in the path for the start of another.
        words = ["loadtests.load", "-f", "loadtests/locustfile.py", user, "--headless"]
        words += ["--host", host, "--users", str(users)]
        words += ["--spawn-rate", str(spawn_rate or max(users, 1))]
        if processes:
            port = str(free_port())
            words += ["--processes", str(processes), "--master-bind-host", "127.0.0.1"]
            words += ["--master-bind-port", port, "--master-port", port]
        if hosts:
            port = str(hosts.port)
            words += ["--master", "--expect-workers", str(hosts.count)]
            words += ["--expect-workers-max-wait", str(WAIT_S)]
            words += ["--master-bind-host", hosts.address, "--master-bind-port", port]
        words += ["--only-summary", "--exit-code-on-error", "0", "--loglevel", "WARNING"]
        words += ["--settings", settings.dump()]
        before = ["unshare", "--time", "--monotonic", f"{clock_s:g}", "--fork", "--kill-child"]
        # In the place of all whom the system trusts; OpenSSL itself reads it.
        environment = {"SSL_CERT_FILE": trust} if trust else {}
        before = before if clock_s else []
        super().__init__("locust", words, core, before=before, environment=environment)
        if processes and core is not None and PINS:
            others = os.sched_getaffinity(0) - {cores()[0]}
            os.sched_setaffinity(self.pid, others or {core})

    def end(self) -> None:
        """End it at once: its result is written or not wanted, and its goodbyes take seconds."""
        if hasattr(os, "killpg"):
            self.signal(signal.SIGKILL)
        super().end()


def free_port() -> int:
    """Return a TCP port that nobody uses at this moment.

    It is below those that systems give to connections. Else one of somebody's might have it before
    its server does; even the one that asks whether that listens yet, which then finds itself.
    """
    for port in random.sample(_PORTS, _PORTS_TRIED):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise ProcessError(f"none of {_PORTS_TRIED} ports from {_PORTS[0]} to {_PORTS[-1]} is free")


def descriptors_missing(users: int) -> str:
    """Say so if a process may not open as many files as so many connections need."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return ""
    limit, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[1], users + _OTHER_FILES
    if limit == resource.RLIM_INFINITY or limit >= needed:
        return ""
    return f"{users:,} users need {needed:,} file descriptors, {limit:,} are allowed (ulimit -n)"


def usable_cores(process: Child) -> int:
    """Return on how many cores a process and its children may run, 0 if that is not known."""
    with contextlib.suppress(ProcessLookupError, AttributeError):
        return len(os.sched_getaffinity(process.pid))
    return 0

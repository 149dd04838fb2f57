"""Generators on other hosts: ``compare --hosts N --listen ADDRESS``, and what those hosts run.

Everything is on loopback as a rule; a load from elsewhere needs a server, and a master of
Locust's, that listen where those hosts reach them, so that address is named. On each of them
somebody starts ``python -m loadtests worker ADDRESS:PORT`` once: it serves all cells in turn.
"""

import argparse
import ipaddress
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.plan.amounts import NONE_OR_MORE
from loadtests.trials.ending import REFUSED
from loadtests.trials.processes import Child, ProcessError
from loadtests.trials.signals import interruptible

WAIT_S = 600  # for the workers, before a cell begins
_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Hosts:
    """``count`` workers come from elsewhere, to a master at ``address:port`` of this host."""

    count: int
    address: str
    port: int

    @property
    def line(self) -> str:
        """What is to be started on each of them."""
        return f"python -m loadtests worker {self.address}:{self.port}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--hosts`` and ``--listen`` to a parser."""
    parser.add_argument(
        "--hosts",
        type=NONE_OR_MORE,
        default=0,
        metavar="N",
        help="the load comes from so many workers on other hosts; says what to start there "
        "(default: 0, all on this host and on loopback)",
    )
    parser.add_argument(
        "--listen",
        default="",
        metavar="ADDRESS[:PORT]",
        help="this host's address at which they reach it (IPv4), and the port to wait for them at",
    )


def hosts_of(options: argparse.Namespace) -> Hosts | None:
    """Return what a command line asks for. Raises :class:`ValueError`, which says what is wrong."""
    if not options.hosts:
        if options.listen:
            raise ValueError("--listen is for --hosts: without it all is on loopback")
        return None
    if not options.listen:
        raise ValueError(
            "--hosts: name the address of this host at which they reach it, by --listen"
        )
    for flag, given in (
        ("--delay", options.delay not in ([0.0, 25.0], [0.0])),
        ("--bandwidth", options.bandwidth),
        ("--processes", options.processes),
        ("--tls", options.tls),
        ("--server", options.server),
        ("--servers", options.servers),
        ("--full", options.full),
    ):
        if given:
            raise ValueError(
                f"--hosts does without {flag}: the way is the hosts' own network, "
                "and the clock that of our server"
            )
    options.delay = [0.0]
    address, port = split_address(options.listen, 0)
    try:
        with socket.create_server((address, port)) as probe:
            return Hosts(options.hosts, address, probe.getsockname()[1])
    except OSError as error:
        raise ValueError(
            f"--listen: nothing can listen at {options.listen}: {error.strerror}"
        ) from None


def split_address(text: str, port: int | None = None) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT``; ``port`` where it has none.

    Raises :class:`ValueError` for anything else, and for ``0.0.0.0``, which nobody can reach.
    """
    address, colon, number = text.partition(":")
    wrong = ValueError(
        f"{text!r} is not an IPv4 address and a port, such as 10.0.0.1:5557"
        if port is None
        else f"{text!r} is no IPv4 address of this host, such as 10.0.0.1 or 10.0.0.1:5557"
    )
    try:
        if ipaddress.IPv4Address(address).is_unspecified or (not colon and port is None):
            raise wrong
        found = int(number) if colon else port or 0
    except ValueError:
        raise wrong from None
    if colon and not 1 <= found <= 65_535:
        raise wrong
    return address, found


def main(arguments: Sequence[str]) -> int:
    """Serve a comparison's cells, one after the other, until somebody presses Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests worker",
        description="A worker for a comparison that runs on another host, until Ctrl-C.",
        epilog="compare --hosts says the line. Nothing between the hosts is encrypted, and whoever "
        "listens there says what this worker sends: for a network that you trust.",
    )
    parser.add_argument("master", metavar="ADDRESS:PORT", help="where the comparison waits")
    options = parser.parse_args(arguments)
    try:
        address, port = split_address(options.master)
    except ValueError as error:
        parser.error(str(error))
    words = ["loadtests.load", "-f", "loadtests/locustfile.py", "--loglevel", "ERROR"]
    words += ["--worker", "--master-host", address, "--master-port", str(port)]
    print(f"works for {address}:{port}; Ctrl-C ends it", flush=True)
    try:
        with interruptible():
            while True:
                _serve(words)
    except KeyboardInterrupt:
        return 0
    except ProcessError as error:
        print(error, file=sys.stderr)
        return REFUSED


def _serve(words: Sequence[str]) -> None:
    """Take part in one cell."""
    with Child("the worker", words, lifeline=True) as worker:
        while not worker.wait(_AGAIN_S):
            pass
        if worker.status:
            print(worker.last_words(), file=sys.stderr, flush=True)
            time.sleep(_AGAIN_S)

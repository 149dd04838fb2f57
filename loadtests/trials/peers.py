"""Somebody else's server in a trial: found, started or only visited, watched and always ended."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from clients.client import Client
from clients.errors import ClientError
from clients.foreign.opening import foreign_class, open_foreign, stray_words
from clients.foreign.peer_file import PeerFile, read_peer_file
from clients.foreign.table import PeerFileError
from clients.net.address import parse_address
from loadtests.measures.peer_line import PeerLine
from loadtests.plan.options import Settings
from loadtests.trials.environments import prepare, python_of
from loadtests.trials.generator import free_port
from loadtests.trials.processes import ROOT, Core, ProcessError, Server, search_path
from loadtests.trials.stranger import Stranger
from wire.message import Message
from wire.peer_text import LEAST

SHELF = ROOT / "servers" / "peers" / "shelf"
SCENARIOS = ("feed", "idle")
_ANSWER_S = 10.0  # until something that was published must have come back
_AGAIN_S = 0.5  # until the next is published
_ECHO_S = 0.3  # in which none must come again
_TRIED: set[tuple[Path, int, str, str]] = set()


def find_peer(word: str) -> PeerFile:
    """Return the peer of a name on the shelf, of a file, or of the address of one that runs.

    At an address alone our own contract is spoken. Raises
    :class:`~clients.foreign.table.PeerFileError`.
    """
    if "://" in word:
        try:
            parse_address(word)
        except ValueError as error:
            raise PeerFileError(str(error)) from None
        duplex = read_peer_file(SHELF / "duplex" / "peer.toml")
        return replace(duplex, title=word, start=(), url=word, versions={})
    if (named := SHELF / word / "peer.toml").is_file() and Path(word).name == word:
        return read_peer_file(named)
    if not Path(word).is_file():
        known = ", ".join(sorted(path.parent.name for path in SHELF.glob("*/peer.toml")))
        raise PeerFileError(f"{word!r} is no file, no http:// address and no peer of {known}")
    return read_peer_file(word)


def techniques_of(
    settings: Settings, asked: Sequence[str], all_of_them: bool, tls: bool = False
) -> tuple[str, ...]:
    """Return the techniques that are measured of the server that is asked for.

    With ``all_of_them`` nobody asked for any, so they are those that the server has. Raises
    :class:`~clients.foreign.table.PeerFileError` for what cannot be measured of it.
    """
    if not settings.server:
        return tuple(asked)
    peer = find_peer(settings.server)
    if settings.scenario not in SCENARIOS:
        raise PeerFileError(
            f"a foreign server is measured by {' or '.join(SCENARIOS)}, not by {settings.scenario}"
        )
    if settings.size < LEAST:
        raise PeerFileError(f"a text says itself which it is, so it has at least {LEAST} bytes")
    if tls:
        raise PeerFileError("a foreign server is measured without --tls")
    chosen = tuple(slug for slug in asked if slug in peer.subscribe or not all_of_them)
    for slug in chosen:
        foreign_class(peer, slug)
    return chosen


class Peer(Stranger, Server):
    """A foreign server, started as its file says, with ``PORT`` and ``SCRATCH`` (a folder for what
    it writes) in its environment.

    Raises :class:`~loadtests.trials.processes.ProcessError` if its port takes no connection.
    """

    def __init__(self, peer: PeerFile, core: Core = None) -> None:
        self.peer, self.name = peer, f"the server ({peer.title})"
        self.host, self.port, self.plugin_port = "127.0.0.1", free_port(), 0
        self.url, self.trust = f"http://{self.host}:{self.port}", None
        environment = prepare(peer)
        self.scratch = self.make_scratch("duplex-peer-")
        places = {
            "port": str(self.port),
            "folder": str(peer.folder),
            "root": str(ROOT),
            "python": sys.executable,
        }
        if environment is not None and peer.needs.python:
            places["python"] = str(python_of(environment))

        def fill(word: str) -> str:
            for name, value in places.items():
                word = word.replace(f"{{{name}}}", value)
            return word

        told = {"PATH": search_path(), "PORT": str(self.port), "SCRATCH": str(self.scratch)}
        if environment is not None and peer.needs.node:
            told["NODE_PATH"] = str(environment / "node_modules")
        told |= {name: fill(value) for name, value in peer.env.items()}
        words = [fill(word) for word in peer.start]
        try:
            self.begin(words, peer.folder, {**os.environ, **told}, core)
        except OSError as error:
            why = f"{words[0]} cannot be started in the file's folder: {error.strerror}"
            raise ProcessError(f"{peer.title}: {why}") from None
        try:
            self.await_listening()
        except BaseException:
            self.end()
            raise

    def successor(self) -> Server:
        """Refuse: what it kept and who was connected is its own affair."""
        raise ProcessError("a foreign server is not restarted in a test")


class Visited(Server):
    """A foreign server that runs already, and that nobody ends."""

    def __init__(self, peer: PeerFile) -> None:
        address = parse_address(peer.url)
        self.name, self.url, self.trust = peer.title, peer.url, None
        self.host, self.port, self.plugin_port = address.host, address.port, 0

    @property
    def pid(self) -> int:
        """The id of the process that listens there, 0 if that is not known."""
        with contextlib.suppress(psutil.Error, OSError):
            here = {socket.gethostbyname(self.host)} & {"127.0.0.1"}
            for one in psutil.net_connections("tcp") if here else ():
                if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (self.port,) and one.pid:
                    return int(one.pid)
        return 0

    @property
    def ended(self) -> bool:
        """Whether it runs no more: nobody tells."""
        return False

    def last_words(self) -> str:
        """Return what it printed last, which it did elsewhere."""
        return ""

    def end(self) -> None:
        """Leave it as it is."""

    def successor(self) -> Server:
        """Refuse: what it kept and who was connected is its own affair."""
        raise ProcessError("a foreign server is not restarted in a test")


def start_peer(peer: PeerFile, core: Core = None) -> Server:
    """Start a foreign server, or go to where it runs."""
    return Visited(peer) if peer.url else Peer(peer, core)


def try_out(peer: PeerFile, slug: str) -> None:
    """See that a text which is published comes back once; else no load would tell anything.

    It is done once, with a server of its own, so that those which are measured are fresh. Raises
    :class:`~loadtests.trials.processes.ProcessError`, which says what came instead.
    """
    tried = peer.path, peer.path.stat().st_mtime_ns, peer.url, slug
    if tried in _TRIED:
        return
    with start_peer(peer) as server:
        _try_out(peer, slug, server)
    _TRIED.add(tried)


def _try_out(peer: PeerFile, slug: str, server: Server) -> None:
    line = PeerLine(server.url, peer)
    where = f"{peer.path.name}, [subscribe.{slug}]"
    try:
        with open_foreign(peer, slug, server.url, interval=0.1, reconnects=0) as client:
            came = {_come_back(line, client, peer.path.name, where).sent_ns}
            end = time.monotonic() + _ECHO_S
            while (left := end - time.monotonic()) > 0 and (item := client.receive(left)):
                if isinstance(item, Message):
                    if item.sent_ns in came:
                        raise ProcessError(f"{where}: a text came back more than once")
                    came.add(item.sent_ns)
    except ClientError as error:
        words = server.last_words()
        raise ProcessError(f"{where}: {error}{chr(10) * bool(words)}{words}") from None
    finally:
        line.close()


def _come_back(line: PeerLine, client: Client, file: str, where: str) -> Message:
    """Publish until something comes back, and return it.

    More than one text, as many a server sends its head before it counts a subscriber in.
    """
    end = time.monotonic() + _ANSWER_S
    while (left := end - time.monotonic()) > 0:
        try:
            line.publish("x" * 100, "trial", time.monotonic_ns())
        except ClientError as error:
            raise ProcessError(f"{file}, [publish]: {error}") from None
        item = client.receive(min(_AGAIN_S, left))
        if isinstance(item, Message):
            return item
    came = "nothing else came either. Is it the path? Does it want to be told something first?"
    if words := stray_words(client):
        came = f"{words}. Do path, after and at fit?"
    raise ProcessError(
        f"{where}: what was published did not come back within {_ANSWER_S:g} s; {came}"
    )

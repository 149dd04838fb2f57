"""The peer file: how somebody else's server is started, published to and subscribed to (TOML).

::

    title = "My chat"
    start = ["python3", "server.py"]     # PORT is in its environment; or url = "http://..."

    [publish]
    path = "/say"                        # POST, and the body is the text

    [subscribe.web_socket]
    path = "/chat"

``loadtests/README.md`` has every key. What is wrong in a file is told with its line.
"""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from clients.foreign.table import PeerFileError, Table
from clients.net.address import parse_address
from clients.options import LONGEST_PORT
from wire.techniques import BY_SLUG, TECHNIQUES, Delivery

Steps = tuple[str | int, ...]
TEXT = "text/plain; charset=utf-8"
_NAMED = re.compile(r"{(\w+)}")
_IN_A_MESSAGE = ("text", "number", "sender", "sent_ns")
_OF_A_CLIENT = ("session",)
PACKAGE = "package"  # for a command that tells a version: it is one of its environment


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in what came: in a ``header``, or in the body.

    There it stands ``after`` a prefix, and ``at`` these steps into JSON; the step ``*`` goes to
    everything in a list, and JSON that stands in a string is read, too.
    """

    after: str = ""
    at: Steps = ()
    header: str = ""


@dataclass(frozen=True, slots=True)
class Publish:
    """How a message goes up: one request.

    In ``path``, ``body`` and the values of ``headers`` are filled in ``{text}``, ``{number}``,
    ``{sender}`` and ``{sent_ns}``; in the path as an address needs them (``%20``).
    """

    path: str
    method: str = "POST"
    body: str = "{text}"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", TEXT),)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """How messages come down by one technique.

    ``path`` is asked for first and ``again`` from then on (polling and long-polling, by
    ``method``), each with ``headers``; what the server said before stands in ``{names}``, by the
    ``remember`` that says where, and a header whose name is not known yet is left out. In
    ``{session}`` stands a word of each client's own. ``open`` has what to await and
    then to say, in pairs, ``reply`` what to answer to what. What came is taken apart at ``split``,
    and the text stands at ``place``. ``client`` is a class beside the file (``FILE.py:CLASS``) that
    does what no file can say.
    """

    path: str
    method: str = "GET"
    again: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    protocols: tuple[str, ...] = ()
    open: tuple[tuple[str, str], ...] = ()
    reply: Mapping[str, str] = field(default_factory=dict)
    split: str = ""
    place: Place = Place()
    remember: Mapping[str, Place] = field(default_factory=dict)
    client: str = ""

    def of_one(self, session: str) -> "Subscribe":
        """Return what one client asks for, with the word of its own."""
        path, again = (one.replace("{session}", session) for one in (self.path, self.again))
        return replace(self, path=path, again=again)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a server needs to run, made at its first use.

    ``python`` is a file of pinned, hashed packages, ``node`` a folder with a package-lock.json;
    ``programs`` are the system's, each with the command that brings it, and ``files`` likewise. A
    folder (with ``/`` at its end) may also be one that can be made.
    """

    python: str = ""
    node: str = ""
    programs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerFile:
    """All of a file. Either ``start`` or ``url`` is there.

    ``also`` has more programs that run with what this one needs, by name. ``versions`` has the
    parts of which a run records the version: ``package``, or the command that tells it.
    """

    path: Path
    title: str
    publish: Publish
    subscribe: Mapping[str, Subscribe]
    start: tuple[str, ...] = ()
    url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    needs: Needs = Needs()
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the file stands, and the server is started."""
        return self.path.parent

    def program(self, name: str) -> "PeerFile":
        """Return another program beside this one, in its place.

        Raises :class:`~clients.foreign.table.PeerFileError`.
        """
        if name not in self.also:
            known = ", ".join(self.also) or "none"
            raise PeerFileError(
                f"{self.title} has no program {name!r} beside it; there are {known}"
            )
        return replace(self, title=f"{self.title}, {name}", start=self.also[name])


def speaks(slug: str) -> bool:
    """Whether a peer file can say how a technique is spoken: pages and plugins it cannot."""
    technique = BY_SLUG[slug]
    return not (technique.reloads or technique.own_port)


SPOKEN = tuple(one.slug for one in TECHNIQUES if speaks(one.slug))


def read_peer_file(path: Path | str) -> PeerFile:
    """Read a peer file. Raises :class:`~clients.foreign.table.PeerFileError`."""
    path = Path(path).resolve()
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
    except OSError as error:
        raise PeerFileError(f"{path.name} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PeerFileError(f"{path.name}: this is no TOML: {error}") from None
    top = Table(path.name, text, "", found)
    title, start, url = top.text("title", path.stem), top.texts("start"), top.text("url")
    env, needs = top.named_texts("env"), _needs(top.table("needs"))
    more = top.table("also")
    also = {name: more.texts(name) for name in more.names()}
    versions = top.named_texts("versions")
    publish = _publish(top.table("publish", "how a message goes up"))
    ways = top.table("subscribe", "how messages come down, as [subscribe.TECHNIQUE]")
    subscribe = {slug: _subscribe(slug, ways.table(slug)) for slug in ways.keys_among(SPOKEN)}
    top.end()
    if bool(start) == bool(url):
        raise top.fault("start", "a server needs start, a list of words, or else url")
    if url:
        _check_url(top, url)
    _check_versions(top, versions)
    if not subscribe:
        raise ways.fault("", f"no technique is there; accepted: {', '.join(SPOKEN)}")
    return PeerFile(path, title, publish, subscribe, start, url, env, needs, also, versions)


def _check_versions(top: Table, versions: Mapping[str, str]) -> None:
    table = top.table("versions")
    for name, command in versions.items():
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise table.fault(name, f"{command!r} is no command: {error}") from None
        if not words:
            raise table.fault(name, f"a command is expected, or {PACKAGE!r}")


def _check_url(top: Table, url: str) -> None:
    try:
        address = parse_address(url)
    except ValueError as error:
        raise top.fault("url", str(error)) from None
    if not 0 < address.port <= LONGEST_PORT:
        raise top.fault("url", f"there is no port {address.port}")


def _needs(table: Table) -> Needs:
    needs = Needs(
        table.text("python"),
        table.text("node"),
        table.named_texts("programs"),
        table.named_texts("files"),
    )
    table.end()
    return needs


def _publish(table: Table) -> Publish:
    usual = {"Content-Type": TEXT}
    found = Publish(
        _path(table, "path"),
        table.text("method", "POST"),
        table.text("body", "{text}"),
        tuple((usual | table.named_texts("headers")).items()),
    )
    table.end()
    _check_method(table, found.method)
    values = " ".join((found.path, found.body, *(value for _, value in found.headers)))
    if "{text}" not in values:
        raise table.fault("body", "{text} must stand in it, or in the path: it is the message")
    _check_names(table, "path", found.path, _IN_A_MESSAGE)
    return found


def _subscribe(slug: str, table: Table) -> Subscribe:
    technique = BY_SLUG[slug]
    remember = {}
    places = table.table("remember")
    for name in places.names():
        place = places.table(name)
        remember[name] = Place(place.text("after"), place.steps("at"), place.text("header"))
        place.end()
    found = Subscribe(
        _path(table, "path"),
        table.text("method", "GET"),
        table.text("again"),
        tuple(table.named_texts("headers").items()),
        table.texts("protocols"),
        table.pairs("open"),
        table.named_texts("reply"),
        table.text("split", "\n" if technique.codec not in _FRAMED and technique.streams else ""),
        Place(table.text("after"), table.steps("at")),
        remember,
        table.text("client"),
    )
    table.end()
    if found.client and not re.fullmatch(r"[^:]+\.py:\w+", found.client):
        raise table.fault("client", f"{found.client!r} is not FILE.py:CLASS")
    asks_again = technique.delivery is not Delivery.STREAM
    for key, is_there, heeded in (
        ("method", found.method != "GET", asks_again),
        ("again", found.again, asks_again),
        ("remember", remember, asks_again),
        ("protocols", found.protocols, technique.two_way),
        ("open", found.open, technique.two_way or asks_again),
        ("reply", found.reply, technique.two_way or asks_again),
    ):
        if is_there and not heeded and not found.client:
            raise table.fault(key, f"{slug} does not heed it")
    _check_method(table, found.method)
    _check_names(table, "path", found.path, _OF_A_CLIENT)
    _check_names(table, "again", found.again, (*_OF_A_CLIENT, *remember))
    for _, said in found.headers:
        _check_names(table, "headers", said, tuple(remember))
    if (found.open or found.reply) and asks_again and not found.again:
        raise table.fault("again", "needed, for what is said goes up by POST to it")
    return found


# What has its own ends of messages.
_FRAMED = ("web_socket_frames", "event_stream")


def _path(table: Table, key: str) -> str:
    path = table.text(key)
    if not path.startswith("/") or re.search(r"[\s\x00-\x1f]", path):
        raise table.fault(key, f"{path!r} is no path, which begins with / and has no spaces")
    return path


def _check_method(table: Table, method: str) -> None:
    if not re.fullmatch(r"[A-Z]+", method):
        raise table.fault("method", f"{method!r} is no method of HTTP, such as POST")


def _check_names(table: Table, key: str, value: str, known: tuple[str, ...]) -> None:
    for name in _NAMED.findall(value):
        if name not in known:
            listed = ", ".join(f"{{{one}}}" for one in known) or "none, without remember"
            raise table.fault(key, f"{{{name}}} is not known; accepted: {listed}")

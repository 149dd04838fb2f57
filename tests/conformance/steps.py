"""Short names for what the specification does again and again."""

import http.client
import json
import ssl
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.sync.client import ClientConnection, connect

import clients
from clients.client import Client, Item
from tests.support.processes import ServerAddress, ServerProcess
from tests.support.raw import RawSocket
from tests.support.relays import RelayThread, relaying
from tests.support.waiting import PATIENCE_S
from wire.message import Message
from wire.techniques import BY_SLUG, OWN_PORT, SLUGS, TECHNIQUES

RELOADS = tuple(one.slug for one in TECHNIQUES if one.reloads)
POLLS = tuple(one.slug for one in TECHNIQUES if one.codec == "batch")
HELD = tuple(one.slug for one in TECHNIQUES if one.held)
STREAMS = tuple(one.slug for one in TECHNIQUES if one.streams)
TWO_WAY = tuple(one.slug for one in TECHNIQUES if one.two_way)
HTTP = tuple(slug for slug in SLUGS if slug not in TWO_WAY)
HTTP_STREAMS = tuple(slug for slug in HTTP if slug in STREAMS)
REQUESTED = tuple(slug for slug in SLUGS if slug not in OWN_PORT)  # begin with an HTTP request
FRAMED = tuple(one.slug for one in TECHNIQUES if one.codec == "web_socket_frames")
POSTED = ("publish", "fetch_stream")  # take any message by POST
OFTEN_S = 0.02
MOST = 10_000  # bytes of a message at the `optioned` server
ORIGIN = "https://duplex.example"  # whose pages may open a WebSocket there
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
BYTES = {"Content-Type": "application/octet-stream"}
Starting = Callable[..., AbstractContextManager[ServerProcess]]  # with options


def _need(server: ServerAddress, slug: str) -> None:
    if slug in server.without:
        pytest.skip(f"--without {slug}")


def join(
    slug: str,
    server: ServerAddress,
    channel: str,
    through: RelayThread | None = None,
    **options: Any,
) -> Client:
    """Open a client; one that asks on a timer asks often."""
    _need(server, slug)
    if BY_SLUG[slug].asks:
        options.setdefault("interval", OFTEN_S)
    if slug in OWN_PORT:
        options["plugin_port"] = server.plugin_port
    if through is not None:
        options["dial"] = through.dial
    if server.cafile:
        options["cafile"] = server.cafile
    return clients.open(slug, server.url, channel, **options)


def relay_to(server: ServerAddress, slug: str) -> AbstractContextManager[RelayThread]:
    """Stand between, where connections can be cut and bytes counted."""
    return relaying(server.port_of(slug), to_host=server.host)


def take(client: Client, count: int) -> list[Item]:
    """Receive ``count`` messages or notices."""
    items: list[Item] = []
    while len(items) < count:
        item = client.receive(PATIENCE_S)
        assert item is not None, f"{len(items)} of {count} came, the last was {items[-1:]}"
        items.append(item)
    return items


def take_messages(client: Client, count: int) -> list[Message]:
    """Receive ``count`` messages, and nothing else."""
    items = take(client, count)
    assert all(isinstance(item, Message) for item in items), items
    return items  # type: ignore[return-value]


def ids(items: Iterable[Item]) -> list[int]:
    return [item.id for item in items if isinstance(item, Message)]


class Desk:
    """One kept HTTP connection straight to the server: publishes, and asks what no client does."""

    def __init__(self, server: ServerAddress) -> None:
        place = server.host, server.port
        self._connection = (
            http.client.HTTPSConnection(*place, timeout=PATIENCE_S, context=server.context)
            if server.is_secure
            else http.client.HTTPConnection(*place, timeout=PATIENCE_S)
        )

    def publish(
        self, channel: str, body: str | bytes, kind: str | None = None, **query: object
    ) -> dict[str, Any]:
        """Publish text or bytes, or a body of another ``kind``, and return what was answered."""
        text = isinstance(body, str)
        kind = kind or ("text/plain; charset=utf-8" if text else "application/octet-stream")
        target = f"/publish?{urlencode({'channel': channel, **query})}"
        data = body.encode() if isinstance(body, str) else body
        status, _, answer = self.ask("POST", target, data, {"Content-Type": kind})
        assert status == 201, answer
        found: dict[str, Any] = json.loads(answer)
        return found

    def publish_all(self, channel: str, bodies: Iterable[str | bytes]) -> None:
        for body in bodies:
            self.publish(channel, body)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        fields: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Ask anything; return status, fields (lower case) and body."""
        self._connection.request(method, target, body, fields or {})
        answer = self._connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()

    def cursor(self, channel: str) -> str:
        """Return the cursor of now."""
        cursor = json.loads(self.ask("GET", f"/polling?channel={channel}")[2])["cursor"]
        assert isinstance(cursor, str)
        return cursor

    def close(self) -> None:
        self._connection.close()


def check_problem(status: int, fields: dict[str, str], body: bytes, *words: str) -> None:
    """Check that an answer is a problem of ``status`` whose detail has all ``words``."""
    assert fields["content-type"].startswith("application/problem+json")
    assert fields["cache-control"] == "no-store"
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]


def subscribers(server: ServerAddress, channel: str) -> int:
    """How many subscribe to a channel, which there may not be yet."""
    found = server.stats()["channels"].get(channel, {})
    return int(found.get("subscribers", 0))


def websockets_to(server: ServerAddress, target: str, **options: Any) -> ClientConnection:
    """Open a WebSocket by a client that is not ours.

    It reads in one thread and writes in another. OpenSSL forbids both at once on one connection,
    and Python before 3.13 does not see to it: by TLS 1.3, whose tickets come after the handshake,
    one in a thousand then hangs for ever. TLS 1.2 has nothing to read at that moment.
    """
    context = server.context
    if context is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    url = server.ws_url + target
    socket: ClientConnection = connect(url, ssl=context, open_timeout=PATIENCE_S, **options)
    return socket


def socket_to(server: ServerAddress, channel: str, more: str = "") -> ClientConnection:
    """Open a WebSocket on a channel by a client that is not ours."""
    target = f"/web_socket?channel={channel}{more}"
    return websockets_to(server, target, compression=None, max_size=None)


def raw_to(server: ServerAddress, slug: str = "", buffer: int | None = None) -> RawSocket:
    """Connect a bare socket to a technique's port, for what no well-behaved client does."""
    _need(server, slug)
    port = server.port_of(slug)
    return RawSocket(port, host=server.host, buffer=buffer, context=server.context)

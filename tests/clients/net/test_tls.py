"""TLS from the client's side: exact counts, whom it trusts, and what it says of the others."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import clients
from clients.errors import (
    ClientError,
    ConnectionLostError,
    RefusedError,
    UnexpectedAnswerError,
    UntrustedError,
)
from clients.net.address import Address, parse_address
from clients.net.connecting import connect
from clients.net.connection import Connection
from clients.net.traffic import TlsTotals, Traffic
from tests.clients.conftest import Script
from tests.support.certificates import authority, cafile_of, context_for, expired_context
from tests.support.processes import ServerProcess
from tests.support.waiting import PATIENCE_S, eventually
from wire.techniques import SLUGS

__all__ = ["authority"]
RECORD = 22  # bytes around each: head, type, and the tag of AES-GCM or ChaCha20-Poly1305
TIMEOUT_S = 0.3


class Peer:
    """A TLS server that gives its sockets away as they come."""

    def __init__(self, context: ssl.SSLContext, host: str = "127.0.0.1") -> None:
        self._listening = socket.create_server((host, 0))
        self._context = context
        self.port: int = self._listening.getsockname()[1]
        self.came: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                try:
                    self.came.append(self._context.wrap_socket(plain, server_side=True))
                except ssl.SSLError:
                    plain.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(PATIENCE_S)
        for one in self.came:
            one.close()


@pytest.fixture
def make_peer() -> Iterator[Callable[[ssl.SSLContext], Peer]]:
    with contextlib.ExitStack() as stack:

        def make(context: ssl.SSLContext) -> Peer:
            peer = Peer(context)
            stack.callback(peer.close)
            return peer

        yield make


@pytest.fixture
def pair(
    authority: Path, make_peer: Callable[[ssl.SSLContext], Peer]
) -> Iterator[tuple[Connection, socket.socket, Traffic]]:
    """Connect a client with a peer, by TLS."""
    peer = make_peer(context_for(authority, "127.0.0.1"))
    traffic = Traffic()
    link = connect(address(peer.port, authority), traffic, PATIENCE_S)
    eventually(lambda: peer.came, "the peer's end of the connection")
    yield link, peer.came[0], traffic
    link.close()


def address(port: int, authority: Path | None, host: str = "127.0.0.1") -> Address:
    cafile = cafile_of(authority) if authority else None
    return parse_address(f"https://{host}:{port}", cafile=cafile)


def until_all(link: Connection, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = link.receive(time.monotonic() + PATIENCE_S)
        assert more
        data += more
    return data


@pytest.mark.attack("read or change what passes", "off", "on")
def test_who_stands_in_the_line_hears_only_a_client_that_does_not_check(
    authority: Path, make_peer: Callable[[ssl.SSLContext], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def attack() -> bytes:
        """Stand in for the server, with a certificate of another's, and return what is heard."""
        peer = make_peer(context_for(authority, "127.0.0.1"))
        with contextlib.closing(connect(address(peer.port, None), Traffic(), PATIENCE_S)) as link:
            link.send(b"secret", PATIENCE_S)
            eventually(lambda: peer.came, "the peer's end of the connection")
            return peer.came[0].recv(100)

    with pytest.raises(UntrustedError):
        attack()
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    monkeypatch.setattr("clients.net.tls._context", lambda _: careless)
    assert attack() == b"secret"


def test_every_byte_is_told_apart(pair: tuple[Connection, socket.socket, Traffic]) -> None:
    link, peer, traffic = pair
    begun = traffic.tls()
    assert begun.up == begun.down == 0
    assert begun.handshake_up == link.bytes_up > 200
    assert begun.handshake_down >= link.bytes_down > 500
    for size in (1, 100, 16_384):
        link.send(b"x" * size, PATIENCE_S)
        peer.sendall(b"y" * size)
        until_all(link, size)
    link.send(b"x" * 16_385, PATIENCE_S)  # two records
    said = 1 + 100 + 16_384
    now = traffic.tls()
    assert (now.up, now.down) == (5 * RECORD, 3 * RECORD)
    assert now.handshake_up == begun.handshake_up
    tickets = now.handshake_down - begun.handshake_down
    assert tickets > 200  # which come unasked, behind the handshake
    assert link.bytes_up == said + 16_385 + now.up + now.handshake_up
    assert link.bytes_down == said + now.down + now.handshake_down
    link.close()
    assert traffic.tls().handshake_up == now.handshake_up + RECORD + 2  # the good-bye
    assert traffic.tls().up == now.up


def test_it_is_quiet_though_tickets_have_come(
    pair: tuple[Connection, socket.socket, Traffic],
) -> None:
    link, peer, _ = pair
    for _ in range(3):
        assert link.is_quiet()
    peer.sendall(b"unasked")
    eventually(lambda: not link.is_quiet(), "what was not asked for")


def test_an_end_is_told_from_a_cut(pair: tuple[Connection, socket.socket, Traffic]) -> None:
    link, peer, _ = pair
    peer.sendall(b"all")
    with contextlib.suppress(OSError):
        peer.settimeout(0.05)
        peer.unwrap()  # type: ignore[attr-defined]
    assert until_all(link, 3) == b"all"
    assert link.receive(time.monotonic() + PATIENCE_S) == b""
    assert not link.is_quiet()


def test_a_cut_is_told_from_an_end(pair: tuple[Connection, socket.socket, Traffic]) -> None:
    link, peer, _ = pair
    peer.shutdown(socket.SHUT_RDWR)
    assert not link.is_quiet()
    with pytest.raises(ConnectionLostError, match="cut"):
        link.receive(time.monotonic() + PATIENCE_S)


def test_one_thread_sends_while_another_receives(
    pair: tuple[Connection, socket.socket, Traffic],
) -> None:
    link, peer, _ = pair
    size, times = 3000, 300

    def echo() -> None:
        left = size * times
        while left:
            data = peer.recv(65536)
            peer.sendall(data)
            left -= len(data)

    def send() -> None:
        for number in range(times):
            link.send(bytes([number % 256]) * size, PATIENCE_S)

    threads = [threading.Thread(target=one) for one in (echo, send)]
    for thread in threads:
        thread.start()
    data = until_all(link, size * times)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert data == b"".join(bytes([number % 256]) * size for number in range(times))


def test_a_deadline_keeps_what_came(pair: tuple[Connection, socket.socket, Traffic]) -> None:
    link, peer, _ = pair
    assert link.receive(time.monotonic() + 0.01) is None
    assert link.receive(0.0) is None
    peer.sendall(b"late")
    assert until_all(link, 4) == b"late"


# Whom it does not trust, and who speaks no TLS


@pytest.mark.parametrize(
    ("names", "trusts", "says"),
    [
        (["127.0.0.1"], False, "not to be trusted: .*cafile="),
        (["other.example"], True, "not to be trusted: .*127.0.0.1"),
    ],
    ids=["an authority that is not known", "another name"],
)
def test_who_is_not_trusted(
    names: list[str],
    trusts: bool,
    says: str,
    authority: Path,
    make_peer: Callable[[ssl.SSLContext], Peer],
) -> None:
    peer = make_peer(context_for(authority, *names))
    traffic = Traffic()
    with pytest.raises(UntrustedError, match=says):
        connect(address(peer.port, authority if trusts else None), traffic, PATIENCE_S)
    assert traffic.bytes_down > 0
    assert not traffic._open


def test_an_old_certificate(
    authority: Path, tmp_path: Path, make_peer: Callable[[ssl.SSLContext], Peer]
) -> None:
    peer = make_peer(expired_context(authority, tmp_path, "localhost"))
    with pytest.raises(UntrustedError, match="expired"):
        connect(address(peer.port, authority, "localhost"), Traffic(), PATIENCE_S)


def test_tls_on_the_plain_port(server: ServerProcess) -> None:
    for slug, port in (("sse", server.port), ("plugin_socket", server.plugin_port)):
        options: dict[str, Any] = {"plugin_port": port} if slug == "plugin_socket" else {}
        with pytest.raises(UnexpectedAnswerError, match=f"127.0.0.1:{port} does not speak TLS"):
            clients.open(slug, f"https://127.0.0.1:{server.port}", **options)


def test_silence_and_an_end_in_the_handshake(script: Callable[..., Script]) -> None:
    silent = script(["wait"])
    with pytest.raises(ConnectionLostError, match="in time"):
        connect(parse_address(f"https://127.0.0.1:{silent.port}"), Traffic(), TIMEOUT_S)
    ending = script(["end"])
    with pytest.raises(ConnectionLostError, match="closed the connection in the TLS handshake"):
        connect(parse_address(f"https://127.0.0.1:{ending.port}"), Traffic(), PATIENCE_S)


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_cafile_that_cannot_be_used(
    text: str | None, tmp_path: Path, server: ServerProcess
) -> None:
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(ValueError, match=r"cafile=.*cannot be used"):
        clients.open("sse", f"https://127.0.0.1:{server.port}", cafile=str(tmp_path / "ca.pem"))


# With our own server


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def secure(request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    server = ServerProcess("--tls", "--loop", request.param)
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("slug", SLUGS)
def test_each_technique_and_its_exact_bytes(slug: str, secure: ServerProcess, channel: str) -> None:
    options: dict[str, Any] = {"plugin_port": secure.plugin_port} if slug == "plugin_socket" else {}
    if slug in ("page_reload", "frame_reload", "polling"):
        options["interval"] = 0.02
    with clients.open(slug, secure.url, channel, cafile=secure.cafile, **options) as client:
        for number in range(5):
            client.send(f"¿{number}?")
        bodies: list[object] = []
        while len(bodies) < 5:
            bodies += [getattr(item, "body", None) for item in client.receive_many(PATIENCE_S)]
        assert bodies == [f"¿{number}?" for number in range(5)]
        tls = client.tls()
        assert tls.up % RECORD == tls.down % RECORD == 0
        assert tls.up >= 5 * RECORD
        assert tls.handshake_up > 200
        row = secure.stats()["techniques"][slug]
        assert row["deliveries"] >= 5
    assert client.tls() != TlsTotals()


def test_plain_words_on_the_tls_port(secure: ServerProcess) -> None:
    plain = secure.url.replace("https", "http")
    with pytest.raises(RefusedError, match="this port speaks TLS") as caught:
        clients.open("polling", plain)
    assert caught.value.status == 400
    with pytest.raises(ClientError, match="this port speaks TLS"):
        clients.open("plugin_socket", plain, plugin_port=secure.plugin_port)

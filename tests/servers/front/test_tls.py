"""What TLS breaks and the doorman mends: who is counted, who is bounded, who is told what."""

import asyncio
import contextlib
import logging
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from servers.app import Running, running
from servers.front import tls
from servers.front.certificates import CertificateError, signed_for
from servers.front.handover import MOST_REFUSALS
from servers.front.tls import server_context
from servers.service import Settings
from tests.servers.asking import Link, ask
from tests.support.certificates import authority, cafile_of, context_for, expired_context
from tests.support.specification import check
from tests.support.waiting import PATIENCE_S, until

__all__ = ["authority"]
MOST = 10


@pytest.fixture
async def secure(authority: Path) -> AsyncIterator[Running]:
    """Run all techniques by TLS, with room for few."""
    context = context_for(authority, "127.0.0.1")
    async with running(Settings(most_sockets=MOST), secured=context) as server:
        yield server


async def by_tls(port: int, authority: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    trusting = ssl.create_default_context(cafile=cafile_of(authority))
    return await asyncio.open_connection("127.0.0.1", port, ssl=trusting)


async def test_the_address_says_so(secure: Running) -> None:
    assert secure.url == f"https://127.0.0.1:{secure.port}"


async def test_who_has_not_begun_is_counted_and_sent_away_in_time(
    secure: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_HANDSHAKE_SECONDS", 0.5)
    ledger = secure.service.ledger
    silent = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(3)]
    half = socket.create_connection(("127.0.0.1", secure.plugin_port))
    half.sendall(b"\x16\x03\x01\x02\x00\x01")  # a record that never gets whole
    await until(lambda: ledger.sockets == 4, "all are counted")
    await until(lambda: ledger.sockets == 0, "none is left")
    for one in (*silent, half):
        one.settimeout(PATIENCE_S)
        assert one.recv(100) == b""
        one.close()


@pytest.mark.attack("take all sockets unseen", "off", "on")
async def test_who_never_begins_is_seen_by_us_and_not_by_asyncios_own_tls(
    secure: Running, authority: Path
) -> None:
    async def attack(port: int) -> int:
        """Say nothing on three connections, and return how many are seen beside a fourth."""
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        reader, writer = await by_tls(port, authority)
        writer.write(b"GET /clock HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()  # so those before it were accepted, too
        seen = secure.service.ledger.sockets - 1
        writer.transport.abort()
        for one in silent:
            one.close()
        await until(lambda: secure.service.ledger.sockets == 0, "all have left")
        return seen

    own = await asyncio.get_running_loop().create_server(
        secure.service.listener, "127.0.0.1", 0, ssl=context_for(authority, "127.0.0.1")
    )
    assert await attack(own.sockets[0].getsockname()[1]) == 0
    own.close()
    assert await attack(secure.port) == 3


async def test_a_crowd_that_never_begins_is_refused_by_count(
    secure: Running, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = secure.service.ledger
    crowd = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(MOST)]
    await until(lambda: ledger.sockets == MOST, "they take all the room there is")
    reader, writer = await by_tls(secure.port, authority)  # there is a place to say no
    writer.write(b"GET /clock HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 503 ")
    writer.transport.abort()
    crowd += [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(100)]
    cut = crowd[-1]
    cut.settimeout(PATIENCE_S)
    assert await asyncio.to_thread(cut.recv, 1) == b""
    assert ledger.sockets <= MOST + MOST_REFUSALS
    for one in crowd:
        one.close()
    await until(lambda: ledger.sockets == 0, "none is left")
    reader, writer = await by_tls(secure.port, authority)
    assert ledger.sockets == 1
    writer.transport.abort()
    await until(lambda: ledger.sockets == 0, "it has left")


async def test_who_speaks_plainly_is_told_so_in_plain_words(secure: Running) -> None:
    (await ask(secure, "GET /clock")).check_problem(400, "TLS", "https://")
    async with Link(secure.plugin_port) as link:
        link.send(b"{}\0")
        assert b'"status":400' in await link.until(b"\0")
    await until(lambda: secure.service.ledger.sockets == 0, "both have ended")


async def test_who_does_not_trust_us_leaves_nothing_and_no_word(
    secure: Running, caplog: pytest.LogCaptureFixture
) -> None:
    trusting = ssl.create_default_context()
    with caplog.at_level(logging.WARNING), pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", secure.port, ssl=trusting)
    await until(lambda: secure.service.ledger.sockets == 0, "it has left")
    assert not caplog.records


@pytest.mark.parametrize("target", ["/sse?channel=x", "/long_polling?channel=x&after=x-0"])
async def test_there_is_no_half_close_and_no_complaint_about_it(
    secure: Running, authority: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    trusting = ssl.create_default_context(cafile=cafile_of(authority))
    with caplog.at_level(logging.WARNING):
        plain = socket.create_connection(("127.0.0.1", secure.port))

        def talk() -> None:
            with trusting.wrap_socket(plain, server_hostname="127.0.0.1") as one:
                one.settimeout(PATIENCE_S)
                one.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                with contextlib.suppress(OSError):  # what they still said, perhaps
                    one.unwrap()  # says the end, and waits for theirs

        await asyncio.to_thread(talk)
        await until(lambda: secure.service.ledger.sockets == 0, "it has left")
    assert not caplog.records


async def test_a_write_buffer_is_full_where_it_is_without_tls(
    secure: Running, authority: Path
) -> None:
    _, writer = await by_tls(secure.port, authority)
    writer.write(b"GET /sse?channel=x HTTP/1.1\r\nHost: x\r\n\r\n")
    held = secure.service.liveness.held
    await until(lambda: bool(held), "the stream is held")
    (stream,) = held
    assert stream.transport.get_write_buffer_limits()[1] == 64 * 2**10
    writer.transport.abort()
    await until(lambda: secure.service.ledger.sockets == 0, "it has left")


@pytest.mark.parametrize(
    ("cert", "key", "says"),
    [
        ("nowhere.pem", None, "there is no file"),
        ("text.pem", None, "cannot be used"),
        ("both.pem", "other.pem", "the key is not the certificate's"),
        ("both.pem", "locked.pem", "needs no password"),
        (".", None, "cannot be used"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told(
    cert: str, key: str | None, says: str, authority: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.pem").write_text("hola")
    for name in ("both.pem", "other.pem"):
        with signed_for(["localhost"], authority) as both:
            (tmp_path / name).write_bytes(both.read_bytes())
    command = ["openssl", "pkey", "-aes128", "-passout", "pass:secret", "-in", "both.pem"]
    subprocess.run([*command, "-out", "locked.pem"], cwd=tmp_path, check=True)
    with pytest.raises(CertificateError, match=says):
        server_context(tmp_path / cert, tmp_path / key if key else None)


def test_the_expired_one_of_the_tests_is_expired(authority: Path, tmp_path: Path) -> None:
    assert expired_context(authority, tmp_path, "localhost")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_specification_holds_by_tls() -> None:
    check("--server-options=--tls --loop uvloop")


@pytest.mark.slow
def test_what_a_connection_is_holds_by_tls_on_the_other_loop() -> None:
    """TLS is spoken by ourselves; of the loop it takes only word of what can be read or written."""
    files = ["test_02_resuming.py", "test_05_handshake.py", "test_07_closing.py"]
    check("--server-options=--tls --loop asyncio", files=files)

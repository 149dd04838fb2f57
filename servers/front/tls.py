"""TLS before any protocol: the same techniques, unread by others on the way.

asyncio would do the handshake by itself, but hides connections until it is over: who connects and
says nothing would be counted nowhere, for a minute. So connections are accepted here, counted at
once, and given a few seconds. Whoever speaks without TLS is told so, in words that can be read.
Three things are otherwise than over bare TCP:

* what a connection costs: 24 KiB on uvloop, 54 on asyncio's own loop, as each has buffers and a
  state of OpenSSL's; and what a delivery costs: about twice the CPU, as each one is encrypted
  anew (``python -m loadtests.limits tls`` measures both);
* a write buffer counts as full at 64 KiB, as over TCP, where TLS would take half a MiB;
* there is no half-close: a client that ends its side gets no more answers.
"""

import asyncio
import asyncio.sslproto
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from servers.front.certificates import AUTHORITY, FOLDER, CertificateError, server_names, signed_for
from servers.front.handover import MOST_REFUSALS, Refusal
from servers.front.ledger import Ledger

_HANDSHAKE_SECONDS = 8.0  # from being accepted to being able to speak
_WRITE_BUFFER = 64 * 2**10
_HANDSHAKE_RECORD = 0x16  # the first byte that a client of TLS sends (RFC 8446, 5.1)
_RETRY_SECONDS = 1.0  # where there are no descriptors to accept with
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# A read buffer of asyncio's own TLS, which makes one for every connection: 256 KiB otherwise.
asyncio.sslproto.SSLProtocol.max_size = 32 * 2**10


def own_context(host: str, names: Iterable[str] = ()) -> tuple[ssl.SSLContext, Path]:
    """Make the context of a server that listens on ``host``, with a certificate made for it.

    Also returns the file of whom to trust then. Raises
    :class:`~servers.front.certificates.CertificateError`.
    """
    with signed_for(server_names(host, names)) as both:
        return server_context(both), FOLDER / AUTHORITY


def server_context(cert: Path, key: Path | None = None) -> ssl.SSLContext:
    """Make the context of a server with a certificate and its key, both PEM.

    Without ``key`` it stands in the file of the certificate. Raises
    :class:`~servers.front.certificates.CertificateError`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = cert if key is None else f"{cert} and {key}"
    try:
        context.load_cert_chain(cert, key, password=_refuse_password)
    except FileNotFoundError:
        missing = next((path for path in (cert, key) if path and not path.exists()), cert)
        raise CertificateError(f"there is no file {missing}") from None
    except (ssl.SSLError, OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError):
            why = {
                "KEY_VALUES_MISMATCH": "the key is not the certificate's",
                "NO_START_LINE": "there is no certificate or no key in it",
                "PEM_LIB": "accepted are PEM files, of a certificate and of its key",
            }.get(error.reason or "", str(error))
        else:
            why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise CertificateError(f"{files} cannot be used: {why}") from None
    return context


def _refuse_password() -> str:
    raise ValueError("the key is encrypted; accepted is one that needs no password")


@dataclass(frozen=True, slots=True)
class Tls:
    """What TLS needs to know of the server before it: its certificate, its counts, its room."""

    context: ssl.SSLContext
    ledger: Ledger
    most_sockets: int


class Doorman:
    """Accepts what comes to a listening socket, and lets in who is done with the handshake.

    ``make`` makes the protocol of each; ``unsafe`` is the answer to who speaks without TLS. Like an
    :class:`asyncio.Server` it has ``sockets``, and ends with :meth:`close`.
    """

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.BaseProtocol],
        tls: Tls,
        unsafe: bytes,
    ) -> None:
        listening.setblocking(False)
        self.sockets = (listening,)
        self._listening = listening
        self._make = make
        self._tls = tls
        self._unsafe = unsafe
        accepting = asyncio.create_task(self._accept())
        # Not before: the loop may still watch it.
        accepting.add_done_callback(lambda _: listening.close())
        self._tasks = {accepting}

    def close(self) -> None:
        """Accept no more; who is in the middle of a handshake is left."""
        for task in self._tasks:
            task.cancel()

    async def _accept(self) -> None:
        loop, ledger = asyncio.get_running_loop(), self._tls.ledger
        while True:
            try:
                sock, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                # One who left again before being accepted matters to nobody.
                await asyncio.sleep(_RETRY_SECONDS if error.errno in _EXHAUSTED else 0)
                continue
            if ledger.sockets >= self._tls.most_sockets + MOST_REFUSALS:
                sock.close()  # to say why would take a handshake
            else:
                task = asyncio.create_task(self._welcome(sock))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(0)  # or a crowd would keep all others waiting

    async def _welcome(self, sock: socket.socket) -> None:
        """See one connection through its handshake, or out."""
        sock.setblocking(False)
        place = _Place(self._tls.ledger)
        owned = False  # by a transport, which then closes it
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                first = await _first_byte(sock)
                if not first:
                    return
                loop = asyncio.get_running_loop()
                place.leave()  # and is asked for anew, by what comes to stand there
                if first[0] != _HANDSHAKE_RECORD:
                    owned = True
                    refusal = Refusal(self._tls.ledger, self._unsafe)
                    await loop.connect_accepted_socket(lambda: refusal, sock)
                    return
                threshold = _Threshold(self._make(), place)
                place.take()
                owned = True
                await loop.connect_accepted_socket(
                    lambda: threshold,
                    sock,
                    ssl=self._tls.context,
                    ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                )
        except OSError:
            pass  # nonsense, silence, a client that does not trust us: none of our mistakes
        finally:
            place.leave()
            if not owned:
                sock.close()


class _Place:
    """One of the server's sockets, as long as nobody else counts it."""

    __slots__ = ("_is_taken", "_ledger")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._is_taken = False
        self.take()

    def take(self) -> None:
        self._ledger.sockets += 1
        self._is_taken = True

    def leave(self) -> None:
        """Give it up; doing so twice does nothing."""
        if self._is_taken:
            self._is_taken = False
            self._ledger.sockets -= 1


class _Threshold(asyncio.Protocol):
    """Stands for ``inner`` until the handshake is over, and keeps its ``place`` so long."""

    __slots__ = ("_inner", "_place")

    def __init__(self, inner: asyncio.BaseProtocol, place: _Place) -> None:
        self._inner = inner
        self._place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        secure = cast(asyncio.Transport, transport)
        secure.set_write_buffer_limits(_WRITE_BUFFER)
        secure.set_protocol(self._inner)
        self._place.leave()
        self._inner.connection_made(secure)


async def _first_byte(sock: socket.socket) -> bytes:
    """Wait until the client says something; return its first byte, which stays to be read.

    Where a loop cannot tell (Windows), it counts as the beginning of TLS.
    """
    loop = asyncio.get_running_loop()
    come = loop.create_future()

    def note() -> None:
        loop.remove_reader(sock)
        if not come.done():
            come.set_result(None)

    with contextlib.suppress(NotImplementedError):
        loop.add_reader(sock, note)
        try:
            await come
        finally:
            loop.remove_reader(sock)
        return sock.recv(1, socket.MSG_PEEK)
    return bytes([_HANDSHAKE_RECORD])

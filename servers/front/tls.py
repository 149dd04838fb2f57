"""TLS before any protocol: the same techniques, unread by others on the way.

asyncio would do the handshake by itself, but hides connections until it is over: who connects and
says nothing would be counted nowhere, for a minute. So connections are accepted here, counted at
once, and given a few seconds. Whoever speaks without TLS is told so, in words that can be read.
What comes then is carried by :mod:`servers.front.secure_transport`. Two things are otherwise than
over bare TCP:

* what they cost: a connection 16 KiB, its state in OpenSSL; a delivery about 1.6 times the CPU, as
  each is encrypted anew, where a bare writer pays 1.7 times (``python -m loadtests.limits tls``
  measures all beside each other);
* there is no half-close: a client that ends its side gets no more answers.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from servers.front.certificates import AUTHORITY, FOLDER, CertificateError, server_names, signed_for
from servers.front.handover import MOST_REFUSALS, Refusal
from servers.front.ledger import Ledger
from servers.front.secure_transport import SecureTransport

_HANDSHAKE_SECONDS = 8.0  # from being accepted to being able to speak
_HANDSHAKE_RECORD = 0x16  # the first byte that a client of TLS sends (RFC 8446, 5.1)
_RETRY_SECONDS = 1.0  # where there are no descriptors to accept with
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


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
    context.options |= ssl.OP_NO_RENEGOTIATION  # so that to write never waits for what is read
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
                await _ready(sock, _to_read)
                first = sock.recv(1, socket.MSG_PEEK)
                if not first:
                    return
                place.leave()  # and is asked for anew, by what comes to stand there
                if first[0] != _HANDSHAKE_RECORD:
                    owned = True
                    refusal = Refusal(self._tls.ledger, self._unsafe)
                    loop = asyncio.get_running_loop()
                    await loop.connect_accepted_socket(lambda: refusal, sock)
                    return
                protocol = self._make()
                place.take()
                sock = secure = self._tls.context.wrap_socket(
                    sock, server_side=True, do_handshake_on_connect=False
                )
                await _shake_hands(secure)
            place.leave()
            SecureTransport(secure, protocol)
            owned = True
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


async def _shake_hands(sock: ssl.SSLSocket) -> None:
    """Do the handshake. Raises :class:`OSError`."""
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, _to_read)
        except ssl.SSLWantWriteError:
            await _ready(sock, _to_write)
        else:
            return


_Watch = tuple[Callable[..., object], Callable[..., object]]  # begin and end it


def _to_read(loop: asyncio.AbstractEventLoop) -> _Watch:
    return loop.add_reader, loop.remove_reader


def _to_write(loop: asyncio.AbstractEventLoop) -> _Watch:
    return loop.add_writer, loop.remove_writer


async def _ready(sock: socket.socket, kind: Callable[[asyncio.AbstractEventLoop], _Watch]) -> None:
    """Wait until there is something to read, or room to write."""
    loop = asyncio.get_running_loop()
    begin, end = kind(loop)
    ready = loop.create_future()

    def note() -> None:
        end(sock)
        if not ready.done():
            ready.set_result(None)

    begin(sock, note)
    try:
        await ready
    finally:
        end(sock)

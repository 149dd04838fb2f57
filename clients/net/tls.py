"""A connection that nobody on the way can read: TLS over the same socket (RFC 8446).

OpenSSL works between two buffers here and never sees the socket. So deadlines, the kernel's stamps
of arrival and the counts of bytes stay what they are without TLS, and gevent needs no other socket.

Every byte is told apart: what was said, what TLS puts around it (with AES-GCM 22 bytes for each
record of up to 16 KiB: head, type and tag), and handshakes with all else that TLS says for itself,
such as session tickets and good-byes.
"""

import contextlib
import ssl
import threading
from functools import lru_cache

from clients.errors import ClientError, ConnectionLostError, UnexpectedAnswerError, UntrustedError
from clients.net.address import Address
from clients.net.connection import Connection
from clients.net.traffic import TlsTotals, Traffic

_RECORD_HEAD = 5
_LONGEST_RECORD = 16 * 1024  # of what is said in one
_TYPES = range(20, 25)  # the first byte of any record (RFC 8446, 5.1)


@lru_cache(maxsize=16)
def _context(cafile: str | None) -> ssl.SSLContext:
    """Make the context that trusts ``cafile``, or else whom this system trusts."""
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else str(error)
        raise ValueError(f"cafile={cafile!r} cannot be used: {why}") from None


class TlsConnection(Connection):
    """A connection on which TLS begins with :meth:`begin`; until then it is a plain one."""

    __slots__ = (
        "_from_peer",
        "_has_ended",
        "_lock",
        "_rest",
        "_sending",
        "_ssl",
        "_to_peer",
        "tls",
    )

    def __init__(self, address: Address, traffic: Traffic, timeout: float) -> None:
        self.tls = TlsTotals()
        self._ssl: ssl.SSLObject | None = None
        self._rest = b""  # of a record that is not whole yet
        self._has_ended = False
        # One thread may send while another receives, but OpenSSL's state is one; and what was
        # encrypted first must leave first.
        self._lock, self._sending = threading.Lock(), threading.Lock()
        super().__init__(address, traffic, timeout)

    def begin(self, address: Address, deadline: float) -> None:
        """Do the handshake, and check that the peer is who ``address`` names.

        Raises :class:`~clients.errors.UntrustedError`,
        :class:`~clients.errors.UnexpectedAnswerError` where no TLS is spoken, and
        :class:`~clients.errors.ConnectionLostError`.
        """
        up, down = self.bytes_up, self.bytes_down
        who = f"{address.host}:{address.port}"
        self._from_peer, self._to_peer = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = _context(address.cafile).wrap_bio(
            self._from_peer, self._to_peer, server_hostname=address.host
        )
        try:
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self._flush(deadline)
                    self._from_peer.write(self._next_record(who, deadline))
        except ssl.SSLError as error:
            with contextlib.suppress(ClientError):
                self._flush(deadline)  # the peer is told as well
            raise _why(error, who, address.cafile) from error
        self._flush(deadline)
        self.tls = TlsTotals(
            handshake_up=self.bytes_up - up, handshake_down=self.bytes_down - down - len(self._rest)
        )
        self._ssl = tls

    def _flush(self, deadline: float) -> None:
        if self._to_peer.pending:
            super().send(self._to_peer.read(), self.patience_s(deadline))

    def _next_record(self, who: str, deadline: float) -> bytes:
        """Read one record of the handshake."""
        while not (record := self._split()):
            data = super().receive(deadline)
            if data is None:
                raise ConnectionLostError(f"{who} did not answer the TLS handshake in time")
            if not data:
                raise ConnectionLostError(f"{who} closed the connection in the TLS handshake")
            self._rest += data
            if self._rest[0] not in _TYPES:
                raise UnexpectedAnswerError(
                    f"{who} does not speak TLS, it says {self._rest[:24]!r}: is it http:// there?"
                )
        return record

    def _split(self) -> bytes:
        """Take one whole record from what came; nothing where there is none yet."""
        if len(self._rest) < _RECORD_HEAD:
            return b""
        end = _RECORD_HEAD + int.from_bytes(self._rest[3:5])
        if len(self._rest) < end:
            return b""
        record, self._rest = self._rest[:end], self._rest[end:]
        return record

    def send(self, data: bytes, timeout: float) -> None:
        if self._ssl is None:
            return super().send(data, timeout)
        with self._sending:
            with self._lock:
                before = self._to_peer.pending  # an answer to what was received, perhaps
                try:
                    self._ssl.write(data)
                except ssl.SSLError as error:
                    raise ConnectionLostError(f"TLS broke: {error.reason or error}") from error
                encrypted = self._to_peer.read()
                self.tls = self.tls.plus(
                    TlsTotals(up=len(encrypted) - before - len(data), handshake_up=before)
                )
            return super().send(encrypted, timeout)

    def receive(self, deadline: float | None) -> bytes | None:
        if self._ssl is None:
            return super().receive(deadline)
        while True:
            if data := self._decrypt(self._ssl):
                return data
            if self._has_ended:
                return b""
            encrypted = super().receive(deadline)
            if encrypted is None:
                return None
            if not encrypted:
                raise ConnectionLostError("the connection was cut: TLS has not come to its end")
            self._rest += encrypted

    def _decrypt(self, tls: ssl.SSLObject) -> bytes:
        """Return what the whole records that came say, each read for itself, to count it."""
        said = []
        with self._lock:
            while record := self._split():
                self._from_peer.write(record)
                try:
                    data = tls.read(_LONGEST_RECORD)
                    self._has_ended |= not data
                except ssl.SSLWantReadError:
                    data = b""
                except ssl.SSLZeroReturnError:
                    data, self._has_ended = b"", True
                except ssl.SSLError as error:
                    raise ConnectionLostError(f"TLS broke: {error.reason or error}") from error
                size = len(record) - len(data)
                self.tls = self.tls.plus(
                    TlsTotals(down=size) if data else TlsTotals(handshake_down=size)
                )
                said.append(data)
        return said[0] if len(said) == 1 else b"".join(said)

    def is_quiet(self) -> bool:
        # Session tickets come unasked, behind the handshake: bytes that say nothing.
        while not super().is_quiet():
            if self._ssl is None or self._has_ended:
                return False
            try:
                encrypted = super().receive(0.0)
                if not encrypted:
                    return False
                self._rest += encrypted
                if self._decrypt(self._ssl) or self._has_ended:
                    return False
            except ConnectionLostError:
                return False
        return not self._has_ended

    def finish(self, timeout: float) -> None:
        self._say_end(timeout)
        super().finish(timeout)

    def close(self) -> None:
        self._say_end(0.0)
        super().close()

    def _say_end(self, timeout: float) -> None:
        """Say that nothing more is sent (RFC 8446, 6.1), where nobody else is sending."""
        tls = self._ssl
        if tls is None or not self._sending.acquire(blocking=False):
            return
        try:
            with self._lock:
                with contextlib.suppress(ssl.SSLError, ValueError):
                    tls.unwrap()
                end = self._to_peer.read()
                self.tls = self.tls.plus(TlsTotals(handshake_up=len(end)))
            if end:
                with contextlib.suppress(ConnectionLostError):
                    super().send(end, timeout)
        finally:
            self._sending.release()


def _why(error: ssl.SSLError, who: str, cafile: str | None) -> ClientError:
    """Say what was wrong with a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        trusted = f"{cafile} says" if cafile else "this system trusts"
        return UntrustedError(
            f"the certificate of {who} is not to be trusted: {error.verify_message.rstrip('.')}; "
            f"asked was whom {trusted}, cafile= names another (of our own servers .tls/ca.pem)"
        )
    return UnexpectedAnswerError(f"no TLS with {who}: {error.reason or error}")

"""One TCP connection.

Reading takes a deadline and keeps nothing: what has arrived is handed on at once, so a timeout
cannot lose half a message; the decoders above keep what is not complete.
"""

import contextlib
import socket
import time

from clients.errors import ConnectionLostError, UnreachableError
from clients.net import arrival
from clients.net.address import Address
from clients.net.traffic import NO_TLS, TlsTotals, Traffic
from wire.tcp_info import SIZE

READ_BYTES = 64 * 1024
# Linux only; elsewhere the relay's counts take its place.
_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)


class Connection:
    """A connected socket with Nagle's algorithm off (it would wait to fill segments).

    ``arrived_ns`` is the monotonic time of the last read (see :mod:`clients.net.arrival`).
    """

    __slots__ = (
        "_reading",
        "_sock",
        "_timeout",
        "_traffic",
        "arrived_ns",
        "bytes_down",
        "bytes_up",
    )
    tls: TlsTotals = NO_TLS

    def __init__(self, address: Address, traffic: Traffic, timeout: float) -> None:
        host, port = address.dial
        began = time.monotonic()
        try:
            self._sock = socket.create_connection((host, port), timeout)
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            to = address.proxy if address.proxy and not address.way else f"{host}:{port}"
            raise UnreachableError(f"cannot connect to {to}: {why}", host, port) from error
        self._reading = False
        self._timeout: float | None = timeout
        self._traffic = traffic
        self.bytes_up = self.bytes_down = self.arrived_ns = 0
        traffic.opened(self, time.monotonic() - began)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        arrival.prepare(self._sock)

    def begin(self, address: Address, deadline: float) -> None:
        """Do what comes before anything may be said; here that is nothing."""

    def send(self, data: bytes, timeout: float) -> None:
        """Send all of ``data`` within ``timeout`` seconds; another thread may be receiving.

        Raises :class:`~clients.errors.ConnectionLostError`; part of it may then have gone.
        """
        deadline = time.monotonic() + timeout
        rest = memoryview(data)
        try:
            if self._timeout is None or self._timeout > timeout:
                self._set_timeout(timeout)
            while rest:
                try:
                    sent = self._sock.send(rest)
                except (TimeoutError, BlockingIOError):
                    # Perhaps only the receiver's shorter timeout; the socket has but one.
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(0.001)
                else:
                    self.bytes_up += sent
                    rest = rest[sent:]
        except (TimeoutError, BlockingIOError):
            with contextlib.suppress(OSError):  # nothing may follow half a message
                self._sock.shutdown(socket.SHUT_WR)
            raise ConnectionLostError(f"the peer took no data for {timeout:g} s") from None
        except OSError as error:
            raise ConnectionLostError(f"the connection broke while sending: {error}") from error

    def receive(self, deadline: float | None) -> bytes | None:
        """Return what has arrived, ``b""`` at the peer's end, ``None`` when ``deadline`` passed.

        ``deadline`` is in monotonic seconds, ``None`` waits for ever; one already past returns
        what is there. Raises :class:`~clients.errors.ConnectionLostError`.
        """
        self._reading = True
        try:
            while True:
                timeout = None if deadline is None else max(deadline - time.monotonic(), 0.0)
                try:
                    self._set_timeout(timeout)
                    data, self.arrived_ns = arrival.receive(self._sock, READ_BYTES)
                    break
                except (TimeoutError, BlockingIOError):
                    # A sender in another thread may have set a shorter timeout meanwhile.
                    if deadline is not None and time.monotonic() >= deadline:
                        return None
        except OSError as error:
            raise ConnectionLostError(f"the connection broke: {error}") from error
        finally:
            self._reading = False
        self.bytes_down += len(data)
        return data

    def is_quiet(self) -> bool:
        """Whether an idle connection still stands, with nothing said by the peer."""
        try:
            self._set_timeout(0.0)
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @staticmethod
    def patience_s(deadline: float) -> float:
        """Return the seconds until a deadline, for :meth:`send`."""
        return max(deadline - time.monotonic(), 0.001)

    def read_tcp_info(self) -> bytes | None:
        """Return the kernel's ``struct tcp_info``, where there is one."""
        if _TCP_INFO is not None:
            with contextlib.suppress(OSError):
                return self._sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, SIZE)
        return None

    def finish(self, timeout: float) -> None:
        """Say that nothing more is sent, wait for the peer to end too, and close.

        To close at once while something unread is here resets the connection, and a reset may
        destroy what was sent last. That the peer closes first also leaves TIME_WAIT to it.
        """
        deadline = time.monotonic() + timeout
        with contextlib.suppress(OSError, ConnectionLostError):
            self._sock.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline:
                if self._reading:  # elsewhere; gevent allows one reader, and that one sees the end
                    time.sleep(0.01)
                elif not self.receive(deadline):
                    break
        self.close()

    def close(self) -> None:
        """Close at once; a thread that waits in :meth:`receive` wakes up."""
        self._traffic.closing(self)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _set_timeout(self, timeout: float | None) -> None:
        if timeout != self._timeout:  # each change is a system call
            self._sock.settimeout(timeout)
            self._timeout = timeout

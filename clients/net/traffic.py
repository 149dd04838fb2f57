"""What all connections of one client cost: bytes, connections, and the kernel's own counts."""

import socket
from dataclasses import dataclass
from typing import Protocol

from clients.errors import ClosedError
from wire.tcp_info import decode_tcp_info


@dataclass(frozen=True, slots=True)
class TlsTotals:
    """Bytes that are TLS's own, summed over connections.

    ``up`` and ``down`` stand around what was said: heads, types and tags of records. The others are
    handshakes, and whatever else TLS says for itself.
    """

    up: int = 0
    down: int = 0
    handshake_up: int = 0
    handshake_down: int = 0

    def plus(self, other: "TlsTotals") -> "TlsTotals":
        """Add those of another connection, or of later."""
        return TlsTotals(
            self.up + other.up,
            self.down + other.down,
            self.handshake_up + other.handshake_up,
            self.handshake_down + other.handshake_down,
        )


NO_TLS = TlsTotals()


class Counted(Protocol):
    """A connection that counts its payload bytes, and which of them are TLS's."""

    bytes_up: int
    bytes_down: int
    tls: TlsTotals

    def read_tcp_info(self) -> bytes | None:
        """Return the kernel's ``struct tcp_info``, where there is one."""

    def close(self) -> None:
        """Close at once."""


@dataclass(frozen=True, slots=True)
class TcpTotals:
    """The kernel's counts, summed over connections: payload bytes and segments, each way.

    ``bytes_sent`` counts each byte once, also one that had to be sent again; those segments are
    in ``retransmitted``. ``bytes_received`` counts a peer's FIN as one byte. Segments are read
    just before a socket is closed, so its own FIN exchange is not in them.
    """

    bytes_sent: int = 0
    bytes_received: int = 0
    segs_out: int = 0
    segs_in: int = 0
    retransmitted: int = 0

    def plus(self, raw: bytes) -> "TcpTotals":
        """Add one reading of ``TCP_INFO``."""
        info = decode_tcp_info(raw)
        return TcpTotals(
            self.bytes_sent + (info.bytes_sent or 0) - (info.bytes_retrans or 0),
            self.bytes_received + (info.bytes_received or 0),
            self.segs_out + (info.segs_out or 0),
            self.segs_in + (info.segs_in or 0),
            self.retransmitted + info.total_retrans,
        )


class Traffic:
    """Counts over all connections of one client, those already closed included.

    Each connection counts for itself and is added here when it closes, so that a thread that
    sends and one that receives never touch the same number.
    """

    __slots__ = (
        "_closed_down",
        "_closed_tcp",
        "_closed_tls",
        "_closed_up",
        "_ended",
        "_open",
        "connect_s",
        "connections",
    )

    def __init__(self) -> None:
        self.connections = 0
        self.connect_s = 0.0
        self._open: list[Counted] = []
        self._closed_up = 0
        self._closed_down = 0
        self._closed_tcp = TcpTotals()
        self._closed_tls = NO_TLS
        self._ended = False

    @property
    def bytes_up(self) -> int:
        """TCP payload sent."""
        return self._closed_up + sum(connection.bytes_up for connection in self._open)

    @property
    def bytes_down(self) -> int:
        """TCP payload received."""
        return self._closed_down + sum(connection.bytes_down for connection in self._open)

    def tls(self) -> TlsTotals:
        """What of it is TLS's own."""
        totals = self._closed_tls
        for connection in tuple(self._open):
            totals = totals.plus(connection.tls)
        return totals

    def tcp_info(self) -> TcpTotals | None:
        """What the kernel counted, or ``None`` where it does not tell."""
        if not hasattr(socket, "TCP_INFO"):
            return None
        totals = self._closed_tcp
        for connection in tuple(self._open):
            if raw := connection.read_tcp_info():
                totals = totals.plus(raw)
        return totals

    def opened(self, connection: Counted, seconds: float) -> None:
        """Count a connection that was made.

        Raises :class:`~clients.errors.ClosedError` where the client was closed.
        """
        self._open.append(connection)
        self.connections += 1
        self.connect_s += seconds
        if self._ended:  # meanwhile, by another thread
            connection.close()
            raise ClosedError("this client is closed")

    def end(self) -> None:
        """Close what is open, and let nothing be opened any more."""
        self._ended = True
        for connection in tuple(self._open):
            connection.close()

    def closing(self, connection: Counted) -> None:
        """Take a connection's counts over, once."""
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._closed_up += connection.bytes_up
        self._closed_down += connection.bytes_down
        self._closed_tls = self._closed_tls.plus(connection.tls)
        if raw := connection.read_tcp_info():
            self._closed_tcp = self._closed_tcp.plus(raw)


class Accounted:
    """The counts of ``_traffic`` as attributes of a client."""

    __slots__ = ("_traffic",)
    _traffic: Traffic

    @property
    def bytes_up(self) -> int:
        """TCP payload bytes sent so far, on all connections."""
        return self._traffic.bytes_up

    @property
    def bytes_down(self) -> int:
        """TCP payload bytes received so far, on all connections."""
        return self._traffic.bytes_down

    @property
    def connections(self) -> int:
        """TCP connections made so far."""
        return self._traffic.connections

    @property
    def connect_s(self) -> float:
        """Seconds that making them took, all together."""
        return self._traffic.connect_s

    def tcp_info(self) -> TcpTotals | None:
        """Return the kernel's counts over all connections; ``None`` where it has none (Linux)."""
        return self._traffic.tcp_info()

    def tls(self) -> TlsTotals:
        """Return which of the bytes are TLS's own, on all connections."""
        return self._traffic.tls()

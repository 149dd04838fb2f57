"""What the Linux kernel knows of a TCP connection: the bytes of ``struct tcp_info``, decoded.

Whoever holds the socket asks ``sock.getsockopt(IPPROTO_TCP, TCP_INFO, SIZE)``; here those bytes
become a :class:`TcpInfo`. The struct (``linux/tcp.h``) only ever grew at its end, so an older
kernel's answer is simply shorter, and the fields that it lacks are ``None``.

Mind when comparing with counts of your own: SYN and FIN take a place in the sequence space, and
the kernel counts them where it counts by sequence numbers. The connecting side's ``bytes_acked``
is one too many (its SYN), one more after an acknowledged FIN, and ``bytes_received`` is one too
many after the peer's FIN. ``bytes_sent`` counts payload only, with ``bytes_retrans`` in it.
"""

import struct
from dataclasses import dataclass
from typing import Any, Final

from wire.errors import WireError

SIZE: Final = 256  # bytes to ask the kernel for: more than any kernel gives today

# Field name to offset and struct code: native byte order, no padding in between.
_FIELDS: Final[dict[str, tuple[int, str]]] = {
    "state": (0, "B"),
    "retransmits": (2, "B"),
    "probes": (3, "B"),
    "backoff": (4, "B"),
    "snd_mss": (16, "I"),
    "unacked": (24, "I"),
    "last_data_sent_ms": (44, "I"),
    "last_data_recv_ms": (52, "I"),
    "last_ack_recv_ms": (56, "I"),
    "rtt_us": (68, "I"),
    "rttvar_us": (72, "I"),
    "snd_cwnd": (80, "I"),
    "total_retrans": (100, "I"),
    "bytes_acked": (120, "Q"),
    "bytes_received": (128, "Q"),
    "segs_out": (136, "I"),
    "segs_in": (140, "I"),
    "notsent_bytes": (144, "I"),
    "min_rtt_us": (148, "I"),
    "data_segs_in": (152, "I"),
    "data_segs_out": (156, "I"),
    "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"),
    "snd_wnd": (228, "I"),
}
_BASE_SIZE: Final = 104  # up to total_retrans: what every Linux since 2.6 gives


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """One reading. Bytes are TCP payload, ``segs`` are segments, units are in the names.

    ``retransmits``, ``probes`` and ``backoff`` are of the present trouble and fall back to 0 when
    it is over; ``total_retrans`` is of the connection's whole life. ``snd_wnd`` is the window
    that the peer offers, in bytes; ``unacked`` counts segments in flight.
    """

    state: int
    retransmits: int
    probes: int
    backoff: int
    snd_mss: int
    unacked: int
    last_data_sent_ms: int
    last_data_recv_ms: int
    last_ack_recv_ms: int
    rtt_us: int
    rttvar_us: int
    snd_cwnd: int
    total_retrans: int
    bytes_acked: int | None
    bytes_received: int | None
    segs_out: int | None
    segs_in: int | None
    notsent_bytes: int | None
    min_rtt_us: int | None
    data_segs_in: int | None
    data_segs_out: int | None
    bytes_sent: int | None
    bytes_retrans: int | None
    snd_wnd: int | None


def decode_tcp_info(data: bytes) -> TcpInfo:
    """Decode what ``getsockopt`` returned; bytes beyond the fields known here are ignored.

    Raises :class:`~wire.errors.WireError` where even the oldest fields are missing.
    """
    if len(data) < _BASE_SIZE:
        raise WireError(
            f"{len(data)} bytes are no struct tcp_info: it has at least {_BASE_SIZE} on Linux"
        )
    values: dict[str, Any] = {
        name: struct.unpack_from(f"={code}", data, offset)[0]
        if offset + struct.calcsize(f"={code}") <= len(data)
        else None
        for name, (offset, code) in _FIELDS.items()
    }
    return TcpInfo(**values)


def modelled_header_bytes(segments: int, ipv6: bool = False, timestamps: bool = True) -> int:
    """Bytes of TCP and IP headers that ``segments`` segments carry: a model, not a count.

    20 bytes of TCP (RFC 9293, 3.1), 12 more for the timestamps option with its padding (RFC 7323,
    3.2 and appendix A), 20 of IPv4 (RFC 791) or 40 of IPv6 (RFC 8200). Link headers, the options
    of SYN segments and SACK blocks are left out. The kernel counts a large segment that the
    network card cuts up (TSO) as the several segments it becomes.
    """
    if segments < 0:
        raise ValueError(f"segments must be 0 or more, not {segments}")
    return segments * (20 + (12 if timestamps else 0) + (40 if ipv6 else 20))

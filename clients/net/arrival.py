"""When bytes arrived: as this process read them, or as the kernel took them in (Linux).

A process that holds a thousand connections reads them one after the other, and the time at which
it gets to a socket tells of its own queue. So a load generator may ask the kernel, which stamps
every segment that comes in (``SO_TIMESTAMPNS``) and tells with each read when the last byte of it
had arrived.

One read gives all that it brings the stamp of the last, so a message that had to wait unread bears
that of the next. Who holds many connections therefore does well to read all that is there before
it looks into any of it: :func:`after_each_read` lets the others go first.
"""

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Callable

_SO_TIMESTAMPNS = 35  # <asm-generic/socket.h>; the socket module does not name it
_TIMESPEC = struct.Struct("@ll")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size) if hasattr(socket, "CMSG_SPACE") else 0
_by_kernel = False
_then: Callable[[], object] | None = None


def use_kernel_clock() -> bool:
    """Let all connections made from now on be stamped by the kernel; false where it cannot."""
    global _by_kernel
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform == "linux":
            probe.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            _by_kernel = True
    return _by_kernel


def by_kernel() -> bool:
    """Whether the kernel stamps the connections made now."""
    return _by_kernel


def after_each_read(then: Callable[[], object] | None) -> None:
    """Call ``then`` after each read of any connection, before anybody looks into what it brought.

    It may switch to other connections' readers; ``None`` ends it.
    """
    global _then
    _then = then


def prepare(sock: socket.socket) -> None:
    """Ask for stamps on a new connection, if they are used."""
    if _by_kernel:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def receive(sock: socket.socket, most: int) -> tuple[bytes, int]:
    """Read up to ``most`` bytes; return them and when they arrived, in monotonic nanoseconds."""
    found = _receive_stamped(sock, most) if _by_kernel else (sock.recv(most), time.monotonic_ns())
    if _then is not None:
        _then()
    return found


def _receive_stamped(sock: socket.socket, most: int) -> tuple[bytes, int]:
    data, about, _, _ = sock.recvmsg(most, _ROOM)
    if not about:
        return data, time.monotonic_ns()
    # The kernel stamps by the wall clock. Should this thread lose its core between the two
    # clocks, the arrival comes out too late, never too early.
    wall, now = time.time_ns(), time.monotonic_ns()
    seconds, nanoseconds = _TIMESPEC.unpack_from(about[0][2])
    return data, now - max(wall - (seconds * 1_000_000_000 + nanoseconds), 0)

"""Sockets that listen: one way to bind them, for pages, plugins and lines alike."""

import asyncio
import socket
import sys
from collections.abc import Callable

from servers.front.tls import Doorman, Tls

_ACCEPTED_AT_ONCE = 8
_MOST_WAITING = 4096


async def listen(
    make: Callable[[], asyncio.BaseProtocol],
    host: str | socket.socket,
    port: int = 0,
    send_buffer: int | None = None,
    heartbeat: float | None = None,
) -> asyncio.Server:
    """Serve each connection to ``host`` and ``port``, or to a bound socket, by what ``make`` makes.

    ``send_buffer`` bounds the kernel's buffer of each, in bytes; ``heartbeat`` is in seconds.
    Raises :class:`OSError` that names the address.
    """
    listening = _ready_to_listen(host, port, send_buffer, heartbeat)
    # asyncio takes as many connections at once, before it serves any, as it thinks may wait; and
    # where descriptors have run out, it complains as many times at once.
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, sock=listening, backlog=_ACCEPTED_AT_ONCE)
    listening.listen(_MOST_WAITING)
    return server


def listen_by_tls(
    make: Callable[[], asyncio.BaseProtocol],
    tls: Tls,
    unsafe: bytes,
    host: str | socket.socket,
    port: int,
    send_buffer: int,
    heartbeat: float,
) -> Doorman:
    """Serve by TLS, as :func:`listen` does without; who speaks plainly is answered ``unsafe``."""
    listening = _ready_to_listen(host, port, send_buffer, heartbeat)
    listening.listen(_MOST_WAITING)
    return Doorman(listening, make, tls, unsafe)


def _ready_to_listen(
    host: str | socket.socket, port: int, send_buffer: int | None, heartbeat: float | None
) -> socket.socket:
    listening = bound_socket(host, port) if isinstance(host, str) else host
    # Accepted sockets inherit these (Linux): bounded kernel memory, and keep-alive that finds the
    # dead within one and a half heartbeats.
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    if heartbeat is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            seconds = max(round(heartbeat), 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(seconds // 2, 1))
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
    return listening


def bound_socket(host: str, port: int, is_shared: bool = False) -> socket.socket:
    """Bind a TCP socket; a name means its IPv4 address, and ``::`` every address, IPv4 too.

    If it ``is_shared``, other processes of the same user may bind the same, and the kernel deals
    out among them who connects (Linux, SO_REUSEPORT).

    Raises :class:`OSError` that names the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if host == "::" and socket.has_dualstack_ipv6():
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(error.errno, f"{host}:{port}: {error.strerror or error}") from None
    except OverflowError:
        bound.close()
        raise OSError(f"{host}:{port}: a port is from 0 to 65535") from None
    return bound


def own_host(host: str) -> str:
    """Return the address by which this machine reaches what listens on ``host``."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)

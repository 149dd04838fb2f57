"""Sockets that listen: one way to bind them, for pages, plugins and lines alike."""

import socket
import sys


def bound_socket(host: str, port: int) -> socket.socket:
    """Bind a TCP socket; a name means its IPv4 address, and ``::`` every address, IPv4 too.

    Raises :class:`OSError` that names the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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

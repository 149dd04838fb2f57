"""Making a connection as the address says: to a place, through a proxy perhaps, by TLS perhaps."""

import time

from clients.net.address import Address
from clients.net.connection import Connection
from clients.net.traffic import Traffic
from clients.net.tunnel import open_tunnel


def connect(address: Address, traffic: Traffic, timeout: float) -> Connection:
    """Return a connection on which the server itself can be spoken to, within ``timeout`` seconds.

    Raises an error of :mod:`clients.errors`, and :class:`ValueError` for certificates to trust that
    cannot be read; nothing is left open then.
    """
    began = time.monotonic()
    make = Connection
    if address.is_secure:
        from clients.net.tls import TlsConnection as make  # whoever needs no TLS loads none
    link = make(address, traffic, timeout)
    connected = time.monotonic()
    try:
        if address.proxy is not None and address.is_tunnelled:
            open_tunnel(link, address.proxy, address.place, began + timeout)
        link.begin(address, began + timeout)
    except BaseException:
        link.close()
        raise
    traffic.connect_s += time.monotonic() - connected
    return link

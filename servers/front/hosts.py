"""By which names this server may be asked: against pages that had their own name rebound.

A page of ``evil.example`` may let its name point to this machine once it is loaded (DNS
rebinding). The browser then takes us for its origin, and only ``Host`` still tells by which name
it came. An address cannot be rebound, nor can ``localhost``, which browsers resolve themselves;
any other name must be this machine's own, or named with ``--allow-host``.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv6Address

ANY = "*"
# Not only names of the DNS: machines and containers may be called lab_pc.
_HOST = re.compile(r"([a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


def split_host(field: str) -> str | None:
    """Return the name or address in a Host field, in lower case; ``None`` where it is neither."""
    match = _HOST.fullmatch(field.lower())
    return match[1].removesuffix(".") if match else None


class Hosts:
    """Addresses, ``localhost``, this machine's own name and ``names``; ``*`` accepts all."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.lower().removesuffix(".") for name in names} | own_names()

    def accepts(self, field: str) -> bool:
        """Whether ``field`` is acceptable; one that is left out tells that no browser asks."""
        if not field or ANY in self._names:
            return True
        name = split_host(field)
        if name is None:
            return False
        return name in self._names or _is_address(name) or name.endswith(".localhost")


def is_word(field: str) -> bool:
    """Whether the name in ``field`` has no dot, so that no public domain can be it."""
    name = split_host(field)
    return name is not None and "." not in name and ":" not in name


def own_names() -> set[str]:
    """Return the names by which this machine knows itself."""
    own = socket.gethostname().lower()
    return {"localhost", own, f"{own.partition('.')[0]}.local"}


def _is_address(name: str) -> bool:
    if not name.startswith("["):
        # What ends in a number is never looked up: browsers read it as an IPv4 address or fail.
        return name.rpartition(".")[2].isdecimal()
    try:
        IPv6Address(name[1:-1])
    except ValueError:
        return False
    return True

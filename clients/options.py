"""What goes into every client besides server and channel, and what comes out of sending."""

import difflib
import inspect
import math
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from clients.net.address import Address, parse_address
from clients.net.headers import Fields
from clients.net.proxy_address import ENVIRONMENT, proxy_of_environment

LONGEST_PORT = 2**16 - 1


class Receipt(NamedTuple):
    """What the server said of a published message."""

    id: int
    cursor: str


class Options(TypedDict, total=False):
    """What every client can be told besides server and channel.

    ``after`` resumes behind a cursor, else it starts from now. ``name`` announces presence and is
    the default sender. ``dial`` is a (host, port) to connect to instead of the URL's, a relay for
    instance. ``cafile`` has the certificates of whom to trust behind ``https://``, by default those
    whom this system trusts. ``proxy`` is the address of a proxy to go through, with credentials if
    it wants them, or ``"environment"`` to ask its variables; plain requests name their whole
    address to it and all else goes through a tunnel, unless ``tunnel`` says that everything does,
    or nothing that can do without. ``headers`` is a profile of :mod:`clients.net.headers`,
    ``extra_headers`` pairs of name and value. ``reconnects`` bounds how often in a row a lost
    connection is tried again; without ``jitter`` all wait the same time before it, which is how
    herds are made; ``timeout`` (seconds) bounds connecting, handshakes and sending.
    """

    after: str | None
    name: str | None
    dial: tuple[str, int] | None
    cafile: str | None
    proxy: str | None
    tunnel: bool | None
    headers: str
    extra_headers: Fields
    reconnects: int
    jitter: bool
    timeout: float


def check_options(kind: type, options: Mapping[str, object]) -> None:
    """Check the options that a client of ``kind`` was given besides those of its own class.

    Raises :class:`TypeError` for one that does not exist, and :class:`ValueError`.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise TypeError(_unknown(kind, name))
    check_seconds("timeout", options.get("timeout", 10.0), 0.001, 1e6)
    check_whole("reconnects", options.get("reconnects", 0), 0, 2**63)
    dial = options.get("dial")
    if dial is not None:
        if not (isinstance(dial, tuple) and len(dial) == 2 and isinstance(dial[0], str)):
            raise ValueError(f"dial={dial!r} is not (host, port)")
        check_whole("the port of dial", dial[1], 1, LONGEST_PORT)


def address_of(url: str, options: Options) -> Address:
    """Return the server's address, and the way there that the options name.

    Raises :class:`ValueError`.
    """
    way = options.get("dial"), options.get("cafile")
    proxy = options.get("proxy")
    if proxy == ENVIRONMENT:
        direct = parse_address(url)
        proxy = proxy_of_environment(direct.scheme, direct.place)
    return parse_address(url, *way, proxy, options.get("tunnel"))


def check_seconds(name: str, value: object, least: float, most: float) -> float:
    """Return ``value`` if it is a number of seconds from ``least`` to ``most``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(value) and least <= value <= most:  # type: ignore[arg-type, operator]
        return float(value)  # type: ignore[arg-type]
    raise ValueError(f"{name}={value!r} is no number of seconds from {least:g} to {most:,.0f}")


def check_whole(name: str, value: object, least: int, most: int) -> int:
    """Return ``value`` if it is a whole number from ``least`` to ``most``."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise ValueError(f"{name}={value!r} is no whole number from {least} to {most}")


def _unknown(kind: type, name: str) -> str:
    known = dict.fromkeys(Options.__annotations__)
    for one in kind.__mro__:
        if "__init__" in vars(one):
            parameters = inspect.signature(one.__init__).parameters.values()  # type: ignore[misc]
            known |= {each.name: None for each in parameters if each.kind is each.KEYWORD_ONLY}
    close = difflib.get_close_matches(name, known, n=1)
    guess = f" Did you mean {close[0]}?" if close else ""
    return f"{kind.__name__} has no option {name!r}.{guess} There are {', '.join(sorted(known))}"

"""Certificates for trying things out: an authority of one's own, and what it signs for a server.

The authority is made at first use and kept in ``.tls`` in the project (:data:`FOLDER`), so that who
came to trust it once, trusts each server that is started later. The server's own key and
certificate are made anew at every start, for the names by which it listens then, and never kept.

The work is done by the ``openssl`` command, as Python's :mod:`ssl` can use certificates but not
make any. Keys are ECDSA on P-256: small, fast, and taken by everything that speaks TLS 1.3.
"""

import contextlib
import os
import re
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from servers.front.hosts import own_names

FOLDER = Path(__file__).resolve().parents[2] / ".tls"
AUTHORITY = "ca.pem"  # what to trust
_SECRET = "authority.pem"  # the same with its key, for us alone
_AUTHORITY_DAYS = 3650
_SERVER_DAYS = 397  # what browsers take at most
_PATIENCE_S = 20.0
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
_CONFIG = """
[req]
prompt = no
distinguished_name = subject
[subject]
CN = {subject}
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


class CertificateError(Exception):
    """A certificate could not be made or used; the message says why, and what would help."""


def server_names(host: str, more: Iterable[str] = ()) -> list[str]:
    """Return the names and addresses to certify for a server that listens on ``host``.

    Loopback and this machine's own names always, ``host`` and ``more`` where they are names; an
    address that stands for all of the machine's brings each of them.
    """
    names = {"127.0.0.1", "::1", *own_names(), host, *more} - {"", "0.0.0.0", "::", "*"}
    if host in ("", "0.0.0.0", "::"):
        names |= _own_addresses()
    return sorted(name.lower() for name in names)


def _own_addresses() -> set[str]:
    import socket

    import psutil

    return {
        address.address.partition("%")[0]
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }


@contextlib.contextmanager
def signed_for(names: Iterable[str], folder: Path = FOLDER) -> Iterator[Path]:
    """Give a PEM file with key and certificate for ``names``; it is gone after the block.

    The authority in ``folder`` signs it, and is made where there is none yet. Raises
    :class:`CertificateError`.
    """
    authority = _authority(folder)
    with TemporaryDirectory(prefix="duplex-") as place:
        here = Path(place)
        _write_config(here, "Duplex", names)
        _make_key(here)
        request = ["req", "-new", "-config", "config", "-key", "key.pem", "-out", "request.pem"]
        _openssl(here, *request)
        _openssl(
            here,
            *("x509", "-req", "-in", "request.pem", "-out", "certificate.pem"),
            *("-CA", str(authority), "-CAkey", str(authority)),
            *("-set_serial", str(secrets.randbits(120) + 1), "-days", str(_SERVER_DAYS), "-sha256"),
            *("-extfile", "config", "-extensions", "server"),
        )
        yield _joined(here, "certificate.pem")


def _authority(folder: Path) -> Path:
    """Return the file with certificate and key of the authority in ``folder``."""
    secret, public = folder / _SECRET, folder / AUTHORITY
    try:
        if not secret.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with TemporaryDirectory(prefix="new-", dir=folder) as place:
                made = _new_authority(Path(place))
                with contextlib.suppress(FileExistsError):  # another server was first: take that
                    os.link(made, secret)
        if not public.exists():
            with TemporaryDirectory(prefix="new-", dir=folder) as place:
                _openssl(Path(place), "x509", "-in", str(secret), "-out", AUTHORITY)
                (Path(place) / AUTHORITY).replace(public)
    except OSError as error:
        raise CertificateError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}; "
            "--cert and --key take a certificate that stands elsewhere"
        ) from None
    return secret


def _new_authority(here: Path) -> Path:
    _write_config(here, "Duplex, an authority for this machine alone", ["localhost"])
    _make_key(here)
    _openssl(
        here,
        *("req", "-new", "-x509", "-config", "config", "-extensions", "authority", "-sha256"),
        *("-set_serial", str(secrets.randbits(120) + 1), "-days", str(_AUTHORITY_DAYS)),
        *("-key", "key.pem", "-out", "certificate.pem"),
    )
    return _joined(here, "certificate.pem")


def _write_config(here: Path, subject: str, names: Iterable[str]) -> None:
    told = ", ".join(filter(None, map(_alternative, names)))
    (here / "config").write_text(_CONFIG.format(subject=subject, names=told), encoding="ascii")


def _alternative(name: str) -> str:
    """Write a name as an entry of subjectAltName; nothing where it can be none."""
    with contextlib.suppress(ValueError):
        return f"IP:{ip_address(name)}"
    return f"DNS:{name}" if _NAME.fullmatch(name) else ""


def _make_key(here: Path) -> None:
    (here / "key.pem").touch(mode=0o600)
    _openssl(here, "ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", "key.pem")


def _joined(here: Path, certificate: str) -> Path:
    """Put certificate and key into one file that nobody else may read."""
    both = here / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes((here / certificate).read_bytes() + (here / "key.pem").read_bytes())
    return both


def _openssl(here: Path, *words: str) -> None:
    """Run the command in the folder ``here``. Raises :class:`CertificateError`."""
    try:
        done = subprocess.run(
            ["openssl", *words],
            cwd=here,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PATIENCE_S,
        )
    except FileNotFoundError:
        raise CertificateError(
            "--tls makes its certificate by the command openssl, which is not here: install it "
            "(apt install openssl, brew install openssl), or give a certificate by --cert and --key"
        ) from None
    except subprocess.TimeoutExpired:
        raise CertificateError(f"openssl {words[0]} did not end in {_PATIENCE_S:g} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise CertificateError(f"openssl {words[0]} failed: {said[-1] if said else 'no word'}")

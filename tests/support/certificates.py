"""Certificates for tests, made by the same means as a server's own."""

import ssl
import subprocess
from pathlib import Path

import pytest

from servers.front.certificates import AUTHORITY, signed_for
from servers.front.tls import server_context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority that no other test run has."""
    return tmp_path_factory.mktemp("authority")


def context_for(authority: Path, *names: str) -> ssl.SSLContext:
    """Make a server's context for these names, signed by the authority in a folder."""
    with signed_for(names, authority) as both:
        return server_context(both)


def cafile_of(authority: Path) -> str:
    return str(authority / AUTHORITY)


def expired_context(authority: Path, folder: Path, name: str) -> ssl.SSLContext:
    """Make the context of a server whose certificate ended in 2021."""
    with signed_for([name], authority) as both:
        (folder / "key.pem").write_bytes(both.read_bytes())
    secret = str(authority / "authority.pem")
    (folder / "index").touch()
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca = here\n[here]\ndatabase = index\nnew_certs_dir = .\nrand_serial = yes\n"
        "default_md = sha256\npolicy = any\nx509_extensions = server\nunique_subject = no\n"
        f"[any]\ncommonName = supplied\n[server]\nsubjectAltName = DNS:{name}\n"
    )
    for words in (
        ["req", "-new", "-key", "key.pem", "-subj", "/CN=old", "-out", "request.pem"],
        [
            *("ca", "-batch", "-config", "ca.conf", "-in", "request.pem", "-out", "old.pem"),
            *("-cert", secret, "-keyfile", secret, "-notext"),
            *("-startdate", "20210101000000Z", "-enddate", "20210201000000Z"),
        ],
    ):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return server_context(folder / "old.pem", folder / "key.pem")

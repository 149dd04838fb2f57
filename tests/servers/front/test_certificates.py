"""The authority, what it signs, and what is told where neither can be made."""

import socket
import ssl
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers.front import certificates
from servers.front.certificates import AUTHORITY, CertificateError, server_names, signed_for


def described(path: Path) -> str:
    """Say what openssl reads in a certificate."""
    return subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_server_is_certified_for_its_own_names_and_those_that_it_is_given() -> None:
    names = server_names("127.0.0.1", ["lab_pc", "*"])
    assert {"127.0.0.1", "::1", "localhost", "lab_pc", socket.gethostname().lower()} <= {*names}
    assert "*" not in names


def test_who_listens_everywhere_is_certified_for_each_address_of_the_machine() -> None:
    names = server_names("0.0.0.0")
    assert {"127.0.0.1", "localhost"} < {*names}
    assert "0.0.0.0" not in names


def test_nobody_else_may_read_a_key_and_the_server_s_is_not_kept(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tls"
    with signed_for(["localhost"], folder) as both:
        assert "PRIVATE KEY" in both.read_text()
        assert stat.S_IMODE(both.stat().st_mode) == 0o600
    assert not both.exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert kept.pop("authority.pem") == 0o600
    assert [*kept] == [AUTHORITY]
    assert "PRIVATE KEY" not in (folder / AUTHORITY).read_text()


def test_the_authority_stays_and_each_server_gets_a_certificate_of_its_own(tmp_path: Path) -> None:
    names = ["lab.example", "192.0.2.7", "2001:db8::1", "no name at all"]
    seen = set()
    for _ in range(2):
        with signed_for(names, tmp_path) as both:
            seen.add((both.read_bytes(), (tmp_path / AUTHORITY).read_bytes()))
            said = described(both)
    assert len({theirs for theirs, _ in seen}) == 2
    assert len({ours for _, ours in seen}) == 1
    assert "DNS:lab.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1\n" in said
    assert "NIST CURVE: P-256" in said
    assert "CA:FALSE" in said
    assert "CA:TRUE, pathlen:0" in described(tmp_path / AUTHORITY)


def test_servers_that_start_at_once_share_the_authority(tmp_path: Path) -> None:
    def sign(number: int) -> None:
        with signed_for(["localhost"], tmp_path) as both:
            ssl.create_default_context(cafile=tmp_path / AUTHORITY).load_cert_chain(both)
            command = ["openssl", "verify", "-CAfile", str(tmp_path / AUTHORITY), str(both)]
            subprocess.run(command, check=True, capture_output=True)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(sign, range(4))) == [None] * 4
    assert {path.name for path in tmp_path.iterdir()} == {AUTHORITY, "authority.pem"}


def test_what_is_missing_or_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(CertificateError, match=r"cannot be written.*--cert"),
        signed_for([], tmp_path / "file"),
    ):
        pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(CertificateError, match=r"install it.*--cert and --key"),
        signed_for([], tmp_path / "x"),
    ):
        pass


def test_what_openssl_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("no certificate")
    with pytest.raises(CertificateError, match="openssl x509 failed: "), signed_for([], tmp_path):
        pass
    assert certificates.FOLDER.name == ".tls"

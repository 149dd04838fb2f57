"""Addresses of a shared log: what is accepted, and what is shown of them."""

import pytest

from tests.support.engines import MISSING

address = pytest.importorskip("servers.shared.address", reason=MISSING)


@pytest.mark.parametrize(
    ("given", "used", "shown"),
    [
        ("valkey://host", "valkey://host", "valkey://host"),
        ("redis://:pw@host:1/2", "valkey://:pw@host:1/2", "valkey://host:1/2"),
        ("rediss://a:p%40w@h:1", "valkeys://a:p%40w@h:1", "valkeys://h:1"),
        ("unix:///run/v.sock?password=pw", "unix:///run/v.sock?password=pw", "unix:///run/v.sock"),
        ("valkeys://h?ssl_ca_certs=/ca.pem", "valkeys://h?ssl_ca_certs=/ca.pem", "valkeys://h"),
    ],
)
def test_addresses_are_taken_and_shown_without_what_is_secret(
    given: str, used: str, shown: str
) -> None:
    assert address.check(given) == used
    assert address.shown(used) == shown


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "pw", "http://pw@host", "valkey://", "valkey://:pw@host:99999", "valkey://pw@h:0"),
        *("valkey://h?retry_on_timeout=pw", "valkey://h?pw", "unix://pw", "valkey://[pw"),
    ],
)
def test_other_addresses_are_refused_without_being_shown(wrong: str) -> None:
    with pytest.raises(ValueError, match="valkey://HOST:PORT") as refused:
        address.check(wrong)
    assert "pw" not in str(refused.value)

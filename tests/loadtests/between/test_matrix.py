"""Every cell of the matrix for four real programs, as distributed and set for push."""

import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.between import command
from loadtests.trials.processes import ROOT, Relay, Server
from results.record.crossings import Crossing, Matrix, Word, read_matrix
from tests.support.programs import need
from wire.techniques import BY_SLUG, SLUGS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
FOUR = ["nginx", "haproxy", "squid", "tinyproxy"]
BOTH = ("distributed", "push")
IN_FRONT, PAGES, HTTP, HTTPS = "in front", "http://", "CONNECT, http", "CONNECT, https"
STREAMS = [one.slug for one in BY_SLUG.values() if one.streams and not one.two_way]
# What does not pass: (name, setups, way, techniques, what is said of them).
TROUBLES = [
    # A raw socket is no HTTP: who reads requests ends it, or waits for the request's end.
    (FOUR[:2], BOTH, IN_FRONT, ["plugin_socket"], "refused"),
    (FOUR[2:], BOTH, PAGES, ["plugin_socket"], "held"),
    # Upgrade is a matter of one hop (RFC 9110, 7.8): who does not know it does not pass it on.
    (["nginx"], ["distributed"], IN_FRONT, ["web_socket"], "refused (426)"),
    (["squid"], ["distributed"], PAGES, ["web_socket"], "refused (426)"),
    (["tinyproxy"], BOTH, PAGES, ["web_socket"], "refused (426)"),
    (["haproxy"], ["distributed"], IN_FRONT, STREAMS, "late"),
    (["squid"], ["distributed"], HTTP, SLUGS, "refused (403)"),
    (["squid"], ["distributed"], HTTPS, ["plugin_socket"], "refused (403)"),
]
WAYS = [
    (name, setup, way)
    for name in FOUR
    for setup in BOTH
    for way in ([IN_FRONT] if name in FOUR[:2] else [PAGES, HTTP, HTTPS])
]


def expected(name: str, setup: str, way: str) -> dict[str, str]:
    """Return what must be said of each technique."""
    said = dict.fromkeys(SLUGS, "passes")
    for names, setups, which, slugs, trouble in TROUBLES:
        if name in names and setup in setups and way == which:
            said |= dict.fromkeys(slugs, trouble)
    return said


def word(found: Crossing) -> str:
    """Return what is said of a technique, without how late it is: a busy machine adds to it."""
    if found.word is Word.LATE:
        assert (found.late_ms or 0.0) > 150, "it is a fifth of a second for each"
        return "late"
    return found.text


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    need(*FOUR)
    out: Path = tmp_path_factory.mktemp("between")
    done = subprocess.run(
        [sys.executable, "-m", "loadtests", "between", *FOUR, "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "What cures nginx" in done.stdout
    assert "proxy_buffering off;" in done.stdout
    return read_matrix(out)


@pytest.mark.parametrize(("name", "setup", "way"), WAYS)
def test_each_technique_behind_it(name: str, setup: str, way: str, matrix: Matrix) -> None:
    found = matrix.at(name, setup, way)
    if not found and way == HTTPS and not matrix.head["own_network"]:
        pytest.skip("port 443 takes a network of its own, which this system does not give")
    said = {slug: word(one) for slug, one in found.items()}
    assert said == expected(name, setup, way), [one.detail for one in found.values()]


def test_nothing_is_in_the_way_of_the_direct_ways(matrix: Matrix) -> None:
    for name, setup, way in matrix.ways():
        if name == "nothing":
            found = matrix.at(name, setup, way)
            assert {one.text for one in found.values()} == {"passes"}
            assert list(found) == list(SLUGS)


def test_it_says_which_programs_they_were(matrix: Matrix) -> None:
    told = {one["name"]: one["version"] for one in matrix.head["intermediaries"]}
    assert set(told) == set(FOUR)
    assert all(told.values())


@pytest.mark.usefixtures("forked_programs")
def test_what_runs_already_is_tried_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(SLUGS) as server, Relay(server) as relay:
        words = ["--front", relay.url, "--server", server.url, "--out", str(tmp_path)]
        words += ["--plugin-port", str(server.plugin_port)]
        assert command.main(words) == 0, capsys.readouterr().err
    found = read_matrix(tmp_path).at("yours", "distributed", "in front")
    texts = {slug: one.text for slug, one in found.items()}
    assert texts.pop("plugin_socket") != "passes"  # on the pages' port, all that a front has
    assert set(texts.values()) == {"passes"}

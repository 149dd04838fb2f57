"""The versions of a server: of its pins, of its lock, and what a program says of itself."""

from pathlib import Path

import pytest

from clients.foreign.peer_file import PeerFile, read_peer_file
from clients.foreign.table import PeerFileError
from loadtests.trials.peers import SHELF, find_peer
from loadtests.trials.versions import versions_of


def write(tmp_path: Path, versions: str) -> PeerFile:
    path = tmp_path / "mine.toml"
    path.write_text(
        'start = ["{python}", "server.py"]\nneeds.python = "pins.txt"\n'
        f'[versions]\n{versions}\n[publish]\npath = "/say"\n[subscribe.sse]\npath = "/"\n',
        encoding="utf-8",
    )
    (tmp_path / "more.txt").write_text("Under_Score==2.1b1 ; python_version > '3'\n")
    (tmp_path / "pins.txt").write_text("-r more.txt\n# a==9\na-b==1.0 \\\n    --hash=sha256:0\n")
    return read_peer_file(path)


def test_packages_are_known_by_the_pins_however_their_names_are_spelled(tmp_path: Path) -> None:
    peer = write(tmp_path, 'under-score = "package"\nA_b = "package"\nnobody = "package"')
    assert versions_of(peer) == {"under-score": "2.1b1", "A_b": "1.0", "nobody": ""}


def test_a_program_is_asked(tmp_path: Path) -> None:
    told = "sh -c 'echo x version: y/1.22.1-3 >&2'"
    peer = write(tmp_path, f'a = "{told}"\nb = "no-such-program -v"\nc = "sh -c \'exit 1\'"')
    assert versions_of(peer) == {"a": "1.22.1", "b": "", "c": ""}


@pytest.mark.parametrize("wrong", ['a = ""', 'a = "\'"'])
def test_what_is_no_command_is_told_with_its_line(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(PeerFileError, match=r"mine.toml, line 4: versions.a: .*command"):
        write(tmp_path, wrong)


@pytest.mark.parametrize("path", sorted(SHELF.glob("*/peer.toml")), ids=lambda p: p.parent.name)
def test_every_package_of_the_shelf_is_pinned(path: Path) -> None:
    peer = read_peer_file(path)
    packages = [name for name, how in peer.versions.items() if how == "package"]
    assert bool(packages) == bool(peer.needs.python or peer.needs.node)
    found = versions_of(peer)
    assert all(found[name] for name in packages)


def test_of_a_server_elsewhere_nothing_is_known() -> None:
    assert versions_of(find_peer("http://127.0.0.1:9")) == {}

"""Which versions a foreign server consists of, found out as its peer file says."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from clients.foreign.peer_file import PACKAGE, PeerFile
from loadtests.trials.environments import pins, place_of, python_of
from loadtests.trials.processes import search_path

_LONGEST_S = 10
_VERSION = re.compile(r"(?<!\d)\d+(?:\.\d+)+")
_PINNED = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)
_Asked = tuple[Path, int, tuple[tuple[str, str], ...]]
_KNOWN: dict[_Asked, dict[str, str]] = {}  # a run asks before each of its cells


def versions_of(peer: PeerFile) -> dict[str, str]:
    """Return the version of each part that the file names, empty where nobody tells it.

    A package's is that of the pins or of the lock, a program's what it says when it is asked.
    Raises :class:`~loadtests.trials.processes.ProcessError`, which says what the system lacks.
    """
    key = peer.path, peer.path.stat().st_mtime_ns, tuple(peer.versions.items())
    if key not in _KNOWN:
        packages = _packages(peer)
        _KNOWN[key] = {
            name: packages.get(_plain(name), "") if how == PACKAGE else _ask(peer, how)
            for name, how in peer.versions.items()
        }
    return _KNOWN[key]


def _plain(name: str) -> str:
    """Return a package's name as every spelling of it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages(peer: PeerFile) -> dict[str, str]:
    found: dict[str, str] = {}
    if peer.needs.python:
        for file in pins(peer.folder / peer.needs.python):
            found |= {_plain(name): version for name, version in _PINNED.findall(file.read_text())}
    if peer.needs.node:
        lock = json.loads((peer.folder / peer.needs.node / "package-lock.json").read_text())
        for place, package in lock["packages"].items():
            if place.startswith("node_modules/"):
                found[_plain(place.removeprefix("node_modules/"))] = package["version"]
    return found


def _ask(peer: PeerFile, command: str) -> str:
    python = sys.executable
    if "{python}" in command and peer.needs.python and (place := place_of(peer)):
        python = str(python_of(place))
    words = [word.replace("{python}", python) for word in shlex.split(command)]
    try:
        done = subprocess.run(
            words,
            cwd=peer.folder,
            env={**os.environ, "PATH": search_path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search(done.stdout)
    return found[0] if found and not done.returncode else ""

"""What a foreign server needs to run: made at its first use, from pinned and hashed packages.

Each has an environment of its own in ``.peers``, which Git ignores; never in ours. Its name holds
a hash of what it was made of, so other pins make another one.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from clients.foreign.peer_file import PeerFile
from loadtests.trials.processes import ROOT, ProcessError, search_path

PLACE = ROOT / ".peers"
_LONGEST_S = 600
# What is pinned by its hash does not change: to ask whether it has takes half of npm's time.
_INSTALL = ("ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")


def prepare(peer: PeerFile) -> Path | None:
    """Return the folder of a peer's environment, made if it is not there; none if it needs none.

    Raises :class:`~loadtests.trials.processes.ProcessError`, which says what the system lacks.
    """
    place = place_of(peer)
    if place is not None and not place.exists():
        _make(peer, place)
    return place


def lacking(peer: PeerFile) -> str:
    """Say what a peer needs and is not here; nothing if it can be started at once."""
    try:
        place = place_of(peer)
    except ProcessError as error:
        return str(error)
    if place is None or place.exists():
        return ""
    return (
        f"the environment of {peer.title} is not made yet; "
        f"python -m loadtests start {peer.folder.name} makes it"
    )


def place_of(peer: PeerFile) -> Path | None:
    """Return the folder of a peer's environment, made or not; none if it needs none.

    Raises :class:`~loadtests.trials.processes.ProcessError`, which says what the system lacks.
    """
    needs = peer.needs
    for program, command in needs.programs.items():
        if shutil.which(program, path=search_path()) is None:
            raise ProcessError(f"{peer.title} needs {program}, which is not here: {command}")
    for file, command in needs.files.items():
        if not (Path(file).exists() or (file.endswith("/") and _can_be_made(Path(file)))):
            raise ProcessError(f"{peer.title} needs {file}, which is not here: {command}")
    if not (needs.python or needs.node):
        return None
    sources = []
    try:
        if needs.python:
            sources += pins(peer.folder / needs.python)
        if needs.node:
            folder = peer.folder / needs.node
            sources += [folder / "package.json", folder / "package-lock.json"]
        made_of = b"".join(path.read_bytes() for path in sources)
    except OSError as error:
        raise ProcessError(f"{peer.title}: {error.filename}: {error.strerror}") from None
    made_of += sys.version.encode() if needs.python else b""
    name = sources[0].resolve().parent.name  # servers may share what they need
    return PLACE / f"{name}-{hashlib.sha256(made_of).hexdigest()[:12]}"


def _can_be_made(folder: Path) -> bool:
    """Tell whether a program could make a folder itself, as servers do that root starts first."""
    return os.access(folder.parent, os.W_OK)


def pins(file: Path) -> list[Path]:
    """Return a file of pins, and those that it begins with (``-r FILE``)."""
    more = re.findall(r"^-r (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return [file, *(each for one in more for each in pins(file.parent / one))]


def _make(peer: PeerFile, place: Path) -> None:
    """Make an environment aside, and put it into its place once it is whole."""
    print(f"{peer.title}: making its environment, once", file=sys.stderr, flush=True)
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE, prefix="making-") as made:
        aside = Path(made) / "environment"
        aside.mkdir()
        if peer.needs.python:
            # uv, which our own set-up has brought, takes a tenth of the time.
            uv = shutil.which("uv", path=str(Path(sys.executable).parent))
            python, install = str(python_of(aside)), ["-q", "--no-deps", "--require-hashes", "-r"]
            install += [str(peer.folder / peer.needs.python)]
            if uv:
                _run(peer, [uv, "venv", "-q", "--python", sys.executable, str(aside)])
                _run(peer, [uv, "pip", "install", "--python", python, *install])
            else:  # our Python may have no pip
                _run(peer, [sys.executable, "-m", "venv", str(aside)])
                _run(peer, [python, "-m", "pip", "install", *install])
        if peer.needs.node:
            folder = peer.folder / peer.needs.node
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, aside)
            npm = shutil.which("npm") or "npm"
            _run(peer, [npm, *_INSTALL], aside)
        try:
            aside.rename(place)
        except OSError:
            if not place.exists():  # else somebody else was quicker
                raise


def python_of(environment: Path) -> Path:
    """Return an environment's Python."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(peer: PeerFile, command: Sequence[str], folder: Path | None = None) -> None:
    what = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            env={**os.environ, "PYTHONPATH": ""},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProcessError(f"{peer.title}: its environment was not made: {error}") from None
    if done.returncode:
        words = "\n".join((done.stderr or done.stdout).splitlines()[-6:])
        raise ProcessError(f"{peer.title}: its environment was not made, {what} said:\n{words}")

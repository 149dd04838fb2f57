"""The shelf: what an intermediary is, and how it is started."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clients.foreign.table import PeerFileError, Table
from loadtests.trials.processes import ROOT, search_path
from results.record.crossings import DISTRIBUTED, PUSH

SHELF = ROOT / "loadtests" / "between" / "shelf"
FILE = "intermediary.toml"
KINDS = ("reverse", "tls", "forward")
_ASK_S = 10.0


class ShelfError(Exception):
    """An intermediary cannot be had or started; the message says what would help."""


@dataclass(frozen=True)
class Setup:
    """One way to set an intermediary: a ``file`` to configure it by, ``words`` to start it with.

    ``beside`` are more files, which that one names.
    """

    name: str
    file: Path | None
    beside: tuple[Path, ...]
    words: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All its files."""
        return (self.file, *self.beside) if self.file else ()

    @property
    def lines(self) -> list[str]:
        """What is said in its files, without comments and empty lines, then its words."""
        said = "\n".join(file.read_text(encoding="utf-8") for file in self.files)
        kept = [line for line in said.splitlines() if line.strip() and not _is_comment(line)]
        return [*kept, *([" ".join(self.words)] if self.words else [])]


@dataclass(frozen=True)
class Intermediary:
    """A program that stands between clients and servers.

    ``kind`` tells how it is used: ``reverse`` stands before a server, ``tls`` does and is spoken to
    by TLS, ``forward`` stands before clients, who know of it. ``start`` is its command, in which
    ``@PORT@`` and other places are filled in; ``package`` says how to get it.
    """

    name: str
    title: str
    kind: str
    package: str
    start: tuple[str, ...]
    version: tuple[str, ...]
    setups: tuple[Setup, ...]
    h2: Setup | None  # set for push, by TLS and HTTP/2
    carries_plugin: bool  # it has a port for the plugin socket, too

    @property
    def cure(self) -> list[str]:
        """The lines that are in the configuration for push and not in the distributed one."""
        return [line.strip() for line in self.cure_said if not _is_comment(line)]

    @property
    def cure_said(self) -> list[str]:
        """The same as they stand there, with the comments that stand before them."""
        by_name = {setup.name: setup for setup in self.setups}
        if PUSH not in by_name:
            return []
        before, after = by_name[DISTRIBUTED], by_name[PUSH]
        known = {line.strip() for line in before.lines}
        found: list[str] = []
        comments: list[str] = []
        for line in "\n".join(file.read_text("utf-8") for file in after.files).splitlines():
            if _is_comment(line):
                comments.append(line)
                continue
            if line.strip() and line.strip() not in known:
                found += [*comments, line]
            comments = []
        words = [word for word in after.words if word not in before.words]
        return [*found, " ".join(words)] if words else found

    @property
    def is_here(self) -> bool:
        """Whether its program is installed."""
        return find_program(self.start[0]) is not None

    def program(self) -> str:
        """Return the path of its program. Raises :class:`ShelfError` where it is not installed."""
        found = find_program(self.start[0])
        if found is None:
            raise ShelfError(f"{self.title} is not installed: {self.package}")
        return found

    def version_now(self) -> str:
        """Ask the program which version it is; empty where it does not say."""
        words = [find_program(self.version[0]) or self.version[0], *self.version[1:]]
        try:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=_ASK_S, check=False, cwd="/"
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        found = re.search(r"(?<!\d)\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
        return found[0] if found else ""


def find_program(name: str) -> str | None:
    """Return the path of a program, on the PATH or where Debian keeps its servers."""
    return shutil.which(name, path=search_path())


def read_shelf(names: list[str] | None = None) -> list[Intermediary]:
    """Return the intermediaries of these names, or all. Raises :class:`ShelfError`."""
    known = sorted(path.parent.name for path in SHELF.glob(f"*/{FILE}"))
    for name in names or ():
        if name not in known:
            raise ShelfError(f"{name!r} is no intermediary of the shelf: {', '.join(known)}")
    return [read_intermediary(SHELF / name) for name in names or known]


def read_intermediary(folder: Path) -> Intermediary:
    """Read one folder of the shelf. Raises :class:`ShelfError`."""
    file = folder / FILE
    source = file.read_text(encoding="utf-8")
    try:
        table = Table(f"{folder.name}/{FILE}", source, "", tomllib.loads(source))
        kind = table.text("kind")
        if kind not in KINDS:
            raise table.fault("kind", f"{kind!r} is none of {', '.join(KINDS)}")
        words = {name: table.table(name).texts("words") for name in (DISTRIBUTED, PUSH)}
        found = Intermediary(
            name=folder.name,
            title=table.text("title"),
            kind=kind,
            package=table.text("package"),
            start=table.texts("start"),
            version=table.texts("version"),
            setups=tuple(_setups(folder, words)),
            h2=_setup(folder, "h2"),
            carries_plugin=table.text("plugin") == "yes",
        )
        table.end()
    except (PeerFileError, tomllib.TOMLDecodeError) as error:
        raise ShelfError(str(error)) from None
    if not found.setups or not found.start:
        raise ShelfError(f"{file}: neither a configuration nor words to start it by")
    return found


def _setups(folder: Path, words: Mapping[str, tuple[str, ...]]) -> list[Setup]:
    """Return what can be set: a file or words make a set-up, and as it is distributed it is one."""
    distributed = _setup(folder, DISTRIBUTED, words[DISTRIBUTED])
    push = _setup(folder, PUSH, words[PUSH])
    return [distributed or Setup(DISTRIBUTED, None, (), ()), *([push] if push else [])]


def _setup(folder: Path, name: str, words: tuple[str, ...] = ()) -> Setup | None:
    file = next(iter(sorted(folder.glob(f"{name}.*"))), None)
    if file is None and not words:
        return None
    said = file.read_text(encoding="utf-8") if file else ""
    beside = tuple(one for one in sorted(folder.iterdir()) if f"/{one.name}" in said)
    return Setup(name, file, beside, words)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def fill(text: str, places: Mapping[str, str]) -> str:
    """Put what is to stand at ``@NAME@`` there."""
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text
